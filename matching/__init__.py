"""From a request to contact."""
