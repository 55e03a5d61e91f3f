"""The ground every layer stands on: types, errors, progress, lazy imports."""
