"""Element types and tensor types, their bytes, and arrays that lie on the devices of several hosts."""
