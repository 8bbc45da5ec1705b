"""A supporter's own matches."""
