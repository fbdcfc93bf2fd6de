"""Where a module's arguments and results lie, as its Shardy attributes say.

A module names at most one mesh, `sdy.mesh @mesh`; `sdy.sharding` on an argument or a result of `@main` says over which
of its axes each dimension is split. What has none lies whole on every device. The partitioner decides the rest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import func, sdy

from tsxla_worker.contract.errors import invalid
from tsxla_worker.jax_private import Device

type Split = tuple[tuple[str, ...], ...]
"""For each dimension the axes of the mesh over which it is split."""


@dataclass(frozen=True)
class Placement:
    """A mesh, and where arguments and results lie on it.

    Attributes:
        axes: The mesh's axes, outermost first, with their sizes.
        arguments: How each argument of `@main` is split.
        results: How each result is split.
    """

    axes: tuple[tuple[str, int], ...]
    arguments: tuple[Split, ...]
    results: tuple[Split, ...]

    @property
    def devices(self) -> int:
        """How many devices the mesh has."""
        return math.prod(size for _, size in self.axes)

    def mesh(self, devices: Sequence[Device]) -> jax.sharding.Mesh:
        """Arranges the first devices as the mesh; refuses when there are too few."""
        if len(devices) < self.devices:
            raise invalid(
                "DEVICES_MISSING",
                f"The module is for {self.devices} devices; the worker has {len(devices)}.",
                found=len(devices),
                wanted=self.devices,
            )
        names, sizes = zip(*self.axes, strict=True)
        grid = np.array(devices[: self.devices], dtype=object).reshape(sizes)
        return jax.sharding.Mesh(grid, names, axis_types=(AxisType.Auto,) * len(names))


def on_mesh(mesh: jax.sharding.Mesh, splits: Sequence[Split]) -> list[NamedSharding]:
    """The shardings of tensors on a mesh."""
    return [NamedSharding(mesh, PartitionSpec(*split)) for split in splits]


def read(module: ir.Module, main: func.FuncOp) -> Placement | None:
    """Reads the mesh and the shardings of `@main`; None for a module of one device."""
    meshes = [operation for operation in module.body.operations if isinstance(operation, sdy.MeshOp)]
    if not meshes:
        return None
    if len(meshes) > 1:
        raise invalid("MODULE_INVALID", f"The module names {len(meshes)} meshes; one is wanted.", found=len(meshes))
    axes = tuple(_axis(axis) for axis in sdy.MeshAttr(meshes[0].attributes["mesh"]).axes)
    return Placement(
        axes,
        _splits(main, "arg_attrs", [argument.type for argument in main.arguments]),
        _splits(main, "res_attrs", list(main.type.results)),
    )


def _axis(attribute: ir.Attribute) -> tuple[str, int]:
    axis = sdy.MeshAxisAttr(attribute)
    return axis.name, axis.size


def _splits(main: func.FuncOp, name: str, types: Sequence[ir.Type]) -> tuple[Split, ...]:
    attributes = list(ir.ArrayAttr(main.attributes[name])) if name in main.attributes else [None] * len(types)
    return tuple(_split(of, kind) for of, kind in zip(attributes, types, strict=True))


def _split(attributes: ir.Attribute | None, kind: ir.Type) -> Split:
    found = {} if attributes is None else {entry.name: entry.attr for entry in ir.DictAttr(attributes)}
    if "sdy.sharding" not in found:
        return ((),) * ir.RankedTensorType(kind).rank
    dimensions = sdy.TensorShardingAttr(found["sdy.sharding"]).dimension_shardings
    return tuple(
        tuple(sdy.AxisRefAttr(axis).name for axis in sdy.DimensionShardingAttr(dimension).axes)
        for dimension in dimensions
    )
