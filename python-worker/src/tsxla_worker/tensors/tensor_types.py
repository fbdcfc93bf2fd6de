"""Element types and tensor types.

One row of `ELEMENT_TYPES` is all that the worker knows of an element type: its number on the wire, its name in
StableHLO and its numpy dtype.
Not here: the bytes of elements (`tensor_bytes.py`), how checkpoints name their types (`checkpoints/`).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import jax
import ml_dtypes
import numpy as np
from jaxtyping import Shaped

from tsxla_worker.contract.errors import invalid
from tsxla_worker.contract.generated import pb


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


def type_of(array: Shaped[jax.Array | np.ndarray, "..."]) -> TensorType:
    """Returns the type of an array."""
    return tensor_type(_BY_DTYPE[np.dtype(array.dtype)].number, tuple(array.shape))


_BY_DTYPE = {element.dtype: element for element in ELEMENT_TYPES}
