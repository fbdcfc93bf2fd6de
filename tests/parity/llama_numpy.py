"""Llama written down in numpy, f64, one method per equation: the judge of variants that transformers does not have.

Follows the papers and transformers' description of a configuration: arXiv:2302.13971 for the model, arXiv:2104.09864
for the rope, arXiv:2309.00071 for YaRN, arXiv:2402.13753 for LongRoPE, transformers' modeling_rope_utils.py for the
keys and for Llama 3's stretch. Reads Hugging Face's keys. Slow and plain: no cache, no chunks. `variants.test.ts` holds
it to what transformers gives for the published model, so that a subclass with one method changed is a reference for a
variant.

Shapes in brackets: T tokens, D hidden, H query heads, K KV heads, G = H / K, d head size, I MLP width.

    python tests/parity/llama_numpy.py CONFIG.json WEIGHTS.safetensors TOKENS.json OUT.safetensors [--squared-relu]
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

type Real = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Llama:
    """A model from config.json and tensors under their Hugging Face keys."""

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> None:
        self.config = config
        self.rope_keys: Mapping[str, Any] = config.get("rope_parameters") or config.get("rope_scaling") or {}
        self.layers: int = config["num_hidden_layers"]
        self.heads: int = config["num_attention_heads"]
        self.kv_heads: int = config["num_key_value_heads"]
        self.head_dim: int = config.get("head_dim") or config["hidden_size"] // self.heads
        self.context: int = config["max_position_embeddings"]
        self.eps: float = config["rms_norm_eps"]
        self.tensors: dict[str, Real] = {key: np.asarray(value, np.float64) for key, value in tensors.items()}

    # Model -----------------------------------------------------------------------------------------------------------

    def logits(self, tokens: Sequence[int]) -> Real:
        """[T] ids to [T, vocabulary]; a tied model's unembedding is its embedding."""
        embedding = self.tensors["model.embed_tokens.weight"]
        x = embedding[list(tokens)]
        for n in range(self.layers):
            at = f"model.layers.{n}"
            x = x + self.attention(self.norm(x, f"{at}.input_layernorm.weight"), n)
            x = x + self.mlp(self.norm(x, f"{at}.post_attention_layernorm.weight"), n)
        return self.norm(x, "model.norm.weight") @ self.tensors.get("lm_head.weight", embedding).T

    def norm(self, x: Real, scale: str) -> Real:
        """RMS norm over the last axis: x / sqrt(mean(x²) + ε) · scale."""
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * self.tensors[scale]

    def linear(self, x: Real, key: str) -> Real:
        """W x, plus b where there is one. Checkpoints hold W as a matrix, `--save-weights` with its axes."""
        matrix = self.tensors[f"{key}.weight"].reshape(-1, x.shape[-1])
        return x @ matrix.T + self.tensors.get(f"{key}.bias", np.zeros(())).reshape(-1)

    def mlp(self, h: Real, n: int) -> Real:
        """A gated MLP: [T, D] to [T, D]."""
        at = f"model.layers.{n}.mlp"
        gate, up = self.linear(h, f"{at}.gate_proj"), self.linear(h, f"{at}.up_proj")
        return self.linear(self.activation(gate) * up, f"{at}.down_proj")

    def activation(self, gate: Real) -> Real:
        """SiLU, without overflow."""
        return gate * 0.5 * (1 + np.tanh(0.5 * gate))

    # Attention -------------------------------------------------------------------------------------------------------

    def attention(self, h: Real, n: int) -> Real:
        """Causal attention of grouped queries: [T, D] to [T, D]."""
        at = f"model.layers.{n}.self_attn"
        q = self.linear(h, f"{at}.q_proj").reshape(len(h), self.kv_heads, -1, self.head_dim)
        k = self.linear(h, f"{at}.k_proj").reshape(len(h), self.kv_heads, 1, self.head_dim)
        v = self.linear(h, f"{at}.v_proj").reshape(len(h), self.kv_heads, 1, self.head_dim)
        q, k = self.rope(self.queries(q, n), n), self.rope(self.keys(k, n), n)
        # As matrices for each head: [K, G, T, d] and [K, 1, T, d].
        q, k, v = (each.transpose(1, 2, 0, 3) for each in (q, k, v))
        score = q @ k.swapaxes(-1, -2) * self.head_dim**-0.5
        score = np.where(self.visible(len(h), n), score, -np.inf)
        weight = np.exp(score - score.max(-1, keepdims=True))
        mixed = (weight / weight.sum(-1, keepdims=True)) @ v
        return self.linear(mixed.transpose(2, 0, 1, 3).reshape(len(h), -1), f"{at}.o_proj")

    def queries(self, q: Real, n: int) -> Real:  # noqa: ARG002 (for variants)
        """Queries of layer n [T, K, G, d] as they turn."""
        return q

    def keys(self, k: Real, n: int) -> Real:  # noqa: ARG002 (for variants)
        """Keys of layer n [T, K, 1, d] as they turn."""
        return k

    def reach(self, n: int) -> float:  # noqa: ARG002 (for variants)
        """How many keys a query of layer n sees, itself among them."""
        return math.inf

    def visible(self, length: int, n: int) -> np.ndarray:
        """[T, T]: query i sees key j."""
        behind = np.arange(length)[:, None] - np.arange(length)
        return (behind >= 0) & (behind < self.reach(n))

    # Rope ------------------------------------------------------------------------------------------------------------

    def rope(self, x: Real, n: int) -> Real:
        """Turns [T, …, d] by its position; pairs are (i, i + half)."""
        frequencies = self.frequencies(n, x.shape[0])
        angle = (np.arange(x.shape[0])[:, None] * frequencies).reshape(x.shape[0], *[1] * (x.ndim - 2), -1)
        cos, sin = np.cos(angle) * self.concentration(), np.sin(angle) * self.concentration()
        half = len(frequencies)
        x1, x2, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
        return np.concatenate([x1 * cos - x2 * sin, x2 * cos + x1 * sin, rest], axis=-1)

    def theta(self, n: int) -> float:  # noqa: ARG002 (for variants)
        """The base of layer n."""
        return self.rope_keys.get("rope_theta") or self.config.get("rope_theta") or 10000.0

    def plain_frequencies(self, n: int) -> Real:
        """Radians per position [d / 2], not stretched."""
        return self.theta(n) ** (-2.0 * np.arange(self.head_dim // 2) / self.head_dim)

    def kind(self) -> str:
        """How the rope is stretched."""
        return self.rope_keys.get("rope_type") or self.rope_keys.get("type") or "default"

    def original(self) -> int:
        """The context that the model was trained on first."""
        for keys in (self.config, self.rope_keys):
            if keys.get("original_max_position_embeddings"):
                return keys["original_max_position_embeddings"]
        return self.context

    def factor(self) -> float:
        """How far it is stretched."""
        return self.rope_keys.get("factor") or self.context / self.original()

    def frequencies(self, n: int, length: int) -> Real:
        """Radians per position for layer n, in a row of so many tokens."""
        plain = self.plain_frequencies(n)
        match self.kind():
            case "default":
                return plain
            case "yarn":
                return self.yarn(plain, n)
            case "llama3":
                return self.llama3(plain)
            case "longrope":
                name = "long_factor" if length > self.original() else "short_factor"
                return plain / np.asarray(self.rope_keys[name], np.float64)
            case other:
                raise ValueError(f"rope of kind {other} is not written down here")

    def yarn(self, plain: Real, n: int) -> Real:
        """Fast pairs stay, slow ones are divided, a ramp lies between."""

        def correction(rotations: float) -> float:
            turns = self.original() / (rotations * 2 * math.pi)
            return self.head_dim * math.log(turns) / (2 * math.log(self.theta(n)))

        low = correction(self.rope_keys.get("beta_fast") or 32)
        high = correction(self.rope_keys.get("beta_slow") or 1)
        if self.rope_keys.get("truncate", True):
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, self.head_dim - 1)
        ramp = np.clip((np.arange(len(plain)) - low) / ((high - low) or 0.001), 0, 1)
        return plain * (ramp / self.factor() + (1 - ramp))

    def llama3(self, plain: Real) -> Real:
        """By wavelength: short ones stay, long ones are divided, those between are blended."""
        slow, fast = self.rope_keys["low_freq_factor"], self.rope_keys["high_freq_factor"]
        smooth = np.clip((self.original() * plain / (2 * math.pi) - slow) / (fast - slow), 0, 1)
        return plain * ((1 - smooth) / self.factor() + smooth)

    def concentration(self) -> float:
        """What cosines and sines are multiplied by."""
        if self.rope_keys.get("attention_factor"):
            return self.rope_keys["attention_factor"]
        if self.factor() <= 1:
            return 1.0
        match self.kind():
            case "yarn":
                return 0.1 * math.log(self.factor()) + 1
            case "longrope":
                return math.sqrt(1 + math.log(self.factor()) / math.log(self.original()))
            case _:
                return 1.0


class SquaredRelu(Llama):
    """The variant of docs/define-a-model.md (arXiv:2109.08668)."""

    def activation(self, gate: Real) -> Real:
        """max(gate, 0)²."""
        return np.maximum(gate, 0) ** 2


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file. By hand, because numpy has no bf16: its bits are the upper half of an f32."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8:start])
    tensors: dict[str, np.ndarray] = {}
    for key, each in header.items():
        if key == "__metadata__":
            continue
        begin, end = (start + at for at in each["data_offsets"])
        stored = np.frombuffer(data[begin:end], {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[each["dtype"]])
        wide = (stored.astype("<u4") << 16).view("<f4") if each["dtype"] == "BF16" else stored
        tensors[key] = wide.reshape(each["shape"])
    return tensors


def main() -> None:
    """Writes the logits of several prompts, under the name that each has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("config", "weights", "tokens", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--squared-relu", action="store_true")
    given = parser.parse_args()
    made = SquaredRelu if given.squared_relu else Llama
    model = made(json.loads(given.config.read_text()), read_tensors(given.weights))
    prompts: dict[str, list[int]] = json.loads(given.tokens.read_text())
    save_file({name: model.logits(ids).astype(np.float32) for name, ids in prompts.items()}, given.out)


if __name__ == "__main__":
    main()
