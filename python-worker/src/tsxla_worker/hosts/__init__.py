"""Several hosts as one JAX program: how they join, and the order in which they run what a client asks."""
