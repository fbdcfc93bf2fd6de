"""How arrays lie in memory, as the contract says it: `auto`, nothing for the default, else order and tiles as JSON."""

import json
from collections.abc import Sequence
from typing import Any

import jax
from jax.experimental.layout import Format, Layout
from jax.sharding import Sharding, SingleDeviceSharding

from tsxla_worker.contract.errors import clip, invalid
from tsxla_worker.executables.executable import Run

AUTO = "auto"


def read(text: str) -> Any:
    """Reads a layout: `auto`, nothing, or what `write` wrote."""
    if text == AUTO:
        return Layout.AUTO
    if text == "":
        return None
    try:
        major_to_minor, tiling = json.loads(text)
        return Layout(tuple(major_to_minor), tuple(tuple(tile) for tile in tiling) if tiling is not None else None)
    except (ValueError, TypeError) as error:
        raise invalid("REQUEST_INVALID", f"{clip(text, 100)!r} is no layout.", found=text) from error


def write(layout: object) -> str:
    """Writes a layout as a text that `read` takes; nothing for what is none."""
    if not isinstance(layout, Layout):
        return ""
    return json.dumps([list(layout.major_to_minor), layout.tiling])


def formats(texts: Sequence[str], places: Sequence[Sharding] | None) -> list[Format] | None:
    """Says where arguments lie and in which order; None where all have the default order."""
    if not any(texts):
        return None
    here = SingleDeviceSharding(jax.devices()[0])
    return [Format(read(text), here if places is None else places[i]) for i, text in enumerate(texts)]


def ordered(run: Run, wanted: Sequence[Format] | None) -> Run:
    """Brings arguments into the order in which a program takes them."""
    if wanted is None:
        return run
    # What lies so already is not copied.
    return lambda arguments: run([jax.device_put(*each) for each in zip(arguments, wanted, strict=True)])
