"""tsxla's worker: owns devices, compiles StableHLO text, places tensors and runs programs, over gRPC.

It knows no models, tokens or chats. `python -m tsxla_worker` starts it; the contract is
`proto/tsxla/worker/v1/worker.proto`. Nothing is imported here, because XLA reads its flags when JAX is imported:
`__main__` sets them first.
"""

__version__ = "0.1.0"
