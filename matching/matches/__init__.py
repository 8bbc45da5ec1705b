"""What a match is, its contact window, and how much a supporter carries."""
