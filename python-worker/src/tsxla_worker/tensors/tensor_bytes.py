"""The way between an array and its bytes.

On the wire an element is little-endian and takes whole bytes, so a 4-bit number and a boolean take one byte each.
"""

import sys
from collections.abc import Callable

import jax
import ml_dtypes
import numpy as np
from jaxtyping import Shaped

from tsxla_worker.contract.errors import invalid
from tsxla_worker.tensors import across_hosts
from tsxla_worker.tensors.tensor_types import TensorType

if sys.byteorder != "little":
    raise ImportError("tsxla's worker runs on little-endian machines only: tensors travel in the machine's byte order.")

# The bytes an element may have, where not every byte is one: what XLA makes of others is undefined.
_LEGAL_BYTES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "i1": lambda raw: raw <= 1,
    "f4E2M1FN": lambda raw: raw <= 15,
    "ui4": lambda raw: raw <= 15,
    "i4": lambda raw: (raw <= 15) | (raw >= 0xF8),  # with or without the sign in the upper half
}


def decode(data: bytes | bytearray, kind: TensorType) -> Shaped[np.ndarray, "..."]:
    """Makes an array of bytes without copying them; refuses bytes that don't fit the type."""
    if len(data) != kind.bytes:
        raise invalid(
            "TENSOR_INVALID",
            f"A tensor of type {kind} takes {kind.bytes} bytes, but {len(data)} came.",
            found=len(data),
            wanted=kind.bytes,
        )
    raw = np.frombuffer(data, np.uint8)
    check_bytes(raw, kind)
    return raw.view(kind.element.dtype).reshape(kind.shape)


def check_bytes(raw: Shaped[np.ndarray, " bytes"], kind: TensorType) -> None:
    """Refuses bytes that are no element of the type: a boolean of 2, a 4-bit number of 16."""
    legal = _LEGAL_BYTES.get(kind.element.name)
    if legal is None or not raw.size:
        return
    good = legal(raw)
    if not good.all():
        at = int(np.argmin(good))
        raise invalid(
            "TENSOR_INVALID",
            f"Element {at} of a tensor of type {kind} has the byte {int(raw[at])}, which is no {kind.element.name}.",
            found=int(raw[at]),
            index=at,
        )


def encode(array: Shaped[jax.Array | np.ndarray, "..."], *, keep: bool = True) -> bytes:
    """Copies an array's elements to bytes, row-major.

    With `keep`, nothing goes on referring to a device buffer: a view that numpy holds would turn a later donation of
    the buffer into a copy. In a group host 0 gives the bytes; the others help to bring them there.
    """
    array = across_hosts.whole(array)
    if jax.process_index() > 0:
        return b""
    host = np.array(array, copy=True) if keep else np.asarray(array)
    if host.dtype == ml_dtypes.int4:
        host = host.astype(np.int8)  # XLA leaves the upper half of the byte empty; on the wire it is the sign
    return host.tobytes()
