"""Which result takes which donated argument's memory.

JAX pairs donated arguments with results of the same type, first come, first served. A module may want other pairs
(`tf.aliasing_output`); XLA would then copy whole caches. Such a module is compiled and called with its arguments and
results in an order in which JAX's pairs are the module's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from tsxla_worker.executables.executable import Run
from tsxla_worker.programs.modules import Parameter
from tsxla_worker.tensors.tensor_types import TensorType


@dataclass(frozen=True)
class CallOrder:
    """The order in which JAX sees arguments and results, by their places in the module."""

    arguments: tuple[int, ...]
    results: tuple[int, ...]

    @property
    def plain(self) -> bool:
        """Whether it is the module's own order."""
        return self.arguments == tuple(range(len(self.arguments))) and self.results == tuple(range(len(self.results)))

    def wrap(self, function: Callable[..., Sequence[jax.Array]]) -> Callable[..., Sequence[jax.Array]]:
        """Makes a function of permuted arguments to permuted results."""
        if self.plain:
            return function
        place = {i: at for at, i in enumerate(self.arguments)}

        def permuted(*arguments: jax.Array) -> tuple[jax.Array, ...]:
            results = function(*(arguments[place[i]] for i in range(len(arguments))))
            return tuple(results[i] for i in self.results)

        return permuted

    def unwrap(self, compiled: Callable[..., Sequence[jax.Array]]) -> Run:
        """Undoes `wrap` around a call."""
        if self.plain:
            return lambda arguments: compiled(*arguments)
        back = [self.results.index(i) for i in range(len(self.results))]

        def run(arguments: Sequence[jax.Array | np.ndarray]) -> list[jax.Array]:
            results = compiled(*[arguments[i] for i in self.arguments])
            return [results[i] for i in back]

        return run


def call_order(parameters: Sequence[Parameter], results: Sequence[TensorType]) -> CallOrder:
    """Finds an order in which JAX's pairing (by type, first come first served) is the module's.

    Results that take an argument's memory come first, and their arguments in the same order; other donated arguments
    follow, so that no result takes them before its own.
    """
    arguments, outputs = tuple(range(len(parameters))), tuple(range(len(results)))
    pairs = sorted((parameter.aliases, i) for i, parameter in enumerate(parameters) if parameter.aliases is not None)
    if not pairs or _pairs_as_jax(parameters, results) == {argument: result for result, argument in pairs}:
        return CallOrder(arguments, outputs)
    first_arguments, first_results = [i for _, i in pairs], [i for i, _ in pairs]
    return CallOrder(
        (*first_arguments, *(i for i in arguments if i not in set(first_arguments))),
        (*first_results, *(i for i in outputs if i not in set(first_results))),
    )


def _pairs_as_jax(parameters: Sequence[Parameter], results: Sequence[TensorType]) -> dict[int, int]:
    waiting: dict[TensorType, list[int]] = {}
    for i, parameter in enumerate(parameters):
        if parameter.donated:
            waiting.setdefault(parameter.type, []).append(i)
    pairs: dict[int, int] = {}
    for i, kind in enumerate(results):
        if waiting.get(kind):
            pairs[waiting[kind].pop(0)] = i
    return pairs
