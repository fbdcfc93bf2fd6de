"""Executables as files: the format, the key that signs them, and where a file may be loaded."""
