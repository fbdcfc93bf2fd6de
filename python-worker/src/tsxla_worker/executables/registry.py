"""Compiled programs: made once per text, kept for the worker's lifetime, run with the device to themselves.

Not here: compiling (`xla_compiler.py`), the reference interpreter (`reference_interpreter.py`), argument checks
(`running/execution.py`).
"""

import hashlib
import threading
import time

import jax

from tsxla_worker import jax_private
from tsxla_worker.contract.errors import clip, internal, invalid, not_found
from tsxla_worker.contract.generated import pb
from tsxla_worker.executables import reference_interpreter
from tsxla_worker.executables.donation import call_order
from tsxla_worker.executables.executable import Executable, Sizes
from tsxla_worker.executables.xla_compiler import XlaCompiler
from tsxla_worker.machine.logs import Logs
from tsxla_worker.measuring.metrics import Metrics
from tsxla_worker.measuring.profile_names import OptimizedModule
from tsxla_worker.programs import modules
from tsxla_worker.saved_executables import compatibility
from tsxla_worker.saved_executables.file_format import Saved
from tsxla_worker.tensors import across_hosts


class Executables:
    """All compiled programs of the worker."""

    def __init__(self, logs: Logs, metrics: Metrics) -> None:
        self._logs = logs
        self._metrics = metrics
        self._by_id: dict[str, Executable] = {}
        self._compiling: dict[str, threading.Lock] = {}
        self._registry = threading.Lock()
        self._compiler = XlaCompiler()
        self._reference = reference_interpreter.Reference()

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

    def optimized_module(self, module: str) -> OptimizedModule | None:
        """Returns what XLA made of the program that a profile calls `module`."""
        found = next((each for each in list(self._by_id.values()) if f"jit_{each.name}" == module), None)
        if found is None:
            return None
        order = call_order(found.parameters, found.results).arguments
        return OptimizedModule(found.optimized(), [found.parameters[i].name for i in order])

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
                else self._compiler.compile(id_, text, start)
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
                found = self._compiler.compile(id_, found.text, time.perf_counter(), how=jax_private.without_cache())
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
            made = self._compiler.compile(id_, saved.text, start, how=how, saved=saved)
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
