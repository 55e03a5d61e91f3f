"""Caption files: every common format, what they say and when."""
