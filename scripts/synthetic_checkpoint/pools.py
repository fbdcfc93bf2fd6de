"""Random numbers, made once, from which tensors are cut."""

import hashlib
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synthetic_checkpoint.fills import BLOCK, Bytes, Codes, Normal, Scales, scale_bytes, to_bf16
from synthetic_checkpoint.tensors import EMBEDDING, Tensor

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


class Pools:
    """Random numbers made once, and tensors cut from them.

    A tensor is cut in chunks of whole rows. Each chunk begins at another place of a row, so that two rows are the same
    only in tensors with more chunks than a row has units: in some of the 120B's experts.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def chunks(self, tensor: Tensor) -> Iterator[Bytes]:
        """The tensor's bytes in order, as safetensors holds them."""
        for span in self._spans(tensor):
            match tensor.fill:
                case Normal() as fill:
                    pool = self._vectors if tensor.key == EMBEDDING else self._normal
                    yield to_bf16(pool[span], fill)
                case Codes():
                    yield self._codes[span]
                case Scales():
                    yield scale_bytes(tensor.fill.deviation)[self._levels[span]]

    def ggml_chunks(self, codes: Tensor, scales: Tensor, rows: slice) -> Iterator[Bytes]:
        """The same blocks as GGML holds them, each with its scale before it; `rows` picks among those of a chunk."""
        table = scale_bytes(scales.fill.deviation) if isinstance(scales.fill, Scales) else np.empty(0, np.uint8)
        _, columns = scales.rows
        for span, levels in zip(self._spans(codes), self._spans(scales), strict=True):
            chosen = self._ggml_codes[span].reshape(-1, columns, BLOCK // 2)[rows]
            packed = np.empty((*chosen.shape[:-1], 1 + BLOCK // 2), np.uint8)
            packed[..., 0] = table[self._levels[levels].reshape(-1, columns)[rows]]
            packed[..., 1:] = chosen
            yield packed

    def _spans(self, tensor: Tensor) -> Iterator[slice]:
        """Places in a pool for one chunk after the other; chunks have an even number of rows."""
        rows, width = tensor.rows
        step = 2 * max(1, CHUNK // (2 * width))
        random = self._random(tensor.key)
        places = random.permutation(width)
        for number, first in enumerate(range(0, rows, step)):
            length = min(step, rows - first) * width
            place = int(places[number % width])
            start = place + width * int(random.integers((POOL - length - place) // width + 1))
            yield slice(start, start + length)

    def _random(self, name: str) -> np.random.Generator:
        return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{self._seed}/{name}".encode()).digest()))

    @cached_property
    def _normal(self) -> NDArray[np.float32]:
        return self._random("normal").standard_normal(POOL, np.float32)

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """The embedding's own: a row of a matrix that is some token's vector too would answer it alone."""
        return self._random("vectors").standard_normal(POOL, np.float32)

    @cached_property
    def _codes(self) -> Bytes:
        return self._random("codes").integers(0, 256, (POOL, BLOCK // 2), np.uint8)

    @cached_property
    def _levels(self) -> Bytes:
        return self._random("levels").integers(0, 256, POOL, np.uint8)

    @cached_property
    def _ggml_codes(self) -> Bytes:
        """`_codes` with elements 0 … 15 in the low nibbles and 16 … 31 in the high ones."""
        low, high = self._codes[:, : BLOCK // 4], self._codes[:, BLOCK // 4 :]
        packed = np.empty_like(self._codes)
        packed[:, 0::2] = low & 15 | high << 4
        packed[:, 1::2] = low >> 4 | high & 240
        return packed


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

POOL = 1 << 21
"""Units in a pool: 8 MB of normal numbers, 32 MB of blocks."""
CHUNK = 1 << 18
"""Units cut at once."""
