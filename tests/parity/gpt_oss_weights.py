"""The numbers of the random GPT-OSS checkpoints, under Hugging Face's names, experts in MXFP4."""

import hashlib
import math

import numpy as np
from gpt_oss_configs import CONFIGS, Config
from mxfp4_blocks import pack_pairs, random_mxfp4
from random_bits import Array, Dtype, raw_bits, round_to, to_bytes, uniform

type Tensors = dict[str, tuple[Array, Dtype]]

BOS = 0


def weights(name: str) -> Tensors:
    """The tensors of a checkpoint under their Hugging Face names, experts in MXFP4.

    Scales keep the model well conditioned and every part of it audible: attention scores and router logits have a
    standard deviation of about 2, sinks of 1, logits of 2; gates have 2.5, so that the limit of 7 is met; norm weights
    are near 1 but not 1; the embedding is small (0.3), so that epsilon is heard.
    """
    config = CONFIGS[name]
    wide, narrow = config.heads * config.head_dim, config.kv_heads * config.head_dim
    made: Tensors = {}

    def add(key: str, shape: tuple[int, ...], deviation: float, mean: float = 0.0) -> None:
        values = uniform(f"gpt-oss/{name}/{key}", shape) * np.float32(math.sqrt(3) * deviation) + np.float32(mean)
        made[key] = (round_to(values, "BF16"), "BF16")

    def linear(key: str, rows: int, columns: int, gain: float) -> None:
        add(f"{key}.weight", (rows, columns), gain / math.sqrt(columns))
        add(f"{key}.bias", (rows,), 0.25)

    def expert_matrix(key: str, rows: int, columns: int, gain: float) -> None:
        shape = (config.experts, rows, columns)
        codes, scales = random_mxfp4(f"gpt-oss/{name}/{key}", shape, gain / math.sqrt(columns))
        made[f"{key}_blocks"] = (pack_pairs(codes), "U8")
        made[f"{key}_scales"] = (scales, "U8")
        add(f"{key}_bias", (config.experts, rows), 0.25)

    add("model.embed_tokens.weight", (config.vocab, config.hidden), 0.3)
    for layer in range(config.layers):
        at = f"model.layers.{layer}"
        add(f"{at}.input_layernorm.weight", (config.hidden,), 0.15, mean=1.0)
        linear(f"{at}.self_attn.q_proj", wide, config.hidden, 1.1)
        linear(f"{at}.self_attn.k_proj", narrow, config.hidden, 1.1)
        linear(f"{at}.self_attn.v_proj", narrow, config.hidden, 1.5)
        linear(f"{at}.self_attn.o_proj", config.hidden, wide, 2.0)
        add(f"{at}.self_attn.sinks", (config.heads,), 1.0)
        made[f"{at}.self_attn.sinks"][0][: len(config.sinks)] = config.sinks
        add(f"{at}.post_attention_layernorm.weight", (config.hidden,), 0.15, mean=1.0)
        linear(f"{at}.mlp.router", config.experts, config.hidden, 1.5)
        if config.ties:
            made |= tied_router(config, at)
        expert_matrix(f"{at}.mlp.experts.gate_up_proj", 2 * config.mlp, config.hidden, 2.5)
        expert_matrix(f"{at}.mlp.experts.down_proj", config.hidden, config.mlp, 0.4)
    add("model.norm.weight", (config.hidden,), 0.15, mean=1.0)
    add("lm_head.weight", (config.vocab, config.hidden), 2 / math.sqrt(config.hidden))
    return made


def token_ids(name: str, length: int) -> list[int]:
    """A prompt for a checkpoint: the beginning-of-text token, the last id of the vocabulary, then anything."""
    config = CONFIGS[name]
    ids = (raw_bits(f"gpt-oss/{name}/tokens/{config.prompt}", length) % np.uint64(config.vocab)).tolist()
    return [BOS, config.vocab - 1, *ids][:length]


def fingerprint(name: str) -> str:
    """sha256 over the tensors of the layout `mxfp4` in the order of their names: name, dtype, shape, bytes."""
    total = hashlib.sha256()
    for key, (values, dtype) in sorted(weights(name).items()):
        total.update(f"{key} {dtype} {list(values.shape)}\n".encode())
        total.update(to_bytes(values, dtype))
    return total.hexdigest()


def tied_router(config: Config, at: str) -> Tensors:
    """A router whose rows 2n and 2n+1 are the same and have one nonzero weight."""
    weight = np.zeros((config.experts, config.hidden), np.float32)
    for expert in range(config.experts):
        weight[expert, 7 * (expert // 2) + 1] = 1.5
    bias = np.repeat(np.array([0.25, -0.25, 0.125, 0.0], np.float32), 2)
    return {f"{at}.mlp.router.weight": (weight, "BF16"), f"{at}.mlp.router.bias": (bias, "BF16")}
