"""StableHLO text in, a verified program and its signature out. Nothing here compiles or runs."""
