"""Programs in, executables out: compiled by XLA or evaluated by the reference interpreter, and kept."""
