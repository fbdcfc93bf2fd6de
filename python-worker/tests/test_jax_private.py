"""python -m pytest python-worker/tests/test_jax_private.py. What the worker changes in JAX, and when."""

import subprocess
import sys

import pytest
from jax._src import compiler

from processes import ENVIRONMENT
from tsxla_worker import jax_private
from tsxla_worker.serving.worker import Worker

_IMPORTS_ALL = """
import pkgutil
from importlib import import_module
from jax._src import compiler
import tsxla_worker
before = compiler.compile_or_get_cached
for module in pkgutil.walk_packages(tsxla_worker.__path__, "tsxla_worker."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
assert compiler.compile_or_get_cached is before
from tsxla_worker import jax_private
jax_private.intercept_compilation()
first = compiler.compile_or_get_cached
jax_private.intercept_compilation()
assert compiler.compile_or_get_cached is first is not before
"""


def test_importing_the_worker_leaves_jax_as_it_is_until_it_is_asked_to_intercept() -> None:
    subprocess.run([sys.executable, "-c", _IMPORTS_ALL], check=True, env=ENVIRONMENT, timeout=120)


def test_a_worker_that_starts_intercepts_compilation(running: Worker) -> None:
    assert running.executables
    assert compiler.compile_or_get_cached is jax_private._compile  # pyright: ignore[reportPrivateUsage]


def test_a_compilation_that_would_not_be_changed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "compile_or_get_cached", jax_private._compile_or_get_cached)  # pyright: ignore[reportPrivateUsage]
    for change in (jax_private.without_cache(), jax_private.instead_of_compiling(b"")):
        with pytest.raises(RuntimeError, match=r"Call intercept_compilation\(\) when the process starts"), change:
            pass
