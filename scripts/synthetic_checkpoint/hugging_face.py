"""Hugging Face's layout: safetensors, their index, and the JSON beside them."""

import json
from typing import Any

from synthetic_checkpoint.config import Config
from synthetic_checkpoint.files import File, Part, constant, indented, text
from synthetic_checkpoint.pools import Pools
from synthetic_checkpoint.tensors import Tensor, tensors
from synthetic_checkpoint.tokenizer import Tokenizer

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------

SHARD_BYTES = 4_800_000_000
"""Cuts both released models where they are cut; it limits the tensors, to which a header of some kilobytes comes."""


def plan_folder(config: Config, seed: int, shard_bytes: int) -> list[File]:
    """The files of Hugging Face's layout; those that make it a checkpoint come last."""
    pools = Pools(seed)
    shards: list[list[Tensor]] = [[]]
    held = 0
    for tensor in tensors(config):
        if shards[-1] and held + tensor.size > shard_bytes:
            shards.append([])
            held = 0
        shards[-1].append(tensor)
        held += tensor.size
    # The released shards count from 0, and `of` says the last number.
    names = [f"model-{n:05}-of-{len(shards) - 1:05}.safetensors" for n in range(len(shards))]
    single = len(shards) == 1
    if single:
        names = ["model.safetensors"]
    files = [safetensors(name, shard, pools) for name, shard in zip(names, shards, strict=True)]
    tokenizer = Tokenizer(config)
    files.append(text("tokenizer.json", json.dumps(tokenizer.json(), ensure_ascii=False)))
    files.append(text("tokenizer_config.json", indented(tokenizer.config_json())))
    ends = {"bos_token_id": tokenizer.bos, "do_sample": True, "eos_token_id": tokenizer.ends}
    ends |= {"pad_token_id": tokenizer.pad, "transformers_version": config.get("transformers_version")}
    files.append(text("generation_config.json", indented({k: v for k, v in ends.items() if v not in (None, [])})))
    if not single:
        total = sum(tensor.size for shard in shards for tensor in shard)
        places = {tensor.key: name for name, shard in zip(names, shards, strict=True) for tensor in shard}
        index = {"metadata": {"total_size": total}, "weight_map": places}
        files.append(text("model.safetensors.index.json", json.dumps(index)))
    files.append(text("config.json", indented(config)))
    return files


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------


def safetensors(name: str, shard: list[Tensor], pools: Pools) -> File:
    """A file laid out as the safetensors library does: the wider dtype first, then by name."""
    ordered = sorted(shard, key=lambda tensor: (tensor.dtype == "U8", tensor.key))
    header: dict[str, Any] = {}
    end = 0
    for tensor in ordered:
        start, end = end, end + tensor.size
        header[tensor.key] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [start, end]}
    spelled = json.dumps(header, separators=(",", ":")).encode()
    spelled += b" " * (-len(spelled) % 8)
    parts = [
        Part(
            f"{tensor.key} {tensor.dtype} {list(tensor.shape)}", tensor.size, lambda tensor=tensor: pools.chunks(tensor)
        )
        for tensor in ordered
    ]
    return File(name, (constant(len(spelled).to_bytes(8, "little") + spelled), *parts))
