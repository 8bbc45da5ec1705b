"""Who the peer supporters are, and how much each carries."""
