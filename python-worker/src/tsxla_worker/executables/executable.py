"""A program that can be run: what it takes and gives, where its arguments lie, and the memory it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jax
import numpy as np
from jax.sharding import NamedSharding

from tsxla_worker.programs.modules import Parameter
from tsxla_worker.tensors.tensor_types import TensorType

type Run = Callable[[Sequence[jax.Array | np.ndarray]], Sequence[jax.Array]]


@dataclass(frozen=True)
class Sizes:
    """Bytes per device, as the compiler says."""

    arguments: int = 0
    results: int = 0
    aliased: int = 0
    scratch: int = 0

    @property
    def allocated(self) -> int:
        """What a run allocates."""
        return self.results - self.aliased + self.scratch


@dataclass(frozen=True)
class Placed:
    """Where arguments and results lie on the devices."""

    arguments: Sequence[NamedSharding]
    results: Sequence[NamedSharding]


@dataclass(frozen=True)
class Executable:
    """A program that can be run.

    Attributes:
        id: Its handle.
        name: What profiles call it: the module's name, and what tells it from others of that name.
        parameters: What it takes.
        results: What it gives.
        donated: The indices of the arguments that a run consumes.
        run: Runs it; the caller has checked the arguments and holds the device.
        placed: Where arguments and results lie, when that is a mesh.
        sizes: What it needs.
        seconds: How long it took to make.
        from_cache: Whether the persistent cache held it.
        optimized: Prints the optimised module.
        text: The program's text.
        serialized: XLA's own serialisation; None for what XLA did not make.
    """

    id: str
    name: str
    parameters: tuple[Parameter, ...]
    results: tuple[TensorType, ...]
    donated: frozenset[int]
    run: Run = field(repr=False)
    placed: Placed | None = field(default=None, repr=False)
    sizes: Sizes = field(default_factory=Sizes)
    seconds: float = 0.0
    from_cache: bool = False
    optimized: Callable[[], str] = field(default=lambda: "", repr=False)
    text: str = field(default="", repr=False)
    serialized: Callable[[], bytes] | None = field(default=None, repr=False)


def sizes_of(compiled: jax.stages.Compiled) -> Sizes:
    """Returns what the compiler says of a program's memory, per device."""
    stats = compiled.memory_analysis()
    if stats is None:
        return Sizes()
    return Sizes(
        stats.argument_size_in_bytes, stats.output_size_in_bytes, stats.alias_size_in_bytes, stats.temp_size_in_bytes
    )
