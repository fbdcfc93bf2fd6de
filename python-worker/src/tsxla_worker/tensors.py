"""Element types, tensor types, and the way between bytes and arrays.

One row of `ELEMENT_TYPES` is all that the worker knows of an element type: its number on the wire, its name in
StableHLO and its numpy dtype. On the wire an element is little-endian and takes whole bytes, so 4-bit types and
booleans take one byte each.
Not here: how checkpoints name their types (`checkpoints/`).
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import jax
import ml_dtypes
import numpy as np
from jaxtyping import Shaped

from tsxla_worker import spread
from tsxla_worker.errors import invalid
from tsxla_worker.stubs import pb

if sys.byteorder != "little":
    raise ImportError("tsxla's worker runs on little-endian machines only: tensors travel in the machine's byte order.")


@dataclass(frozen=True)
class ElementType:
    """One kind of element.

    Attributes:
        number: Its value in the proto's enum.
        name: Its name in StableHLO.
        dtype: What numpy and JAX call it.
        bytes: The size of an element on the wire and in numpy.
    """

    number: int
    name: str
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        """The size of an element."""
        return self.dtype.itemsize


ELEMENT_TYPES = tuple(
    ElementType(number, name, np.dtype(dtype))
    for number, name, dtype in (
        (pb.ELEMENT_TYPE_BOOL, "i1", np.bool_),
        (pb.ELEMENT_TYPE_I8, "i8", np.int8),
        (pb.ELEMENT_TYPE_I16, "i16", np.int16),
        (pb.ELEMENT_TYPE_I32, "i32", np.int32),
        (pb.ELEMENT_TYPE_I64, "i64", np.int64),
        (pb.ELEMENT_TYPE_U8, "ui8", np.uint8),
        (pb.ELEMENT_TYPE_U16, "ui16", np.uint16),
        (pb.ELEMENT_TYPE_U32, "ui32", np.uint32),
        (pb.ELEMENT_TYPE_U64, "ui64", np.uint64),
        (pb.ELEMENT_TYPE_F16, "f16", np.float16),
        (pb.ELEMENT_TYPE_BF16, "bf16", ml_dtypes.bfloat16),
        (pb.ELEMENT_TYPE_F32, "f32", np.float32),
        (pb.ELEMENT_TYPE_F64, "f64", np.float64),
        (pb.ELEMENT_TYPE_F8E5M2, "f8E5M2", ml_dtypes.float8_e5m2),
        (pb.ELEMENT_TYPE_F8E4M3FN, "f8E4M3FN", ml_dtypes.float8_e4m3fn),
        (pb.ELEMENT_TYPE_F8E8M0FNU, "f8E8M0FNU", ml_dtypes.float8_e8m0fnu),
        (pb.ELEMENT_TYPE_F4E2M1FN, "f4E2M1FN", ml_dtypes.float4_e2m1fn),
        (pb.ELEMENT_TYPE_I4, "i4", ml_dtypes.int4),
        (pb.ELEMENT_TYPE_U4, "ui4", ml_dtypes.uint4),
    )
)
BY_NUMBER = {element.number: element for element in ELEMENT_TYPES}
BY_NAME = {element.name: element for element in ELEMENT_TYPES}

# The bytes an element may have, where not every byte is one: what XLA makes of others is undefined.
_LEGAL_BYTES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "i1": lambda raw: raw <= 1,
    "f4E2M1FN": lambda raw: raw <= 15,
    "ui4": lambda raw: raw <= 15,
    "i4": lambda raw: (raw <= 15) | (raw >= 0xF8),  # with or without the sign in the upper half
}


@dataclass(frozen=True)
class TensorType:
    """An element type and a shape, outermost first."""

    element: ElementType
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """The size on the wire."""
        return self.size * self.element.bytes

    def __str__(self) -> str:
        return f"{self.element.name}[{', '.join(map(str, self.shape))}]"

    def to_proto(self) -> pb.TensorType:
        """Returns the type as it travels."""
        return _to_proto(self)


@lru_cache(maxsize=4096)
def _to_proto(kind: TensorType) -> pb.TensorType:
    return pb.TensorType(element_type=pb.ElementType.Name(kind.element.number), shape=kind.shape)


@lru_cache(maxsize=4096)
def tensor_type(number: int, shape: tuple[int, ...]) -> TensorType:
    """Makes a type of what travelled; refuses unknown elements and negative sizes.

    Equal types are mostly one object, which makes comparing hundreds of them in every step cheap.
    """
    element = BY_NUMBER.get(number)
    if element is None:
        raise invalid("TENSOR_INVALID", f"{number} is not an element type.", found=number)
    if any(size < 0 for size in shape):
        raise invalid("TENSOR_INVALID", f"The shape {list(shape)} has a negative size.", found=list(shape))
    return TensorType(element, shape)


def from_proto(message: pb.TensorType) -> TensorType:
    """Reads a type; an absent one is refused."""
    return tensor_type(int(message.element_type), tuple(message.shape))


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
    array = spread.whole(array)
    if jax.process_index() > 0:
        return b""
    host = np.array(array, copy=True) if keep else np.asarray(array)
    if host.dtype == ml_dtypes.int4:
        host = host.astype(np.int8)  # XLA leaves the upper half of the byte empty; on the wire it is the sign
    return host.tobytes()


def type_of(array: Shaped[jax.Array | np.ndarray, "..."]) -> TensorType:
    """Returns the type of an array."""
    return tensor_type(_BY_DTYPE[np.dtype(array.dtype)].number, tuple(array.shape))


_BY_DTYPE = {element.dtype: element for element in ELEMENT_TYPES}
