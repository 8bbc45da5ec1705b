"""The physician's status page: how the request stands, by receipt, and what can be done about it."""
