"""Compiling for devices that are not here: a slice of TPUs, a box of GPUs.

XLA's compilers for them come in plug-ins, libtpu and jax-cuda13-plugin, that need no device. What comes out is
described, and saved for a machine that has the devices (`saved_executables/file_format.py`): nothing here could run it.
"""

import importlib.util
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc
import jax
from jax.experimental import topologies
from jax.experimental.layout import Format
from jax.sharding import NamedSharding

from tsxla_worker import jax_private
from tsxla_worker.contract.errors import WorkerError, clip, internal, invalid
from tsxla_worker.contract.generated import pb
from tsxla_worker.executables import layouts
from tsxla_worker.executables.donation import call_order
from tsxla_worker.executables.executable import Sizes, sizes_of
from tsxla_worker.jax_private import Device
from tsxla_worker.programs import modules, shardings
from tsxla_worker.programs.modules import Program
from tsxla_worker.saved_executables import compatibility
from tsxla_worker.saved_executables.file_format import Saved

PACKAGES = {
    "tpu": {"libtpu": "libtpu==0.0.50"},
    "cuda": {
        "jax_cuda13_plugin": "jax-cuda13-plugin==0.12.0.1",
        "jax_plugins.xla_cuda13": "jax-cuda13-pjrt==0.12.0.1",
        "nvidia": "nvidia-cuda-nvcc==13.5.37 nvidia-nvvm==13.5.37",
    },
}
"""By platform, the modules that its compiler needs and the packages that pip finds them in."""


@dataclass(frozen=True)
class Compiled:
    """What the compiler said of a program. Byte counts are per device."""

    program: Program
    sizes: Sizes
    layouts: tuple[str, ...]
    optimized: str
    seconds: float
    devices: Sequence[Device]
    serialized: Callable[[], bytes]

    def save(self, text: str) -> Saved:
        """Makes of it what a file holds; fails with EXECUTABLE_NOT_SAVABLE where its compiler can't."""
        kind = self.devices[0].device_kind
        try:
            payload = self.serialized()
        except Exception as error:
            message = f"The compiler for {kind} does not serialise what it compiled: {clip(str(error), 500)}"
            raise internal("EXECUTABLE_NOT_SAVABLE", message, platform=kind) from error
        return Saved(compatibility.describe(self.program, text, self.devices, self.layouts), text, payload)


def compile_for(topology: pb.Topology, text: str, lying: Sequence[str]) -> Compiled:
    """Compiles a text for a topology, its arguments lying as is said."""
    start = time.perf_counter()
    devices = _devices(topology)
    program = modules.program(text)
    count = len(program.parameters)
    if lying and len(lying) != count:
        message = f"The program takes {count} arguments; {len(lying)} layouts came."
        raise invalid("ARGUMENT_MISMATCH", message, found=len(lying), wanted=count)
    order = call_order(program.parameters, program.results)
    arguments, results = _places(program, devices)
    wanted = [layouts.read(lying[i]) if lying else None for i in range(count)]
    # A result that takes an argument's memory lies as that argument does.
    replaced = {
        parameter.aliases: wanted[i] for i, parameter in enumerate(program.parameters) if parameter.aliases is not None
    }
    function = jax_private.as_function(
        program.module,
        [parameter.type for parameter in program.parameters],
        program.results,
        1 if program.placement is None else program.placement.devices,
        topology.platform,
    )
    shapes = [jax.ShapeDtypeStruct(p.type.shape, p.type.element.dtype) for p in program.parameters]
    try:
        compiled = (
            jax.jit(
                order.wrap(function),
                donate_argnums=[at for at, i in enumerate(order.arguments) if program.parameters[i].donated],
                keep_unused=True,
                in_shardings=tuple(Format(wanted[i], arguments[i]) for i in order.arguments),
                out_shardings=tuple(Format(replaced.get(i), results[i]) for i in order.results),
            )
            .lower(*(shapes[i] for i in order.arguments))
            .compile()
        )
    except Exception as error:
        raise internal("COMPILE_FAILED", f"XLA did not compile the module: {clip(str(error), 1500)}") from error
    formats, _ = compiled.input_formats
    found = {i: layouts.write(formats[at].layout) for at, i in enumerate(order.arguments)}
    return Compiled(
        program,
        sizes_of(compiled),
        tuple(found[i] for i in range(count)),
        compiled.as_text() or "",
        time.perf_counter() - start,
        devices,
        lambda: jax_private.serialize(compiled),
    )


def _devices(topology: pb.Topology) -> Sequence[Device]:
    missing = [
        package
        for module, package in PACKAGES.get(topology.platform, {}).items()
        if importlib.util.find_spec(module) is None
    ]
    if topology.platform not in PACKAGES:
        raise invalid("TOPOLOGY_UNKNOWN", f"The worker compiles ahead of time for {', '.join(PACKAGES)}.")
    if missing:
        raise WorkerError(
            grpc.StatusCode.FAILED_PRECONDITION,
            "PLUGIN_MISSING",
            f"Compiling for {topology.platform} needs {' '.join(missing)} in the worker's environment.",
            packages=" ".join(missing),
        )
    try:
        return _describe(topology).devices
    except Exception as error:
        message = f"The compiler for {topology.platform} knows no {topology.name}: {clip(str(error), 500)}"
        raise invalid("TOPOLOGY_UNKNOWN", message, found=topology.name) from error


def _describe(topology: pb.Topology) -> topologies.TopologyDescription:
    if topology.platform == "tpu":
        # Without it libtpu asks the cloud what machine this is.
        os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
        # It lets one process at a time have the chips; compiling takes none.
        os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
        given = {"chip_config_name": topology.chip_config} if topology.chip_config else {}
        return topologies.get_topology_desc(platform="tpu", topology_name=topology.name, **given)
    os.environ.setdefault("JAX_SKIP_CUDA_CONSTRAINTS_CHECK", "1")
    return topologies.get_topology_desc(
        platform="cuda", topology_name=topology.name, topology=topology.name, target_config=topology.gpu_target
    )


def _places(
    program: Program, devices: Sequence[Device]
) -> tuple[Sequence[jax.sharding.Sharding], Sequence[jax.sharding.Sharding]]:
    if program.placement is None:
        one = jax.sharding.SingleDeviceSharding(devices[0])
        return [one] * len(program.parameters), [one] * len(program.results)
    mesh = program.placement.mesh(devices)
    arguments: list[NamedSharding] = shardings.on_mesh(mesh, program.placement.arguments)
    return arguments, shardings.on_mesh(mesh, program.placement.results)
