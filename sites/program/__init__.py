"""A program's settings, what it does before it opens, Today, and the sites of the province."""
