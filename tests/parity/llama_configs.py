"""The random Llama checkpoints: each entry of CONFIGS is one way in which checkpoints in the wild differ.

`random_llama.py` writes them; `make_fixtures.py` asks transformers for their logits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from random_bits import Dtype


@dataclass(frozen=True, kw_only=True)
class Config:
    """One checkpoint: sizes, how it is stored, and the rope keys of its config.json as they stand there."""

    about: str
    hidden: int
    mlp: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    rope: Mapping[str, Any]
    tied: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    context: int = 512
    eps: float = 1e-5
    dtype: Dtype = "F32"
    norm_dtype: Dtype | None = None
    """What the norms are stored as, when not as the rest."""
    shards: int = 1
    omit: frozenset[str] = frozenset()
    """Keys of config.json that are left out, so that the reader must know their defaults."""
    lengths: tuple[int, ...] = (300,)
    """Prompt lengths of the fixtures; several where the frequencies depend on the length."""
    gguf_types: tuple[str, ...] = ()
    """Quantised GGUF forms that have fixtures of their own."""
    prompt: int = 0
    """Which random prompt: the first without a near tie between the two largest logits of any position."""


CONFIGS: Mapping[str, Config] = {
    "untied": Config(
        about="the oldest spelling: no KV head count, head size, biases, rope or tying in config.json; as many KV "
        "heads as heads; also the base of the quantised GGUF fixtures",
        hidden=64, mlp=160, layers=2, heads=4, kv_heads=4, head_dim=16, vocab=331, rope={},
        omit=frozenset({"num_key_value_heads", "head_dim", "attention_bias", "mlp_bias", "tie_word_embeddings"}),
        gguf_types=("Q8_0", "Q4_0", "Q4_1"),
        prompt=39,
    ),
    "tied": Config(
        about="lm_head is the embedding; 3 heads per KV head; bf16; another epsilon and theta, in the new spelling",
        hidden=96, mlp=128, layers=3, heads=6, kv_heads=2, head_dim=16, vocab=384, tied=True, eps=1e-6, dtype="BF16",
        rope={"rope_parameters": {"rope_type": "default", "rope_theta": 100000.0}}, gguf_types=("Q4_1",),
        prompt=5,
    ),
    "biases": Config(
        about="attention_bias and mlp_bias; 4 heads per KV head; heads * head_dim is twice the hidden size; f16",
        hidden=64, mlp=96, layers=2, heads=4, kv_heads=1, head_dim=32, vocab=331, dtype="F16",
        attention_bias=True, mlp_bias=True, rope={"rope_theta": 10000.0, "rope_scaling": None},
    ),
    "linear": Config(
        about="linear rope scaling in the oldest spelling (`type`) without rope_theta; 8 heads per KV head of size 8",
        hidden=64, mlp=128, layers=2, heads=8, kv_heads=1, head_dim=8, vocab=331,
        eps=1e-3, rope={"rope_scaling": {"type": "linear", "factor": 4.0}}, omit=frozenset({"head_dim"}),
        prompt=1,
    ),
    "dynamic": Config(
        about="dynamic NTK: up to max_position_embeddings (128) nothing happens, beyond it the base grows with the "
        "prompt's length, for all positions at once; bf16",
        hidden=64, mlp=96, layers=2, heads=4, kv_heads=2, head_dim=16, vocab=331, context=128, dtype="BF16",
        rope={"rope_theta": 10000.0, "rope_scaling": {"rope_type": "dynamic", "factor": 2.0}},
        lengths=(128, 129, 300),
    ),
    "yarn": Config(
        about="YaRN with its defaults: truncated correction range, attention factor from the factor",
        hidden=64, mlp=96, layers=2, heads=4, kv_heads=2, head_dim=32, vocab=331,
        rope={"rope_parameters": {
            "rope_type": "yarn", "rope_theta": 10000.0, "factor": 8.0, "original_max_position_embeddings": 64,
        }},
        prompt=1,
    ),
    "yarn-mscale": Config(
        about="YaRN with truncate false, beta_fast, beta_slow, mscale and mscale_all_dim; the old key with "
        "`rope_type`; bf16 with f32 norms",
        hidden=96, mlp=96, layers=2, heads=3, kv_heads=1, head_dim=32, vocab=353, dtype="BF16", norm_dtype="F32",
        rope={"rope_theta": 5000.0, "rope_scaling": {
            "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128, "truncate": False,
            "beta_fast": 16.0, "beta_slow": 0.5, "mscale": 1.0, "mscale_all_dim": 0.4,
        }},
    ),
    "yarn-attention-factor": Config(
        about="YaRN with a given attention_factor, which wins over the factor; original length left to "
        "max_position_embeddings",
        hidden=32, mlp=64, layers=3, heads=2, kv_heads=2, head_dim=16, vocab=331, context=512,
        rope={"rope_theta": 10000.0, "rope_scaling": {"type": "yarn", "factor": 2.0, "attention_factor": 0.75}},
        omit=frozenset({"head_dim"}),
        prompt=1,
    ),
    "llama3": Config(
        about="Llama 3 rope: kept, blended and stretched frequencies all occur; rope_freqs.weight in GGUF; tied; bf16",
        hidden=64, mlp=160, layers=2, heads=4, kv_heads=1, head_dim=32, vocab=509, tied=True, dtype="BF16",
        rope={"rope_theta": 500000.0, "rope_scaling": {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        }},
        prompt=3,
    ),
    "longrope": Config(
        about="LongRoPE: short factors up to the original length (128), long ones beyond it; attention factor from "
        "max_position_embeddings / original; f16",
        hidden=64, mlp=96, layers=2, heads=4, kv_heads=2, head_dim=16, vocab=331, dtype="F16",
        rope={"rope_parameters": {
            "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 128,
            "short_factor": [1.0, 1.0, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5],
            "long_factor": [1.0, 1.3, 1.8, 2.5, 3.5, 5.0, 7.0, 9.0],
        }},
        lengths=(128, 129, 300),
        prompt=4,
    ),
    "longrope-factor": Config(
        about="LongRoPE in the spelling of older files: original length outside the rope keys; a given factor",
        hidden=32, mlp=64, layers=2, heads=2, kv_heads=1, head_dim=16, vocab=331,
        rope={"rope_theta": 10000.0, "original_max_position_embeddings": 64, "rope_scaling": {
            "type": "longrope", "factor": 32.0,
            "short_factor": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7],
            "long_factor": [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0],
        }},
        lengths=(64, 300),
        prompt=1,
    ),
    "sharded": Config(
        about="three shards and an index, f16; the shards split a layer",
        hidden=96, mlp=160, layers=3, heads=8, kv_heads=2, head_dim=12, vocab=600, shards=3, dtype="F16",
        rope={"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}},
        prompt=1,
    ),
    "wide-heads": Config(
        about="heads much wider than the model (2 * 64 from 32); a vocabulary of 257 + 3",
        hidden=32, mlp=32, layers=2, heads=2, kv_heads=2, head_dim=64, vocab=260,
        rope={"rope_theta": 1000000.0},
        prompt=1,
    ),
}  # fmt: skip
