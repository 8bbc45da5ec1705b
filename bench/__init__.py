"""What is promised of speed and fairness, measured: `make bench`."""
