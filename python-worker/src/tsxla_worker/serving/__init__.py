"""The gRPC server around a worker: addresses, tokens, calls, and the streams of requests."""
