"""A folder of safetensors files as one checkpoint.

Which files belong to it, as in transformers: `model.safetensors` if it is there; else the shards that
`model.safetensors.index.json` names, which must agree with the index in both directions; else all `*.safetensors`.
"""

import json
import re
from pathlib import Path
from typing import cast

from tsxla_worker.checkpoints import safetensors
from tsxla_worker.checkpoints.checkpoint import MetadataValue, StoredTensor, damaged
from tsxla_worker.contract.errors import WorkerError
from tsxla_worker.machine.paths import closing, open_regular

_SINGLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_SHARD = re.compile(r"^(.*)-(\d{5})-of-(\d{5})\.safetensors$")
_INDEX_LIMIT = 256 << 20


def read(folder: Path) -> tuple[list[StoredTensor], dict[str, MetadataValue]]:
    """Reads the headers of all files; fails with CHECKPOINT_INVALID."""
    present = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".safetensors"))
    if _SINGLE in present:
        return _read_files(folder, [_SINGLE])
    if (folder / _INDEX).exists():
        return _read_indexed(folder, present)
    if not present:
        others = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".gguf"))
        hint = f" It holds {others[0]}: open that file." if others else ""
        raise damaged(folder, f"the folder holds no safetensors files.{hint}")
    for name in present:
        match = _SHARD.match(name)
        if match:
            for number in range(1, int(match.group(3)) + 1):
                wanted = f"{match.group(1)}-{number:05d}-of-{match.group(3)}.safetensors"
                if wanted not in present:
                    raise _missing(folder, wanted)
    return _read_files(folder, present)


def index_of(path: Path) -> list[Path]:
    """Returns the index beside shards, if there is one: what it says belongs to the checkpoint as they do."""
    index = path / _INDEX
    return [index] if index.is_file() else []


def _read_indexed(folder: Path, present: list[str]) -> tuple[list[StoredTensor], dict[str, MetadataValue]]:
    index = folder / _INDEX
    where = _weight_map(index)
    shards = sorted(set(where.values()))
    for shard in shards:
        if shard not in present:
            raise _missing(folder, shard)
    for name in present:
        match = _SHARD.match(name)
        if match and name not in shards and any(shard.startswith(match.group(1) + "-") for shard in shards):
            raise damaged(index, f"it does not mention {name}, which lies beside it.", found=name)
    tensors, metadata = _read_files(folder, shards)
    by_name = {tensor.name: tensor.file.name for tensor in tensors}
    for name, shard in where.items():
        if by_name.get(name) != shard:
            found = by_name.get(name, "no shard")
            message = f"it says that {name} is in {shard}, but {found} holds it."
            raise damaged(index, message, tensor=name, found=found, wanted=shard)
    for name, shard in by_name.items():
        if name not in where:
            raise damaged(index, f"it does not mention {name}, which {shard} holds.", tensor=name, found=shard)
    return tensors, metadata


def _read_files(folder: Path, names: list[str]) -> tuple[list[StoredTensor], dict[str, MetadataValue]]:
    tensors: dict[str, StoredTensor] = {}
    metadata: dict[str, MetadataValue] = {}
    for name in names:
        path = folder / name
        with closing(open_regular(path)) as descriptor:
            found, values = safetensors.read(path, descriptor)
        metadata.update(values)
        for tensor in found:
            other = tensors.get(tensor.name)
            if other is not None:
                message = f"{tensor.name} is also in {other.file.name}."
                raise damaged(path, message, tensor=tensor.name, found=other.file.name)
            tensors[tensor.name] = tensor
    return list(tensors.values()), metadata


def _weight_map(index: Path) -> dict[str, str]:
    try:
        if index.stat().st_size > _INDEX_LIMIT:
            raise damaged(index, "it is larger than any index.")
        content = json.loads(index.read_bytes())
        where = content["weight_map"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(index, f"it holds no JSON object with a weight_map: {error}.") from error
    good = isinstance(where, dict) and all(
        isinstance(name, str)
        and isinstance(shard, str)
        and Path(shard).name == shard
        and shard.endswith(".safetensors")
        for name, shard in cast("dict[object, object]", where).items()
    )
    if not good:
        raise damaged(index, "its weight_map is no object from tensors to safetensors files beside it.")
    return cast("dict[str, str]", where)


def _missing(folder: Path, name: str) -> WorkerError:
    return damaged(folder / name, "this shard is missing.", wanted=name)
