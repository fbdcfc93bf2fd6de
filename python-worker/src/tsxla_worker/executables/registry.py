"""Compiled programs: made once per text, kept for the worker's lifetime, run with the device to themselves.

XLA is reached through `jax.export` and `jax.jit`, ahead of time: calling the compiled object costs as little as a
jitted function's fast path, and it tells its memory.
Not here: which result takes which argument's memory (`donation.py`), the reference interpreter
(`reference_interpreter.py`), argument checks (`running/execution.py`).
"""

import contextlib
import hashlib
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jax
import numpy as np
from jax.experimental.layout import Format
from jax.sharding import NamedSharding

from tsxla_worker import jax_private
from tsxla_worker.contract.errors import clip, internal, invalid, not_found
from tsxla_worker.contract.generated import pb
from tsxla_worker.executables import layouts, reference_interpreter
from tsxla_worker.executables.donation import CallOrder, Run, call_order
from tsxla_worker.machine import memory
from tsxla_worker.machine.logs import Logs
from tsxla_worker.measuring.metrics import Metrics
from tsxla_worker.measuring.profile_names import Compiled
from tsxla_worker.programs import modules, shardings
from tsxla_worker.programs.modules import Parameter, Program
from tsxla_worker.programs.shardings import Placement
from tsxla_worker.saved_executables import compatibility
from tsxla_worker.saved_executables.file_format import Saved
from tsxla_worker.tensors import across_hosts
from tsxla_worker.tensors.tensor_types import TensorType

# A program that allocates less than this is run without asking how much memory there is.
_SMALL_BYTES = 256 << 20


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


