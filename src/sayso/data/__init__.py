"""Data to learn from and to look at."""
