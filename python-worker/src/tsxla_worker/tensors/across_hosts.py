"""Arrays that lie on the devices of several hosts: bringing them where they are wanted, and reading them.

A host sees its own part of such an array only. What moves it is a program over all devices, which every host must run:
it happens inside of launches (`hosts/launch_order.py`) alone.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec, Sharding
from jaxtyping import Shaped

type Value = Shaped[jax.Array | np.ndarray, "..."]


def is_local(array: Value) -> bool:
    """Whether this host can read all of an array."""
    return isinstance(array, np.ndarray) or array.is_fully_addressable or array.is_fully_replicated


def whole(array: Value) -> Value:
    """Makes an array that this host can read of one that is split over hosts."""
    if isinstance(array, np.ndarray) or is_local(array):
        return array
    sharding = array.sharding
    if not isinstance(sharding, NamedSharding):
        raise TypeError(f"An array over several hosts has the sharding {sharding}.")
    return _mover(NamedSharding(sharding.mesh, PartitionSpec()))(array)


def placed(array: Value, wanted: Sharding) -> Value:
    """Brings an array to where a program over all hosts wants it."""
    if isinstance(array, np.ndarray) or array.sharding == wanted:
        return array
    if array.is_fully_addressable:
        # Every host has all of it: its program takes the part that is wanted of host memory.
        return np.asarray(array)
    return _mover(wanted)(array)


def local(arrays: Sequence[Value]) -> list[Value]:
    """Brings arrays to where a program of one device takes them: each host runs it for itself."""
    return [array if isinstance(array, np.ndarray) or array.is_fully_addressable else _read(array) for array in arrays]


def _read(array: jax.Array) -> np.ndarray:
    return np.asarray(whole(array))


@lru_cache(maxsize=4096)
def _mover(wanted: Sharding) -> Callable[[jax.Array], jax.Array]:
    return jax.jit(lambda array: array, out_shardings=wanted)
