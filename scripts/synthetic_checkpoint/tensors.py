"""The tensors of a GPT-OSS: their names, shapes and what they are filled with."""

import math
from dataclasses import dataclass
from typing import Literal

from synthetic_checkpoint.config import SIZES, Config
from synthetic_checkpoint.fills import BLOCK, Codes, Normal, Scales

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------

EMBEDDING = "model.embed_tokens.weight"


@dataclass(frozen=True)
class Tensor:
    """A tensor under its Hugging Face name."""

    key: str
    shape: tuple[int, ...]
    fill: Normal | Codes | Scales

    @property
    def dtype(self) -> Literal["BF16", "U8"]:
        """As safetensors calls it."""
        return "BF16" if isinstance(self.fill, Normal) else "U8"

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * (2 if self.dtype == "BF16" else 1)

    @property
    def parameters(self) -> int:
        """Numbers of the model in it: a byte of codes holds two, a scale is none of its own."""
        return math.prod(self.shape) * {Normal: 1, Codes: 2, Scales: 0}[type(self.fill)]

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows, and how many units in each: numbers, or blocks of 32."""
        *outer, last = self.shape[:-1] if isinstance(self.fill, Codes) else self.shape
        return math.prod(outer), last


def tensors(config: Config) -> list[Tensor]:
    """All tensors, in the order of the released index: layers by their names, so 10 comes before 2.

    The deviations: RMSNorm makes the input of every matrix 1, so a matrix [out, in] of deviation gain / sqrt(in) gives
    values of deviation `gain`. Attention scores and router logits have one of about 2 (rope's concentration squared is
    1.8), as sinks of 1 can be heard then; gates of 2, so that the limit of 7 is met now and then. What a layer adds is
    about a quarter of the embedding, so 24 or 36 of them double or triple the residual stream. Logits have 2.
    """
    layers, experts, hidden, mlp, heads, kv_heads, head_dim, vocab = (config[key] for key in SIZES)
    wide, narrow = heads * head_dim, kv_heads * head_dim
    made: list[Tensor] = []

    def add(key: str, shape: tuple[int, ...], fill: Normal | Codes | Scales) -> None:
        made.append(Tensor(key, shape, fill))

    def matrix(rows: int, columns: int, gain: float) -> tuple[tuple[int, int], Normal]:
        return (rows, columns), Normal(gain / math.sqrt(columns))

    def expert_matrix(key: str, rows: int, columns: int, gain: float) -> None:
        add(f"{key}_bias", (experts, rows), Normal(0.1 * gain))
        add(f"{key}_blocks", (experts, rows, columns // BLOCK, BLOCK // 2), Codes())
        add(f"{key}_scales", (experts, rows, columns // BLOCK), Scales(gain / math.sqrt(columns)))

    for layer in sorted(range(layers), key=str):
        at = f"model.layers.{layer}"
        add(f"{at}.input_layernorm.weight", (hidden,), NEAR_ONE)
        add(f"{at}.self_attn.o_proj.bias", (hidden,), Normal(0.02))
        add(f"{at}.self_attn.o_proj.weight", *matrix(hidden, wide, 0.5))
        add(f"{at}.self_attn.q_proj.bias", (wide,), Normal(0.2))
        add(f"{at}.self_attn.k_proj.bias", (narrow,), Normal(0.2))
        add(f"{at}.self_attn.v_proj.bias", (narrow,), Normal(0.1))
        add(f"{at}.self_attn.q_proj.weight", *matrix(wide, hidden, 1.0))
        add(f"{at}.self_attn.k_proj.weight", *matrix(narrow, hidden, 1.0))
        add(f"{at}.self_attn.v_proj.weight", *matrix(narrow, hidden, 1.0))
        add(f"{at}.self_attn.sinks", (heads,), Normal(1.0))
        add(f"{at}.mlp.router.bias", (experts,), Normal(0.5))
        add(f"{at}.mlp.router.weight", *matrix(experts, hidden, 1.8))
        expert_matrix(f"{at}.mlp.experts.gate_up_proj", 2 * mlp, hidden, 2.0)
        expert_matrix(f"{at}.mlp.experts.down_proj", hidden, mlp, 0.15)
        add(f"{at}.post_attention_layernorm.weight", (hidden,), NEAR_ONE)
    add(EMBEDDING, (vocab, hidden), Normal(1.0))
    add("model.norm.weight", (hidden,), NEAR_ONE)
    add("lm_head.weight", *matrix(vocab, hidden, 2.0))
    return made


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

NEAR_ONE = Normal(0.1, mean=1.0)
