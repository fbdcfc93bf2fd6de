"""StableHLO text: parsing, verification, printing, and what `@main` takes and gives.

A module is refused here, before anything is compiled or allocated, when it does not parse or verify, lacks `@main`, or
takes and gives types that the worker can't place.
Not here: what is valid and yet refused (`safety.py`), places in the front end's source (`source_locations.py`),
compiling (`executables/registry.py`), running by the reference interpreter (`executables/reference_interpreter.py`).
"""

import re
from dataclasses import dataclass

from jaxlib.mlir import ir
from jaxlib.mlir.dialects import func

from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.jax_private import make_context
from tsxla_worker.programs import safety, shardings, source_locations, text_limits
from tsxla_worker.programs.shardings import Placement
from tsxla_worker.tensors.tensor_types import BY_NAME, TensorType, tensor_type


@dataclass(frozen=True)
class Parameter:
    """An argument of `@main`.

    Attributes:
        type: Its type.
        name: The name that its location gives, else `argN`.
        donated: Whether a run consumes it.
        aliases: The result that takes its memory, when the module says which.
    """

    type: TensorType
    name: str
    donated: bool = False
    aliases: int | None = None


@dataclass(frozen=True)
class Program:
    """A verified module and its signature."""

    module: ir.Module
    name: str
    parameters: tuple[Parameter, ...]
    results: tuple[TensorType, ...]
    placement: Placement | None = None


def parse(text: str) -> ir.Module:
    """Parses a text, which verifies it; fails with MODULE_INVALID and the place."""
    text_limits.check(text)
    context = make_context()
    try:
        module = ir.Module.parse(text, context)
    except ir.MLIRError as error:
        raise _from_diagnostics(error, text) from error
    return module


def print_module(module: ir.Module, *, with_locations: bool) -> str:
    """Prints a module as MLIR does, constants in full."""
    text = str(module.operation.get_asm(enable_debug_info=with_locations))
    return text if text.endswith("\n") else text + "\n"


def program(text: str) -> Program:
    """Parses a text and reads the signature of `@main`."""
    module = parse(text)
    main = _main(module)
    results = tuple(_tensor_type(kind, f"Result {i} of @main") for i, kind in enumerate(main.type.results))
    parameters = _parameters(main, results)
    taken = [parameter.aliases for parameter in parameters if parameter.aliases is not None]
    if len(set(taken)) != len(taken):
        raise _refused("Two arguments of @main name the same result in `tf.aliasing_output`.")
    safety.check(module, main)
    return Program(module, _name(module), parameters, results, shardings.read(module, main))


def _name(module: ir.Module) -> str:
    """Returns the module's name as a word; `module` where it has none."""
    attributes = module.operation.attributes
    given = ir.StringAttr(attributes["sym_name"]).value if "sym_name" in attributes else ""
    return re.sub(r"\W", "_", given, flags=re.ASCII) or "module"


def _main(module: ir.Module) -> func.FuncOp:
    symbols = ir.SymbolTable(module.operation)
    main = symbols["main"] if "main" in symbols else None  # noqa: SIM401 (a symbol table has no get)
    if not isinstance(main, func.FuncOp):
        raise _refused("The module has no function @main.")
    if main.is_external:
        raise _refused("@main has no body.")
    if "sym_visibility" in main.attributes and ir.StringAttr(main.attributes["sym_visibility"]).value != "public":
        raise _refused("@main is not public.")
    return main


def _parameters(main: func.FuncOp, results: tuple[TensorType, ...]) -> tuple[Parameter, ...]:
    # Every look at a function's type makes all of it anew: once for all arguments.
    attributes = ir.ArrayAttr(main.attributes["arg_attrs"]) if "arg_attrs" in main.attributes else None
    return tuple(
        _parameter(
            index,
            _tensor_type(argument.type, f"Argument {index} of @main"),
            source_locations.name_of(argument.location) or f"arg{index}",
            {} if attributes is None else _by_name(attributes[index]),
            results,
        )
        for index, argument in enumerate(list(main.arguments))
    )


def _by_name(attributes: ir.Attribute) -> dict[str, ir.Attribute]:
    return {entry.name: entry.attr for entry in ir.DictAttr(attributes)}


def _parameter(
    index: int, kind: TensorType, name: str, attributes: dict[str, ir.Attribute], results: tuple[TensorType, ...]
) -> Parameter:
    if "tf.aliasing_output" in attributes:
        target = ir.IntegerAttr(attributes["tf.aliasing_output"]).value
        if not 0 <= target < len(results) or results[target] != kind:
            found = results[target] if 0 <= target < len(results) else "no result"
            raise _refused(
                f"Argument {index} of @main ({name}, {kind}) is to become result {target}, which is {found}.",
                index=index,
                found=found,
                wanted=kind,
            )
        return Parameter(kind, name, donated=True, aliases=target)
    return Parameter(kind, name, donated="jax.buffer_donor" in attributes)


def _tensor_type(kind: ir.Type, what: str) -> TensorType:
    if isinstance(kind, ir.RankedTensorType) and kind.has_static_shape:
        element = BY_NAME.get(str(kind.element_type))
        if element is not None:
            return tensor_type(element.number, tuple(kind.shape))
    raise _refused(f"{what} has the type {kind}; the worker takes tensors with static shapes and known elements.")


def _from_diagnostics(error: ir.MLIRError, text: str) -> WorkerError:
    diagnostics = list(error.error_diagnostics)
    if not diagnostics:
        return _refused(f"The module is not valid: {error}")
    first = diagnostics[0]
    place = source_locations.find(first.location, text)
    notes = "".join(f"; {note.message}" for note in first.notes)
    return _refused(f"The module is not valid{place}: {first.message}{notes}.", **place.metadata())


def _refused(message: str, **metadata: object) -> WorkerError:
    return invalid("MODULE_INVALID", message, **metadata)
