"""The systems of the lecture, one file each, readable from top to bottom."""
