"""What happened, without its content, and the figures."""
