"""Who was there, and the day on which that made somebody trained."""
