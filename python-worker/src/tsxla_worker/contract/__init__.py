"""What the worker and its clients agree on: the generated gRPC code, and the error that a call answers with."""
