"""Everything that tsxla takes from JAX's private parts, so that a new JAX means a look at one file.

Checked against jax 0.12.0.1. Six things are not public:

- an MLIR context with the dialects that JAX registers, and the serialisation that keeps Shardy attributes;
- the fields of `jax.export.Exported` that begin with an underscore: it is how a module that JAX did not trace becomes
  a function for `jax.jit`;
- replacing the persistent cache's store by ours (`executables/compile_cache.py`);
- the store of keys and values that the hosts of a group share;
- who writes to the persistent cache: JAX leaves that to host 0;
- where JAX compiles, so that a saved executable stands in for what XLA would make, and that one which is to be saved
  does not come from the cache. JAX's public `serialize_executable` pickles, and a pickle runs what is in it.
"""

import contextlib
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol, cast

import jax
import jax.core
from jax import export
from jax._src import compilation_cache, compiler, distributed
from jax._src.export._export import _module_to_bytecode  # pyright: ignore[reportPrivateUsage]
from jax._src.interpreters.mlir import _create_ir_context  # pyright: ignore[reportPrivateUsage]
from jaxlib.mlir import ir

from tsxla_worker.tensors.tensor_types import TensorType

type Device = Any
"""One of JAX's devices, whose class has no public name that a type checker takes."""


class CacheStore(Protocol):
    """What JAX asks of the store behind its compile cache."""

    def get(self, key: str) -> bytes | None:
        """Returns an entry, or None."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Keeps an entry."""
        ...


class GroupStore(Protocol):
    """Keys and values that all hosts of a group see."""

    def key_value_set(self, key: str, value: str) -> None:
        """Sets a key, once."""
        ...

    def blocking_key_value_get(self, key: str, timeout_in_ms: int) -> str:
        """Waits for a key's value."""
        ...


def group_store() -> GroupStore:
    """Returns the store of the group that `jax.distributed.initialize` has joined."""
    client = distributed.global_state.client
    assert client is not None
    return cast("GroupStore", client)


def make_context() -> ir.Context:
    """Makes an MLIR context that knows StableHLO, CHLO, Shardy and func."""
    return _create_ir_context()


def as_function(
    module: ir.Module,
    arguments: Sequence[TensorType],
    results: Sequence[TensorType],
    devices: int = 1,
    target: str | None = None,
) -> Callable[..., Sequence[jax.Array]]:
    """Makes a function that JAX can compile of a module with a public `@main`.

    Args:
        module: The module.
        arguments: The types of what `@main` takes.
        results: The types of what it gives.
        devices: For how many devices it is.
        target: `tpu` or `cuda`, when it is compiled for devices that are not here.
    """
    in_avals = tuple(jax.core.ShapedArray(kind.shape, kind.element.dtype) for kind in arguments)
    out_avals = tuple(jax.core.ShapedArray(kind.shape, kind.element.dtype) for kind in results)
    unsharded_in, unsharded_out = (None,) * len(in_avals), (None,) * len(out_avals)
    exported = export.Exported(
        fun_name="main",
        in_tree=jax.tree.structure((in_avals, {})),
        in_avals=in_avals,
        out_tree=jax.tree.structure(out_avals),
        out_avals=out_avals,
        _in_named_shardings=unsharded_in,
        _out_named_shardings=unsharded_out,
        in_shardings_hlo=unsharded_in,
        out_shardings_hlo=unsharded_out,
        nr_devices=devices,
        platforms=(target or platform(),),
        ordered_effects=(),
        unordered_effects=(),
        disabled_safety_checks=(),
        mlir_module_serialized=_module_to_bytecode(module),
        calling_convention_version=export.maximum_supported_calling_convention_version,
        module_kept_var_idx=tuple(range(len(in_avals))),
        uses_global_constants=False,
        _get_vjp=None,
    )
    return cast("Callable[..., Sequence[jax.Array]]", exported.call)


def platform() -> str:
    """Returns `cpu`, `cuda` or `tpu`: the devices that programs are compiled for."""
    backend = jax.default_backend()
    return "cuda" if backend == "gpu" else backend


def write_cache_on_every_host() -> None:
    """Lets every host of a group keep what it compiles.

    JAX lets host 0 alone write, since hosts would write one file on a shared disk. On CPUs the key of an entry is each
    host's own (it holds the topology as the host sees it), so the others would compile anew at every start; and our
    store can be written by many at once.
    """

    def write(key: str, seconds: float, module: str, backend: object, executable: object) -> None:
        try:
            compilation_cache.put_executable_and_time(key, module, executable, backend, int(seconds))  # type: ignore[arg-type]
        except Exception as error:
            warnings.warn(f"{module} was not kept in the compile cache: {error}", stacklevel=1)

    compiler._cache_write = write  # pyright: ignore[reportPrivateUsage]


def serialize(compiled: jax.stages.Compiled) -> bytes:
    """Returns XLA's own serialisation of a program; raises where the compiler has none.

    On a CPU it is whole only for what this process compiled: XLA serialises what it took from a file, such as an entry
    of the compile cache, without its functions.
    """
    return cast("bytes", cast("Any", compiled.runtime_executable()).serialize())


@contextlib.contextmanager
def instead_of_compiling(payload: bytes) -> Generator[None]:
    """Takes what `serialize` returned for what this thread compiles within the block."""

    def take(backend: Any, _module: object, places: object, options: object, _callbacks: object) -> object:
        _this_thread.stand_in = None
        return backend.deserialize_executable(payload, places, options)

    with _standing_in(take):
        yield
        if getattr(_this_thread, "stand_in", None) is not None:
            raise RuntimeError("JAX compiled nothing that the executable could stand for.")


@contextlib.contextmanager
def without_cache() -> Generator[None]:
    """Compiles what this thread compiles within the block, whatever the persistent cache holds."""
    with _standing_in(compiler.backend_compile_and_load):
        yield


@contextlib.contextmanager
def _standing_in(compile_: Callable[..., object]) -> Generator[None]:
    if compiler.compile_or_get_cached is not _compile:
        raise RuntimeError("JAX's own compilation is in place. Call intercept_compilation() when the process starts.")
    _this_thread.stand_in = compile_
    try:
        yield
    finally:
        _this_thread.stand_in = None


_this_thread = threading.local()
_compile_or_get_cached = compiler.compile_or_get_cached


def intercept_compilation() -> None:
    """Replaces JAX's compilation by one that a `with` block here can change; call it before anything is compiled.

    JAX's own still does the work outside of such blocks. A second call changes nothing.
    """
    compiler.compile_or_get_cached = _compile


def _compile(*given: Any, **named: Any) -> Any:
    stand_in = getattr(_this_thread, "stand_in", None)
    if stand_in is None:
        return _compile_or_get_cached(*given, **named)
    backend, module, _, options, callbacks, places, *_ = given
    return stand_in(backend, module, places, options, callbacks)


def use_cache_store(store: CacheStore, folder: str) -> None:
    """Puts a store behind JAX's compile cache; call it before anything is compiled."""
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    compilation_cache._cache = store  # pyright: ignore[reportPrivateUsage]
    compilation_cache._cache_initialized = True  # pyright: ignore[reportPrivateUsage]
