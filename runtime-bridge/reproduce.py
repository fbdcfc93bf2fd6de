"""Runs what failed again, without tsxla: `python reproduce.py`, in the folder that holds this file.

Needs jax and numpy, in the versions that bundle.json names, or near ones. Prints what happens and whether it is what
happened before. Exit codes: 0 it is, 1 it is not, 2 something is missing (a file that is referred to, a package).

Options: --program FILE runs another text with the same arguments, such as an edited program.mlir.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Reproduces and tells."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--program", type=Path, help="run this text in place of the one that failed")
    given = parser.parse_args()
    bundle = json.loads((HERE / "bundle.json").read_text(encoding="utf-8"))
    print(f"expected   {bundle['error']['message']}")
    made = bundle["made"]
    print(f"made with  jax {made['jax']}, jaxlib {made['jaxlib']}, on {made['platform']}; {versions()}")
    text = (given.program or HERE / bundle["program"]).read_text(encoding="utf-8")
    if bundle["kind"] == "compile":
        return reproduce_compilation(text, bundle)
    return reproduce_numbers(text, bundle, edited=given.program is not None)


def reproduce_compilation(text: str, bundle: Any) -> int:
    """Compiles, and expects an error."""
    try:
        compiled(text)
    except Exception as error:
        print(f"found      {type(error).__name__}: {error}")
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        same = first[:60] in bundle["error"]["message"] or type(error).__name__ in bundle["error"]["message"]
        print("reproduced: the compiler refuses it" + ("" if same else ", in other words"))
        return 0
    print("found      it compiles\nnot reproduced")
    return 1


def reproduce_numbers(text: str, bundle: Any, *, edited: bool) -> int:
    """Runs, and expects results that are no numbers."""
    loads = [loaded(load) for load in bundle["loads"]]
    arguments = [argument(each["from"], each, loads) for each in bundle["arguments"]]
    for each, value in zip(bundle["arguments"], arguments, strict=True):
        if count := not_finite(value):
            print(f"argument   {each['name']}: {count} of {value.size} are no numbers")
    results = compiled(text)(*arguments)
    wrong = {
        each["name"]: not_finite(value)
        for each, value in zip(bundle["results"], results, strict=True)
        if not_finite(value)
    }
    for name, count in wrong.items():
        print(f"result     {name}: {count} are no numbers")
    if "traced" in bundle and not edited:
        values = compiled((HERE / bundle["traced"]["program"]).read_text(encoding="utf-8"))(*arguments)
        for each in bundle["traced"]["activations"]:
            if count := not_finite(values[each["result"]]):
                print(f"first      {each['name']} ({each['at']}): {count} are no numbers")
                break
    expected = set(bundle["error"]["results"])
    if expected & set(wrong):
        print("reproduced")
        return 0
    print(f"found      numbers in {', '.join(sorted(expected))}\nnot reproduced")
    return 1


def compiled(text: str) -> Any:
    """Makes a function of StableHLO text, as tsxla's worker does: there is no public way in JAX."""
    import jax
    import jax.core
    from jax import export
    from jax._src.export._export import _module_to_bytecode
    from jax._src.interpreters.mlir import _create_ir_context
    from jaxlib.mlir import ir

    jax.config.update("jax_enable_x64", True)
    module = ir.Module.parse(text, _create_ir_context())
    main = ir.SymbolTable(module.operation)["main"]
    taken = tuple(aval(kind) for kind in main.type.inputs)
    given = tuple(aval(kind) for kind in main.type.results)
    backend = jax.default_backend()
    exported = export.Exported(
        fun_name="main",
        in_tree=jax.tree.structure((taken, {})),
        in_avals=taken,
        out_tree=jax.tree.structure(given),
        out_avals=given,
        _in_named_shardings=(None,) * len(taken),
        _out_named_shardings=(None,) * len(given),
        in_shardings_hlo=(None,) * len(taken),
        out_shardings_hlo=(None,) * len(given),
        nr_devices=1,
        platforms=("cuda" if backend == "gpu" else backend,),
        ordered_effects=(),
        unordered_effects=(),
        disabled_safety_checks=(),
        mlir_module_serialized=_module_to_bytecode(module),
        calling_convention_version=export.maximum_supported_calling_convention_version,
        module_kept_var_idx=tuple(range(len(taken))),
        uses_global_constants=False,
        _get_vjp=None,
    )
    return jax.jit(exported.call, keep_unused=True).lower(*taken).compile()


