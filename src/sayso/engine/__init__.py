"""Long work: extraction (and later training) that overlaps its stages and can be interrupted."""
