"""Random numbers and stored numbers that are the same bits on every machine: what the random checkpoints are made of.

Needs numpy only. Words come from Philox by counter, keyed by a name, so a tensor's bits depend on its name and nothing
else. Dtypes go by the names of the safetensors format.
"""

import hashlib
import math
from typing import Any, Literal

import numpy as np

type Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
type Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
type Array = np.ndarray[tuple[int, ...], np.dtype[Any]]
type Dtype = Literal["F32", "BF16", "F16", "U8"]


def raw_bits(name: str, count: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """`count` random words for a name: Philox by counter, keyed by the name's hash; no distribution code involved."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    return np.random.Philox(key=key).random_raw(count)


def uniform(name: str, shape: tuple[int, ...]) -> Floats:
    """Numbers in [-1, 1) with 24 bits each, all exact in f32."""
    bits = raw_bits(name, math.prod(shape)) >> np.uint64(40)
    return (bits.astype(np.float32) * np.float32(2.0**-23) - np.float32(1.0)).reshape(shape)


def round_to(values: Floats, dtype: Dtype) -> Floats:
    """The nearest values that `dtype` holds, ties to even, still as f32."""
    if dtype == "F16":
        return values.astype(np.float16).astype(np.float32)
    if dtype == "BF16":
        bits = values.view(np.uint32)
        rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
        return rounded.view(np.float32)
    return values


def to_bytes(values: Array, dtype: Dtype) -> bytes:
    """The stored form; `values` are already exact in `dtype`."""
    if dtype == "U8":
        return values.astype(np.uint8).tobytes()
    if dtype == "F16":
        return values.astype("<f2").tobytes()
    if dtype == "BF16":
        return (np.ascontiguousarray(values, np.float32).view(np.uint32) >> np.uint32(16)).astype("<u2").tobytes()
    return values.astype("<f4").tobytes()
