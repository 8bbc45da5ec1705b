"""A request: its row and moves, who it is about, consents, receipt, and what is counted of it."""
