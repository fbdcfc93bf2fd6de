"""Which part of a stored tensor this host reads: what its own devices get of it, and no more than that takes.

A part is a box, in every dimension a range. Runs of a box that lie apart in the file are read one by one; where runs
would be short the box is widened to whole rows, since a read of a few bytes costs as much as one of a page.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import numpy as np
from jax.sharding import Sharding
from jaxtyping import Shaped

from tsxla_worker.checkpoints.checkpoint import StoredTensor
from tsxla_worker.tensors.tensor_types import TensorType

_SHORTEST_RUN = 4 << 10


@dataclass(frozen=True)
class Part:
    """A box of a tensor.

    Attributes:
        tensor: The tensor.
        start: Where it begins in each dimension of the tensor's type.
        stop: Where it ends.
    """

    tensor: StoredTensor
    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def type(self) -> TensorType:
        """The type of what is read."""
        return TensorType(self.tensor.type.element, _sizes(self.start, self.stop))

    @property
    def bytes(self) -> int:
        """The bytes that are read."""
        return self.type.bytes

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the tensor."""
        return self.type.shape == self.tensor.type.shape

    def runs(self) -> Iterator[tuple[int, int]]:
        """Gives the pieces of the file that it is made of, in order: offset in the tensor, and bytes."""
        shape = self.tensor.type.shape
        at = _last_cut(self.type.shape, shape)
        item = self.tensor.type.element.bytes
        steps = [math.prod(shape[n + 1 :]) * item for n in range(len(shape))]
        size = math.prod(self.type.shape[at:]) * item
        for outer in itertools.product(*(range(*pair) for pair in zip(self.start[:at], self.stop[:at], strict=True))):
            place = (*outer, *self.start[at : at + 1])
            yield sum(n * step for n, step in zip(place, steps, strict=False)), size

    def within(self, index: tuple[slice, ...]) -> tuple[slice, ...]:
        """Says where in the part an index of the whole tensor lies."""
        return tuple(
            slice((of.start or 0) - start, (size if of.stop is None else of.stop) - start)
            for of, start, size in zip(index, self.start, self.tensor.type.shape, strict=True)
        )


def whole(tensor: StoredTensor) -> Part:
    """All of a tensor."""
    return Part(tensor, (0,) * len(tensor.type.shape), tensor.type.shape)


def wanted(tensor: StoredTensor, sharding: Sharding | None) -> Part:
    """Finds what this host's devices need of a tensor that a program takes so; without a sharding, everything."""
    if sharding is None:
        return whole(tensor)
    shape = tensor.type.shape
    indices = list(sharding.addressable_devices_indices_map(shape).values())
    boxes = [[of.indices(size)[:2] for of, size in zip(index or (), shape, strict=True)] for index in indices]
    start = [min(box[n][0] for box in boxes) for n in range(len(shape))]
    stop = [max(box[n][1] for box in boxes) for n in range(len(shape))]
    while (at := _last_cut(_sizes(start, stop), shape)) > 0:
        if math.prod(_sizes(start, stop)[at:]) * tensor.type.element.bytes >= _SHORTEST_RUN:
            break
        start[at], stop[at] = 0, shape[at]
    return Part(tensor, tuple(start), tuple(stop))


def spread(part: Part, data: Shaped[np.ndarray, "..."], sharding: Sharding) -> jax.Array:
    """Makes the array of a whole tensor of the parts that all hosts have read of it."""
    return jax.make_array_from_callback(
        part.tensor.type.shape, sharding, lambda index: data[part.within(index or ())], dtype=data.dtype
    )


def _last_cut(sizes: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """The innermost dimension that a box has not all of; 0 without one."""
    return max((n for n, (found, all_) in enumerate(zip(sizes, shape, strict=True)) if found < all_), default=0)


def _sizes(start: tuple[int, ...] | list[int], stop: tuple[int, ...] | list[int]) -> tuple[int, ...]:
    return tuple(end - begin for begin, end in zip(start, stop, strict=True))
