"""How a physician reaches the program."""
