"""What a saved executable was compiled by and for, and whether that is what is here.

XLA promises nothing between versions, and machine code is for one machine: every difference is refused by name, with
what would help.
"""

import hashlib
import importlib.metadata
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import jax
import jaxlib

from tsxla_worker import __version__, jax_private
from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.jax_private import Device
from tsxla_worker.programs.modules import Program
from tsxla_worker.saved_executables.file_format import Header

_PLUGINS = {"cpu": (), "tpu": ("libtpu",), "cuda": ("jax-cuda13-plugin", "jax-cuda13-pjrt")}

# Of the flags of /proc/cpuinfo those that name instructions; others tell of kernels and hypervisors.
_INSTRUCTIONS = re.compile(
    r"(sse|ssse|avx|bmi|fma|f16c|amx|aes|v?pclmul|vaes|gfni|popcnt|movbe|adx|sha_|sha\d|abm|lzcnt|xop|tbm)\w*"
)


def describe(program: Program, text: str, devices: Sequence[Device], layouts: Sequence[str]) -> Header:
    """Describes a program and what it is compiled by and for.

    Args:
        program: The program.
        text: Its text.
        devices: Those for which it was compiled, or those of this worker.
        layouts: How each argument lies in memory; empty for the default.
    """
    kind = "cuda" if devices[0].platform == "gpu" else devices[0].platform
    placement = program.placement
    return {
        "tsxla": __version__,
        "jax": jax.__version__,
        "jaxlib": jaxlib.__version__,
        "plugins": {name: _version(name) for name in _PLUGINS.get(kind, ())},
        "platform": kind,
        "device_kind": devices[0].device_kind,
        "devices": 1 if placement is None else placement.devices,
        "mesh": None if placement is None else [list(axis) for axis in placement.axes],
        "machine": platform.machine() if kind == "cpu" else "",
        "instructions": _instructions() if kind == "cpu" else [],
        "program": program.name,
        "text_sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        "arguments": [
            {"name": each.name, "type": str(each.type), "donated": each.donated, "result": each.aliases}
            for each in program.parameters
        ],
        "results": [str(each) for each in program.results],
        "layouts": list(layouts),
    }


def check(header: Header) -> None:
    """Refuses with EXECUTABLE_MISMATCH what was compiled by or for something else than this worker."""
    devices = jax.devices()
    here = jax_private.platform()
    for what in ("tsxla", "jax", "jaxlib"):
        mine = {"tsxla": __version__, "jax": jax.__version__, "jaxlib": jaxlib.__version__}[what]
        _same(header, what, f"{what} {header.get(what)}", f"{what} {mine}", header.get(what) == mine)
    _same(header, "platform", header.get("platform"), here, header.get("platform") == here)
    for name, version in sorted(dict(header.get("plugins", {})).items()):
        _same(header, name, f"{name} {version}", f"{name} {_version(name)}", version == _version(name))
    kind = devices[0].device_kind
    _same(header, "device_kind", header.get("device_kind"), kind, header.get("device_kind") == kind)
    wanted = int(header.get("devices", 0))
    # The devices of a CPU are its threads; of chips, what is compiled for four is not for four of eight.
    enough = 1 <= wanted <= len(devices) if here == "cpu" or wanted == 1 else wanted == len(devices)
    _same(header, "devices", _counted(wanted), _counted(len(devices)), enough)
    if here == "cpu":
        _same(header, "machine", header.get("machine"), platform.machine(), header.get("machine") == platform.machine())
        lacking = sorted(set(header.get("instructions", [])) - set(_instructions()))
        _same(
            header,
            "instructions",
            f"a processor with {', '.join(lacking)}",
            "one without",
            not lacking,
        )


def check_program(header: Header, found: Header) -> None:
    """Refuses a header that says something else of the program than its text does."""
    for what in ("program", "text_sha256", "mesh", "arguments", "results"):
        if header.get(what) != found[what]:
            raise invalid(
                "EXECUTABLE_INVALID",
                f"The executable's header and its text disagree about {what}. Compile it again.",
                what=what,
            )


def _same(header: Header, what: str, found: object, wanted: object, same: bool) -> None:
    if same:
        return
    raise _mismatch(header, what, found, wanted)


def _mismatch(header: Header, what: str, found: object, wanted: object) -> WorkerError:
    advice = (
        "start the worker with as many devices (--devices, or --target cpu:N), or compile it again for those it has"
        if what == "devices"
        else "compile it again with this worker"
    )
    return invalid(
        "EXECUTABLE_MISMATCH",
        f"The executable of '{header.get('program')}' was compiled for {found}, and here is {wanted}: {advice}.",
        what=what,
        found=found,
        wanted=wanted,
    )


def _counted(devices: int) -> str:
    return "one device" if devices == 1 else f"{devices} devices"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _instructions() -> list[str]:
    """The instruction sets of this processor, as Linux tells them; none elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = re.search(r"^(flags|Features)\s*:(.*)$", text, re.MULTILINE)
    if found is None:
        return []
    words = found[2].split()
    return sorted(words if found[1] == "Features" else filter(_INSTRUCTIONS.fullmatch, words))
