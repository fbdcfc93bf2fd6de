"""config.json: that of the released models, or any other of GPT-OSS."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthetic_checkpoint.errors import RefusalError
from synthetic_checkpoint.fills import BLOCK

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------

type Config = Mapping[str, Any]
RELEASED: Mapping[str, tuple[int, int]] = {"20b": (24, 32), "120b": (36, 128)}
SIZES = (
    "num_hidden_layers", "num_local_experts", "hidden_size", "intermediate_size",
    "num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size",
)  # fmt: skip


def read_config(name: str) -> Config:
    """The config that `20b`, `120b` or a file says, as it will stand in the checkpoint.

    Raises:
        RefusalError: when it is no GPT-OSS with Hugging Face's keys, or its experts cannot be MXFP4.
    """
    if name in RELEASED:
        return released(*RELEASED[name])
    try:
        config = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise RefusalError(
            f"--config {name}: {error.strerror}; wanted {', '.join(RELEASED)} or a config.json"
        ) from error
    except ValueError as error:
        raise RefusalError(f"--config {name}: not JSON: {error}") from error
    if not isinstance(config, dict) or config.get("model_type") != "gpt_oss":
        raise RefusalError(f'--config {name}: wanted a Hugging Face config.json with "model_type": "gpt_oss"')
    for key in SIZES:
        if type(config.get(key)) is not int or config[key] < 1:
            raise RefusalError(f"--config {name}: {key} is {json.dumps(config.get(key))}; wanted a positive number")
    for key in ("hidden_size", "intermediate_size"):
        if config[key] % BLOCK:
            raise RefusalError(
                f"--config {name}: {key} is {config[key]}; wanted a multiple of {BLOCK}, a block of MXFP4"
            )
    if config.get("tie_word_embeddings"):
        raise RefusalError(f"--config {name}: tie_word_embeddings is true; GPT-OSS has an lm_head of its own")
    return config | {"quantization_config": QUANTIZATION}


def released(layers: int, experts: int) -> Config:
    """config.json of the released models, key by key."""
    return {
        "architectures": ["GptOssForCausalLM"],
        "attention_bias": True,
        "attention_dropout": 0.0,
        "eos_token_id": 200002,
        "experts_per_token": 4,
        "head_dim": 64,
        "hidden_act": "silu",
        "hidden_size": 2880,
        "initial_context_length": 4096,
        "initializer_range": 0.02,
        "intermediate_size": 2880,
        "layer_types": ["sliding_attention", "full_attention"] * (layers // 2),
        "max_position_embeddings": 131072,
        "model_type": "gpt_oss",
        "num_attention_heads": 64,
        "num_experts_per_tok": 4,
        "num_hidden_layers": layers,
        "num_key_value_heads": 8,
        "num_local_experts": experts,
        "output_router_logits": False,
        "pad_token_id": 199999,
        "quantization_config": QUANTIZATION,
        "rms_norm_eps": 1e-05,
        "rope_scaling": {
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "factor": 32.0,
            "original_max_position_embeddings": 4096,
            "rope_type": "yarn",
            "truncate": False,
        },
        "rope_theta": 150000,
        "router_aux_loss_coef": 0.9,
        "sliding_window": 128,
        "swiglu_limit": 7.0,
        "tie_word_embeddings": False,
        "transformers_version": "4.55.0.dev0",
        "use_cache": True,
        "vocab_size": 201088,
    }


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

QUANTIZATION: Mapping[str, Any] = {
    "modules_to_not_convert": [
        "model.layers.*.self_attn",
        "model.layers.*.mlp.router",
        "model.embed_tokens",
        "lm_head",
    ],
    "quant_method": "mxfp4",
}
