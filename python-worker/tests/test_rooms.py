"""The worker's sub-packages: which may import which, how large they are, and that no modules import each other in a circle.

Example run: npm run pytest -- python-worker/tests/test_rooms.py
"""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

_PACKAGE = "tsxla_worker"
_SOURCES = Path(__file__).parents[1] / "src" / _PACKAGE
_MODULES_LIMIT = 25
_LINES_LIMIT = 400

ARROWS: dict[str, set[str]] = {
    "contract": set(),
    "machine": {"contract"},
    "tensors": {"contract"},
    "measuring": {"contract", "machine"},
    # The one door to JAX's private parts, and a module of its own.
    "jax_private": {"tensors"},
    "hosts": {"contract", "machine", "jax_private"},
    "programs": {"contract", "tensors", "jax_private"},
    "saved_executables": {"contract", "jax_private", "programs"},
    "executables": {"contract", "machine", "tensors", "measuring", "jax_private", "programs", "saved_executables"},
    "running": {"contract", "tensors", "executables"},
    "checkpoints": {"contract", "machine", "tensors", "executables", "running"},
    "serving": {
        "contract",
        "machine",
        "tensors",
        "measuring",
        "jax_private",
        "hosts",
        "programs",
        "saved_executables",
        "executables",
        "running",
        "checkpoints",
    },
    "__main__": {"machine", "hosts", "serving"},
}
"""By sub-package, the sub-packages that its modules may import. `tsxla_worker` itself holds the version, for all."""

type Imports = dict[str, set[str]]
"""By module, the modules that it imports; both by their names below `tsxla_worker`."""


def module_name(file: Path) -> str:
    parts = file.relative_to(_SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, modules: set[str]) -> set[str]:
    """Every import of the package in a source: also for types alone, and inside of functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _PACKAGE:
            base = (node.module or "").removeprefix(_PACKAGE).removeprefix(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".removeprefix(".")
                found.add(inner if inner in modules else base)
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] == _PACKAGE]
            found |= {name.removeprefix(_PACKAGE).removeprefix(".") for name in names}
    return found


def all_imports() -> Imports:
    files = {module_name(file): file for file in _SOURCES.rglob("*.py")}
    return {name: imports_of(file.read_text(encoding="utf-8"), set(files)) for name, file in files.items()}


def room(module: str) -> str:
    return module.partition(".")[0]


def forbidden(imports: Imports) -> list[str]:
    """The imports for which there is no arrow."""
    return sorted(
        f"{module} imports {target}: no arrow leads from {room(module)} to {room(target)}"
        for module, targets in imports.items()
        for target in targets
        if room(target) not in {"", room(module)} and room(target) not in ARROWS.get(room(module), set())
    )


def circle(imports: Imports) -> list[str]:
    """Modules that import each other; none when there is no circle. A package's own file comes before its modules."""
    graph = {module: targets | {module.rpartition(".")[0]} - {module} for module, targets in imports.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_each_sub_package_imports_only_those_that_its_arrows_name() -> None:
    assert forbidden(all_imports()) == []


def test_each_sub_package_stands_in_the_table_and_each_arrow_is_used() -> None:
    imports = all_imports()
    used: dict[str, set[str]] = {room(module): set() for module in imports if module}
    for module, targets in imports.items():
        if module:
            used[room(module)] |= {room(target) for target in targets} - {"", room(module)}
    assert used == ARROWS


def test_arrows_between_sub_packages_go_one_way() -> None:
    TopologicalSorter(ARROWS).prepare()


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(all_imports()) == []


def test_a_package_has_at_most_25_modules() -> None:
    folders = [_SOURCES, *(file.parent for file in _SOURCES.rglob("__init__.py"))]
    counts = {folder.name: len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in counts.items() if count > _MODULES_LIMIT} == {}


def test_a_module_has_at_most_400_lines() -> None:
    lengths = {module_name(file): len(file.read_text(encoding="utf-8").splitlines()) for file in _SOURCES.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > _LINES_LIMIT} == {}


def test_the_readme_lists_every_module_beside_its_sub_package() -> None:
    listed: set[str] = set()
    here = ""
    for line in (_SOURCES.parents[1] / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and line.count("|") == 4:
            package, files, _ = (cell.strip() for cell in line.strip("|").split("|"))
            here = "" if package == "---" else package.strip("`/") or here
            listed |= {f"{here}.{name}".removeprefix(".") for name in re.findall(r"`(\w+)\.py`", files)}
    files = [file for file in _SOURCES.rglob("*.py") if file.name != "__init__.py"]
    assert listed == {module_name(file) for file in files}


@pytest.mark.parametrize(
    "source",
    [
        "from tsxla_worker.serving.worker import Worker",
        "from tsxla_worker.serving import worker",
        "import tsxla_worker.serving.worker",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tsxla_worker.serving.worker import Worker",
        "def late():\n    from tsxla_worker.serving import worker",
    ],
)
def test_an_import_against_the_arrows_is_found_wherever_it_stands(source: str) -> None:
    imports = all_imports()
    imports["measuring.metrics"] |= imports_of(source, set(imports))
    assert forbidden(imports) == ["measuring.metrics imports serving.worker: no arrow leads from measuring to serving"]
    assert {"measuring.metrics", "serving.worker"} <= set(circle(imports))
