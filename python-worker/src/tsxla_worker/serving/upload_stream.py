"""A tensor that a client sends in pieces: the first message names its type, and all carry bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tsxla_worker.contract.errors import invalid
from tsxla_worker.contract.generated import pb
from tsxla_worker.machine import aligned_memory
from tsxla_worker.tensors.tensor_bytes import check_bytes
from tsxla_worker.tensors.tensor_types import TensorType, from_proto


@dataclass(frozen=True)
class Upload:
    """A tensor that has come whole, and the launch that it belongs to."""

    array: np.ndarray
    type: TensorType
    launch: int


def receive(requests: Iterator[pb.UploadRequest]) -> Upload:
    """Joins the pieces; refuses with TENSOR_INVALID bytes that do not fit the type."""
    kind: TensorType | None = None
    raw = np.empty(0, np.uint8)
    filled = launch = 0
    for request in requests:
        if kind is None:
            kind, launch = from_proto(request.type), request.launch
            raw = aligned_memory.allocate(kind.bytes)
        if filled + len(request.data) > kind.bytes:
            message = f"A tensor of type {kind} takes {kind.bytes} bytes; more came."
            raise invalid("TENSOR_INVALID", message, found=filled + len(request.data), wanted=kind.bytes)
        raw[filled : filled + len(request.data)] = np.frombuffer(request.data, np.uint8)
        filled += len(request.data)
    if kind is None:
        raise invalid("TENSOR_INVALID", "The stream ended before a type came.")
    if filled != kind.bytes:
        message = f"A tensor of type {kind} takes {kind.bytes} bytes; {filled} came."
        raise invalid("TENSOR_INVALID", message, found=filled, wanted=kind.bytes)
    check_bytes(raw, kind)
    return Upload(raw.view(kind.element.dtype).reshape(kind.shape), kind, launch)
