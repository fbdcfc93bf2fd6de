"""Compiles programs by XLA for the devices of this worker, one at a time.

XLA is reached through `jax.export` and `jax.jit`, ahead of time: calling the compiled object costs as little as a
jitted function's fast path, and it tells its memory.
Not here: which result takes which argument's memory (`donation.py`), devices of another machine (`ahead_of_time.py`).
"""

import contextlib
import hashlib
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jax.experimental.layout import Format

from tsxla_worker import jax_private
from tsxla_worker.contract.errors import WorkerError, clip, internal
from tsxla_worker.executables import argument_places, layouts
from tsxla_worker.executables.donation import CallOrder, call_order
from tsxla_worker.executables.executable import Executable, Placed, Run, Sizes, sizes_of
from tsxla_worker.machine import memory
from tsxla_worker.programs import modules
from tsxla_worker.programs.modules import Program
from tsxla_worker.saved_executables.file_format import Saved

# A program that allocates less than this is run without asking how much memory there is.
_SMALL_BYTES = 256 << 20


@dataclass(frozen=True)
class _Call:
    """How JAX sees a program.

    Attributes:
        program: The program.
        order: The order of its arguments and results.
        placed: Where they lie, when that is a mesh.
        formats: The place and memory order of each argument, where a saved executable wants others than the defaults.
    """

    program: Program
    order: CallOrder
    placed: Placed | None
    formats: Sequence[Format] | None

    @property
    def donated(self) -> list[int]:
        """The places of the arguments that a run consumes, in the order of the call."""
        return [place for place, i in enumerate(self.order.arguments) if self.program.parameters[i].donated]

    def arguments(self) -> list[jax.ShapeDtypeStruct]:
        """Describes the arguments, in the order of the call."""
        return [self._argument(i) for i in self.order.arguments]

    def _argument(self, i: int) -> jax.ShapeDtypeStruct:
        kind = self.program.parameters[i].type
        place = self.formats[i] if self.formats else self.placed and self.placed.arguments[i]
        return jax.ShapeDtypeStruct(kind.shape, kind.element.dtype, sharding=place)


class XlaCompiler:
    """Compiles programs for the devices of this worker."""

    def __init__(self) -> None:
        # JAX's events name no compilation, so one at a time: an event within it is about it.
        self._lock = threading.Lock()
        self._cache_hits = 0
        jax.monitoring.register_event_listener(self._on_event)

    def compile(
        self,
        id_: str,
        text: str,
        start: float,
        *,
        how: contextlib.AbstractContextManager[None] | None = None,
        saved: Saved | None = None,
    ) -> Executable:
        """Makes an executable of a text.

        Args:
            id_: Its handle.
            text: The program's text.
            start: When the request began, by `time.perf_counter`.
            how: What changes the compilation: `jax_private.instead_of_compiling` or `jax_private.without_cache`.
            saved: The file whose payload stands in for what XLA would make.
        """
        program = modules.program(text)
        call = _call(program, saved)
        name = _profile_name(program)
        with self._lock, warnings.catch_warnings(), how or contextlib.nullcontext():
            # JAX warns of donated arguments that no result can take; the module's author asked for that.
            warnings.simplefilter("ignore")
            hits = self._cache_hits
            try:
                compiled = _lower(call, name).compile()
            except Exception as error:
                raise _failed(error, is_loading=saved is not None) from error
            from_cache = self._cache_hits > hits
        sizes = sizes_of(compiled)
        return Executable(
            id_,
            name,
            program.parameters,
            program.results,
            frozenset(i for i, parameter in enumerate(program.parameters) if parameter.donated),
            run=_run(call, compiled, sizes),
            placed=call.placed,
            sizes=sizes,
            seconds=time.perf_counter() - start,
            from_cache=from_cache,
            optimized=lambda: compiled.as_text() or "",
            text=text,
            serialized=lambda: jax_private.serialize(compiled) if saved is None else saved.payload,
        )

    def _on_event(self, event: str, **_: object) -> None:
        if event == "/jax/compilation_cache/cache_hits":
            self._cache_hits += 1


def _call(program: Program, saved: Saved | None) -> _Call:
    placed = argument_places.on_devices(program.placement)
    formats = None if saved is None else layouts.formats(saved.header["layouts"], placed and placed.arguments)
    return _Call(program, call_order(program.parameters, program.results), placed, formats)


def _profile_name(program: Program) -> str:
    """Returns the name that a profile shows; programs of one name, such as prefills of several sizes, have several.

    It is part of the key of the persistent cache. A line of the source that moved must not change it.
    """
    plain = modules.print_module(program.module, with_locations=False)
    return f"{program.name}_{hashlib.sha256(plain.encode()).hexdigest()[:8]}"


def _lower(call: _Call, name: str) -> jax.stages.Lowered:
    program = call.program
    function = jax_private.as_function(
        program.module,
        [parameter.type for parameter in program.parameters],
        program.results,
        1 if program.placement is None else program.placement.devices,
    )
    jitted = jax.jit(
        _named(call.order.wrap(function), name),
        donate_argnums=call.donated,
        keep_unused=True,
        out_shardings=argument_places.of_results(program, call.order, call.placed, call.formats),
    )
    return jitted.lower(*call.arguments())


def _failed(error: Exception, *, is_loading: bool) -> WorkerError:
    if is_loading:
        message = f"XLA did not take the executable: {clip(str(error), 1000)} Compile it again."
        return internal("EXECUTABLE_REFUSED", message)
    return internal("COMPILE_FAILED", f"XLA did not compile the module: {clip(str(error), 1500)}")


def _run(call: _Call, compiled: jax.stages.Compiled, sizes: Sizes) -> Run:
    """Makes of a compiled program what takes the module's arguments, wherever they lie."""
    moving = argument_places.moving_arguments(call.order.unwrap(compiled), call.placed)
    return _guarded(layouts.ordered(moving, call.formats), sizes)


def _named(function: Callable[..., Sequence[jax.Array]], name: str) -> Callable[..., Sequence[jax.Array]]:
    """Makes the same function under the name that JAX gives the compiled module."""

    def named(*arguments: jax.Array) -> Sequence[jax.Array]:
        return function(*arguments)

    named.__name__ = named.__qualname__ = name
    return named


def _guarded(run: Run, sizes: Sizes) -> Run:
    """Refuses a run for which the host has no memory: allocation there succeeds, and the system kills the worker."""
    if sizes.allocated < _SMALL_BYTES or jax_private.platform() != "cpu":
        return run

    def guarded(arguments: Sequence[jax.Array | np.ndarray]) -> Sequence[jax.Array]:
        available = memory.available_bytes()
        if available is not None and sizes.allocated > available:
            raise internal(
                "EXECUTION_FAILED",
                f"The program needs {sizes.allocated} bytes for results and scratch; {available} are available.",
                wanted=sizes.allocated,
                found=available,
            )
        return run(arguments)

    return guarded
