"""Public data sets as they are released, one file each."""
