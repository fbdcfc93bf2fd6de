"""Host memory that XLA on CPU takes over without a copy: it asks for 64-byte alignment."""

import grpc
import numpy as np

from tsxla_worker.contract.errors import WorkerError
from tsxla_worker.machine import memory

ALIGNMENT = 64
# Less than this is allocated without asking how much there is, which takes a tenth of a millisecond.
_SMALL = 64 << 20


def allocate(size: int) -> np.ndarray:
    """Returns that many bytes, aligned; refuses what the machine does not have, since allocation itself never fails."""
    available = memory.available_bytes() if size > _SMALL else None
    if available is not None and size > available:
        message = f"{size} bytes of host memory are needed; {available} are available."
        raise WorkerError(grpc.StatusCode.RESOURCE_EXHAUSTED, "MEMORY_EXHAUSTED", message, wanted=size, found=available)
    raw = np.empty(size + ALIGNMENT, np.uint8)
    begin = -raw.ctypes.data % ALIGNMENT
    return raw[begin : begin + size]


def padded(size: int) -> int:
    """Rounds a size up, so that what follows is aligned."""
    return -(-size // ALIGNMENT) * ALIGNMENT
