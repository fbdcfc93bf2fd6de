"""GGUF: one file with the same numbers under other names, and the blocks in another order."""

import io
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import gguf
import numpy as np

from synthetic_checkpoint.config import Config
from synthetic_checkpoint.errors import RefusalError
from synthetic_checkpoint.files import File, Part, constant
from synthetic_checkpoint.fills import BLOCK, Bytes, Scales
from synthetic_checkpoint.pools import Pools
from synthetic_checkpoint.tensors import tensors
from synthetic_checkpoint.tokenizer import Tokenizer

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


def plan_gguf(config: Config, seed: int, name: str) -> list[File]:
    """One GGUF as llama.cpp's converter writes it: experts MXFP4, matrices BF16, the router and all vectors F32.

    Raises:
        RefusalError: when GGUF's gpt-oss has no words for the model.
    """
    refuse_gguf(config)
    rope = {**config, **(config.get("rope_scaling") or {}), **(config.get("rope_parameters") or {})}
    writer = gguf.GGUFWriter(None, "gpt-oss")
    writer.add_name(f"synthetic {name}")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(require(config, "max_position_embeddings"))
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(require(rope, "rope_theta"))
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(require(rope, "factor"))
    writer.add_rope_scaling_orig_ctx_len(require(rope, "original_max_position_embeddings"))
    writer.add_rope_scaling_yarn_beta_fast(require(rope, "beta_fast"))
    writer.add_rope_scaling_yarn_beta_slow(require(rope, "beta_slow"))
    writer.add_layer_norm_rms_eps(require(config, "rms_norm_eps"))
    writer.add_expert_count(config["num_local_experts"])
    writer.add_expert_used_count(require(config, "num_experts_per_tok"))
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_sliding_window(require(config, "sliding_window"))
    writer.add_expert_feed_forward_length(config["intermediate_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_MXFP4_MOE)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    Tokenizer(config).add_to(writer)

    parts: list[Part] = []
    for part, kind, shape in gguf_tensors(config, Pools(seed)):
        writer.add_tensor_info(part.label, shape, np.dtype(np.float32), part.size, gguf.GGMLQuantizationType[kind])
        padding = -part.size % gguf.GGUF_DEFAULT_ALIGNMENT
        parts.append(Part(f"{part.label} {kind} {list(shape)}", part.size, part.chunks))
        parts += [constant(bytes(padding))] * (padding > 0)

    # The writer opens files by their names; here the header goes to memory, so that its size is known beforehand.
    header: Any = io.BytesIO()
    writer.fout, writer.state = [header], gguf.gguf_writer.WriterState.EMPTY
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    header.write(bytes(-header.tell() % gguf.GGUF_DEFAULT_ALIGNMENT))
    return [File(f"{name}-mxfp4.gguf", (constant(header.getvalue()), *parts))]


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------


def gguf_tensors(config: Config, pools: Pools) -> Iterator[tuple[Part, str, tuple[int, ...]]]:
    """The tensors under their GGUF names with type and shape; gate and up are the even and the odd rows."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT_OSS, config["num_hidden_layers"])

    def name(key: str, ending: str) -> str:
        found = names.get_name(key)
        if found is None:
            raise KeyError(f"GGUF's gpt-oss architecture has no name for {key}")
        return f"{found}{ending}"

    every, even, odd = slice(None), slice(0, None, 2), slice(1, None, 2)
    made = tensors(config)
    scales = {tensor.key: tensor for tensor in made if isinstance(tensor.fill, Scales)}
    for tensor in made:
        stem, _, ending = tensor.key.rpartition("_" if ".experts." in tensor.key else ".")
        split = [(stem, every)]
        if "gate_up" in stem:
            split = [(stem.replace("gate_up", part), rows) for part, rows in (("gate", even), ("up", odd))]
        for key, rows in split:
            if ending == "blocks":
                experts, (all_rows, columns) = tensor.shape[0], tensor.rows
                shape = (experts, all_rows // experts // len(split), columns * BLOCK)
                size = math.prod(shape) // BLOCK * (1 + BLOCK // 2)
                whole = scales[f"{stem}_scales"]
                yield (
                    Part(name(key, ".weight"), size, lambda t=tensor, s=whole, r=rows: pools.ggml_chunks(t, s, r)),
                    "MXFP4",
                    shape,
                )
            elif ending != "scales":
                sinks = ending == "sinks"
                target = name(tensor.key if sinks else key, ".weight" if sinks else f".{ending}")
                wide = ending == "weight" and len(tensor.shape) == 2 and ".router." not in tensor.key
                shape = (*tensor.shape[:-1], tensor.shape[-1] // len(split))
                size = math.prod(shape) * (2 if wide else 4)
                chunks = pools.chunks if wide else lambda t, r=rows: f32_chunks(pools.chunks(t), r)
                yield Part(target, size, lambda t=tensor, c=chunks: c(t)), "BF16" if wide else "F32", shape


def f32_chunks(chunks: Iterable[Bytes], columns: slice) -> Iterator[Bytes]:
    """bf16 as F32. Rows have an even length where half of the columns are asked for."""
    for chunk in chunks:
        yield (chunk.view("<u2")[columns].astype("<u4") << np.uint32(16)).view(np.uint8)


def refuse_gguf(config: Config) -> None:
    """GGUF's gpt-oss says neither layer types nor the limit nor truncation."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    alternating = (["sliding_attention", "full_attention"] * config["num_hidden_layers"])[: config["num_hidden_layers"]]
    wanted = (
        ("layer_types", config.get("layer_types", alternating), alternating),
        ("swiglu_limit", config.get("swiglu_limit", 7.0), 7.0),
        ("rope_scaling.rope_type", rope.get("rope_type"), "yarn"),
        ("rope_scaling.truncate", rope.get("truncate", False), False),
    )
    for key, found, only in wanted:
        if found != only:
            raise RefusalError(
                f"--gguf: {key} is {json.dumps(found)}, and GGUF's gpt-oss can only say {json.dumps(only)}"
            )


def require(config: Config, key: str) -> Any:
    """A value of the config that is not one of its sizes."""
    if config.get(key) is None:
        raise RefusalError(f"--gguf: the config has no {key}")
    return config[key]
