"""Where the arguments and results of a program lie on this worker's devices, and bringing arguments there."""

from collections.abc import Sequence

import jax
import numpy as np
from jax.experimental.layout import Format
from jax.sharding import NamedSharding

from tsxla_worker.contract.errors import invalid
from tsxla_worker.executables.donation import CallOrder
from tsxla_worker.executables.executable import Placed, Run
from tsxla_worker.programs import shardings
from tsxla_worker.programs.modules import Program
from tsxla_worker.programs.shardings import Placement
from tsxla_worker.tensors import across_hosts


def on_devices(placement: Placement | None) -> Placed | None:
    """Lays a program's mesh over the devices; refuses one that the group does not run. None for one device."""
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


def of_results(
    program: Program, order: CallOrder, placed: Placed | None, formats: Sequence[Format] | None
) -> tuple[Format | NamedSharding | None, ...] | None:
    """Where results go, in the order of the call; one that takes an argument's memory lies as that argument does."""
    if placed is None and formats is None:
        return None
    plain = [None] * len(program.results) if placed is None else placed.results
    taken = {each.aliases: formats[i] for i, each in enumerate(program.parameters)} if formats else {}
    return tuple(taken.get(i) or plain[i] for i in order.results)


def moving_arguments(run: Run, placed: Placed | None) -> Run:
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
