"""What the worker takes from its machine: memory, files below one root, a log, and the signals that end it."""