class Executables:
    """All compiled programs of the worker."""

    def __init__(self, logs: Logs, metrics: Metrics) -> None:
        self._logs = logs
        self._metrics = metrics
        self._by_id: dict[str, Executable] = {}
        self._compiling: dict[str, threading.Lock] = {}
        self._registry = threading.Lock()
        # JAX's events name no compilation, so one at a time: an event within it is about it.
        self._compiler = threading.Lock()
        self._cache_hits = 0
        self._reference = reference_interpreter.Reference()
        jax.monitoring.register_event_listener(self._on_event)

    def close(self) -> None:
        """Ends what runs outside of this process."""
        self._reference.close()

    def get(self, id_: str) -> Executable:
        """Returns a program by its handle."""
        found = self._by_id.get(id_)
        if found is None:
            elsewhere = (
                " It may be for devices that are not here: it can be saved, and not be run." if id_[:2] == "a-" else ""
            )
            raise not_found("EXECUTABLE_NOT_FOUND", f"There is no executable {id_!r}.{elsewhere}", executable_id=id_)
        return found

    def count(self) -> int:
        """Returns how many programs are kept."""
        return len(self._by_id)

    def compiled_of(self, module: str) -> Compiled | None:
        """Returns the program that a profile calls `module`."""
        found = next((each for each in list(self._by_id.values()) if f"jit_{each.name}" == module), None)
        if found is None:
            return None
        order = call_order(found.parameters, found.results).arguments
        return Compiled(found.optimized(), [found.parameters[i].name for i in order])

    def compile(self, text: str, engine: int) -> tuple[Executable, bool]:
        """Compiles a text, or returns what an earlier call made of it; and whether it did the latter."""
        engine = engine or pb.ENGINE_XLA
        digest = hashlib.sha256(f"{engine}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()
        id_ = f"x-{digest[:24]}"
        with self._registry:
            lock = self._compiling.setdefault(id_, threading.Lock())
        with lock:
            known = self._by_id.get(id_)
            if known is not None:
                self._metrics.compiled("memory")
                return known, True
            start = time.perf_counter()
            made = (
                self._interpreted(id_, text, start)
                if engine == pb.ENGINE_REFERENCE
                else self._compiled(id_, text, start)
            )
            self._by_id[id_] = made
        self._metrics.compiled("cache" if made.from_cache else "xla", made.seconds)
        self._logs.info(
            "compiled",
            id=id_,
            seconds=round(made.seconds, 3),
            from_cache=made.from_cache,
            scratch_bytes=made.sizes.scratch,
        )
        return made, False

    def save(self, id_: str) -> Saved:
        """Makes of a program what a file holds; fails with EXECUTABLE_NOT_SAVABLE where its engine can't."""
        found = self.get(id_)
        if found.serialized is None:
            message = "The reference interpreter compiles nothing that could be saved; XLA does."
            raise invalid("EXECUTABLE_NOT_SAVABLE", message, executable_id=id_)
        program = modules.program(found.text)
        try:
            if found.from_cache:
                # What comes from the persistent cache can't be saved again (`jax_private.serialize`).
                found = self._compiled(id_, found.text, time.perf_counter(), how=jax_private.without_cache())
            payload = found.serialized() if found.serialized else b""
        except Exception as error:
            message = f"XLA does not serialise what it compiled for {jax_private.platform()}: {clip(str(error), 500)}"
            raise internal("EXECUTABLE_NOT_SAVABLE", message, executable_id=id_) from error
        return Saved(compatibility.describe(program, found.text, jax.devices(), ()), found.text, payload)

    def load(self, saved: Saved, digest: str) -> tuple[Executable, bool]:
        """Takes an executable that was saved, or returns what an earlier call made of the same file; and which."""
        id_ = f"l-{digest[:24]}"
        with self._registry:
            lock = self._compiling.setdefault(id_, threading.Lock())
        with lock:
            known = self._by_id.get(id_)
            if known is not None:
                return known, True
            start = time.perf_counter()
            compatibility.check(saved.header)
            program = modules.program(saved.text)
            compatibility.check_program(saved.header, compatibility.describe(program, saved.text, jax.devices(), ()))
            how = jax_private.instead_of_compiling(saved.payload)
            made = self._compiled(id_, saved.text, start, how=how, saved=saved)
            self._by_id[id_] = made
        self._metrics.compiled("file", made.seconds)
        self._logs.info("loaded_executable", id=id_, seconds=round(made.seconds, 3))
        return made, False

    def _interpreted(self, id_: str, text: str, start: float) -> Executable:
        program = modules.program(text)
        kinds = [parameter.type for parameter in program.parameters]
        return Executable(
            id_,
            program.name,
            program.parameters,
            program.results,
            frozenset(),
            run=lambda arguments: [
                jax.device_put(result, may_alias=False)
                for result in self._reference.run(text, across_hosts.local(arguments), kinds, program.results)
            ],
            sizes=Sizes(
                sum(kind.bytes for kind in kinds),
                sum(kind.bytes for kind in program.results),
            ),
            seconds=time.perf_counter() - start,
        )

    def _compiled(
        self,
        id_: str,
        text: str,
        start: float,
        *,
        how: contextlib.AbstractContextManager[None] | None = None,
        saved: Saved | None = None,
    ) -> Executable:
        program = modules.program(text)
        order = call_order(program.parameters, program.results)
        kinds = [program.parameters[i].type for i in order.arguments]
        placed = _placed(program.placement)
        orders = None if saved is None else layouts.formats(saved.header["layouts"], placed and placed.arguments)
        donated = [place for place, i in enumerate(order.arguments) if program.parameters[i].donated]
        # Programs of one name, such as prefills of several sizes, have different ones in a profile. It is part of
        # the key of the persistent cache, which a line that moved must not spoil.
        plain = modules.print_module(program.module, with_locations=False)
        name = f"{program.name}_{hashlib.sha256(plain.encode()).hexdigest()[:8]}"
        with self._compiler, warnings.catch_warnings(), how or contextlib.nullcontext():
            # JAX warns of donated arguments that no result can take; the module's author asked for that.
            warnings.simplefilter("ignore")
            hits = self._cache_hits
            try:
                function = jax_private.as_function(
                    program.module,
                    [parameter.type for parameter in program.parameters],
                    program.results,
                    1 if program.placement is None else program.placement.devices,
                )
                compiled = (
                    jax.jit(
                        _named(order.wrap(function), name),
                        donate_argnums=donated,
                        keep_unused=True,
                        out_shardings=_result_places(program, order, placed, orders),
                    )
                    .lower(
                        *(
                            jax.ShapeDtypeStruct(
                                kind.shape,
                                kind.element.dtype,
                                sharding=orders[i] if orders else placed and placed.arguments[i],
                            )
                            for i, kind in zip(order.arguments, kinds, strict=True)
                        )
                    )
                    .compile()
                )
            except Exception as error:
                if saved is not None:
                    message = f"XLA did not take the executable: {clip(str(error), 1000)} Compile it again."
                    raise internal("EXECUTABLE_REFUSED", message) from error
                raise internal("COMPILE_FAILED", f"XLA did not compile the module: {clip(str(error), 1500)}") from error
            from_cache = self._cache_hits > hits
        sizes = sizes_of(compiled)
        seconds = time.perf_counter() - start
        return Executable(
            id_,
            name,
            program.parameters,
            program.results,
            frozenset(i for i, parameter in enumerate(program.parameters) if parameter.donated),
            run=_guarded(layouts.ordered(_moving(order.unwrap(compiled), placed), orders), sizes),
            placed=placed,
            sizes=sizes,
            seconds=seconds,
            from_cache=from_cache,
            optimized=lambda: compiled.as_text() or "",
            text=text,
            serialized=lambda: jax_private.serialize(compiled) if saved is None else saved.payload,
        )

    def _on_event(self, event: str, **_: object) -> None:
        if event == "/jax/compilation_cache/cache_hits":
            self._cache_hits += 1


def _placed(placement: Placement | None) -> Placed | None:
    if placement is None:
        return None
    devices = jax.devices()
    if jax.process_count() > 1 and placement.devices < len(devices):
        raise invalid(
            "DEVICES_MISSING",
            f"The module is for {placement.devices} devices; the group has {len(devices)}, and runs modules for all of "
            "them or for one.",
            found=len(devices),
            wanted=placement.devices,
        )
    mesh = placement.mesh(devices)
    return Placed(
        shardings.on_mesh(mesh, placement.arguments),
        shardings.on_mesh(mesh, placement.results),
    )


def _result_places(
    program: Program, order: CallOrder, placed: Placed | None, orders: Sequence[Format] | None
) -> tuple[Format | NamedSharding | None, ...] | None:
    """Where results go, in the order of the call; one that takes an argument's memory lies as that argument does."""
    if placed is None and orders is None:
        return None
    plain = [None] * len(program.results) if placed is None else placed.results
    taken = {each.aliases: orders[i] for i, each in enumerate(program.parameters)} if orders else {}
    return tuple(taken.get(i) or plain[i] for i in order.results)


def _moving(run: Run, placed: Placed | None) -> Run:
    """Brings arguments that lie elsewhere to where the program wants them."""
    if jax.process_count() > 1:
        if placed is None:
            return lambda arguments: run(across_hosts.local(arguments))
        return lambda arguments: run(
            [across_hosts.placed(each, wanted) for each, wanted in zip(arguments, placed.arguments, strict=True)]
        )
    if placed is None:
        return run

    def moving(arguments: Sequence[jax.Array | np.ndarray]) -> Sequence[jax.Array]:
        return run(
            [
                each if isinstance(each, np.ndarray) or each.sharding == wanted else jax.device_put(each, wanted)
                for each, wanted in zip(arguments, placed.arguments, strict=True)
            ]
        )

    return moving


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


def sizes_of(compiled: jax.stages.Compiled) -> Sizes:
    """Returns what the compiler says of a program's memory, per device."""
    stats = compiled.memory_analysis()
    if stats is None:
        return Sizes()
    return Sizes(
        stats.argument_size_in_bytes, stats.output_size_in_bytes, stats.alias_size_in_bytes, stats.temp_size_in_bytes
    )
