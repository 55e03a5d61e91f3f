"""Model folders: one format for what is saved, the hub's cache, what is known by name."""
