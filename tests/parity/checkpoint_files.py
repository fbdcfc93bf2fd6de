"""The files of a checkpoint: safetensors, one or in shards with an index, and JSON. Needs numpy only."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from random_bits import Array, Dtype, to_bytes


def write_checkpoint(
    folder: Path, tensors: Mapping[str, tuple[Array, Dtype]], shards: int, stem: str = "model-"
) -> None:
    """Writes `model.safetensors`, or so many shards with an index; the names of shards start with `stem`."""
    if shards == 1:
        write_safetensors(folder / "model.safetensors", tensors)
        return
    # Shard n takes every tensor whose place in the list falls into its n-th part, so a boundary cuts through a layer.
    files = [f"{stem}{n + 1:05}-of-{shards:05}.safetensors" for n in range(shards)]
    place = {key: files[n * shards // len(tensors)] for n, key in enumerate(tensors)}
    for file in files:
        write_safetensors(folder / file, {key: tensors[key] for key in tensors if place[key] == file})
    size = sum(len(to_bytes(*tensor)) for tensor in tensors.values())
    write_json(
        folder / "model.safetensors.index.json",
        {"metadata": {"total_size": size}, "weight_map": dict(sorted(place.items()))},
    )


def write_safetensors(file: Path, tensors: Mapping[str, tuple[Array, Dtype]]) -> None:
    """Header length, JSON header, bytes. By hand, because numpy has no bf16 for the safetensors package to write."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    parts: list[bytes] = []
    end = 0
    for key, (values, dtype) in tensors.items():
        parts.append(to_bytes(values, dtype))
        start, end = end, end + len(parts[-1])
        header[key] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Indented, as files of this kind are published."""
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
