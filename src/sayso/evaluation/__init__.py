"""Published protocols, one a file: what is measured, on what, and what others reached."""