def aval(kind: Any) -> Any:
    """The type of an argument or a result, for JAX."""
    import jax.core

    return jax.core.ShapedArray(tuple(kind.shape), dtype(NAMES.get(str(kind.element_type), str(kind.element_type))))


def dtype(name: str) -> Any:
    """Numpy's type for tsxla's name of it."""
    import ml_dtypes
    import numpy as np

    plain = {"bool": "bool", "f16": "float16", "f32": "float32", "f64": "float64", "bf16": "bfloat16"}
    if name in plain and name != "bf16":
        return np.dtype(plain[name])
    if name[0] in "iu" and int(name[1:]) >= 8:
        return np.dtype(("int" if name[0] == "i" else "uint") + name[1:])
    packed = {"i4": "int4", "u4": "uint4", "f8e5m2": "float8_e5m2", "f8e4m3fn": "float8_e4m3fn"}
    packed |= {"f8e8m0fnu": "float8_e8m0fnu", "f4e2m1fn": "float4_e2m1fn", "bf16": "bfloat16"}
    return np.dtype(getattr(ml_dtypes, packed[name]))


NAMES = {
    "i1": "bool",
    **{f"ui{bits}": f"u{bits}" for bits in (4, 8, 16, 32, 64)},
    "f8E5M2": "f8e5m2",
    "f8E4M3FN": "f8e4m3fn",
    "f8E8M0FNU": "f8e8m0fnu",
    "f4E2M1FN": "f4e2m1fn",
}


def loaded(load: Any) -> Any:
    """A weight, made of its checkpoint's tensors as it was made before."""
    given = [argument(each["from"], each, []) for each in load["arguments"]]
    program = (HERE / load["program"]).read_text(encoding="utf-8")
    known = PROGRAMS.get(program)
    if known is None:
        known = PROGRAMS[program] = compiled(program)
    return known(*given)


PROGRAMS: dict[str, Any] = {}


def argument(source: Any, kind: Any, loads: list[Any]) -> Any:
    """An argument: from a file of the bundle, from a file of the checkpoint, or of a program that loads it."""
    if "load" in source:
        return loads[source["load"]][source["result"]]
    import numpy as np

    path = HERE / source["file"]
    if "tensor" in source:
        offset, size = place(path, source["tensor"])
    else:
        offset, size = source["offset"], source["bytes"]
    try:
        data = np.fromfile(path, np.uint8, size, offset=offset)
    except OSError as error:
        print(f"{path} is referred to and can't be read: {error.strerror or error}", file=sys.stderr)
        raise SystemExit(2) from error
    if data.size != size:
        print(f"{path} is shorter than it was: {offset + size} bytes are wanted.", file=sys.stderr)
        raise SystemExit(2)
    return data.view(dtype(kind["dtype"])).reshape(kind["shape"])


def place(path: Path, name: str) -> tuple[int, int]:
    """Where a tensor of a safetensors file lies, and how many bytes it has."""
    if path not in HEADERS:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            HEADERS[path] = {"": 8 + length} | json.loads(file.read(length))
    begin, end = HEADERS[path][name]["data_offsets"]
    return HEADERS[path][""] + begin, end - begin


HEADERS: dict[Path, Any] = {}


def not_finite(value: Any) -> int:
    """How many elements are NaN or infinite."""
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind in "biu" or "int" in array.dtype.name:
        return 0
    return int(array.size - np.isfinite(array.astype(np.float64)).sum())


def versions() -> str:
    """What runs here."""
    try:
        import jax
        import jaxlib
    except ImportError as error:
        print(f"jax is missing here: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    return f"here jax {jax.__version__}, jaxlib {jaxlib.__version__}, on {jax.default_backend()}"


if __name__ == "__main__":
    sys.exit(main())
