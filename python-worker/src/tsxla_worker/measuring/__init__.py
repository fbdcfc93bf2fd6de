"""What the worker counts for Prometheus and records for profiles."""
