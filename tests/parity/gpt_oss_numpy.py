"""GPT-OSS written down in numpy, f64, one method per equation: the second judge beside transformers.

Follows the published description alone: openai/gpt-oss `gpt_oss/torch/model.py` for the mathematics, the OCP
Microscaling specification 1.0 for MXFP4, arXiv:2309.00071 for YaRN. Reads OpenAI's tensor layout, MXFP4 experts as they
are stored, so that it shares no loading with transformers, which reads the Hugging Face one. Slow and plain: no cache,
no chunks; each expert sees the tokens that chose it.

Every method is a place where an implementation can be wrong; `gpt_oss_mutations.py` overrides them one at a time.
Shapes in brackets: T tokens, D hidden, H query heads, K KV heads, G = H / K, d head size, E experts, I expert width.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

type Real = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
type Whole = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


class GptOss:
    """A model from config.json (Hugging Face keys, rope in either spelling) and tensors under OpenAI's names.

    An expert matrix is MXFP4, as `.blocks` and `.scales`, or plain numbers.
    """

    alpha = 1.702

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> None:
        rope = config.get("rope_parameters") or {"rope_theta": config.get("rope_theta"), **config["rope_scaling"]}
        self.layers: int = config["num_hidden_layers"]
        self.chosen: int = config["num_experts_per_tok"]
        self.heads: int = config["num_attention_heads"]
        self.kv_heads: int = config["num_key_value_heads"]
        self.head_dim: int = config["head_dim"]
        self.window: int = config["sliding_window"]
        self.slides: list[bool] = [kind == "sliding_attention" for kind in config["layer_types"]]
        self.limit: float = config["swiglu_limit"]
        self.eps: float = config["rms_norm_eps"]
        self.theta: float = rope["rope_theta"]
        self.factor: float = rope["factor"]
        self.original: int = rope["original_max_position_embeddings"]
        self.beta_fast: float = rope["beta_fast"]
        self.beta_slow: float = rope["beta_slow"]
        self.truncate: bool = rope["truncate"]
        self.tensors: dict[str, Real] = {}
        for key, value in tensors.items():
            if key.endswith(".blocks"):
                stem = key.removesuffix(".blocks")
                self.tensors[stem] = self.dequantise(value, tensors[f"{stem}.scales"])
            elif not key.endswith(".scales"):
                self.tensors[key] = np.asarray(value, np.float64)

    # MXFP4 -----------------------------------------------------------------------------------------------------------

    def fp4(self, code: np.ndarray) -> Real:
        """The value of an E2M1 code: sign, two bits of exponent (bias 1), one of mantissa; exponent 0 is subnormal."""
        sign, exponent, mantissa = 1 - 2.0 * (code >> 3), (code >> 1) & 3, code & 1
        magnitude = np.where(exponent == 0, mantissa / 2, (1 + mantissa / 2) * 2.0 ** (exponent.astype(float) - 1))
        return sign * magnitude

    def scale(self, byte: np.ndarray) -> Real:
        """The value of an E8M0 scale; 255 is NaN and occurs in no checkpoint."""
        return 2.0 ** (byte.astype(np.float64) - 127)

    def element_order(self, low: Real, high: Real) -> Real:
        """[…, 16] low and high nibbles to [..., 32]: the low nibble is the even element."""
        return np.stack([low, high], axis=-1).reshape(*low.shape[:-1], 32)

    def dequantise(self, blocks: np.ndarray, scales: np.ndarray) -> Real:
        """[..., blocks, 16] bytes and [..., blocks] scales to [..., 32 * blocks]."""
        values = self.element_order(self.fp4(blocks & 15), self.fp4(blocks >> 4)) * self.scale(scales)[..., None]
        return values.reshape(*blocks.shape[:-2], -1)

    # Model -----------------------------------------------------------------------------------------------------------

    def logits(self, tokens: Sequence[int]) -> Real:
        """[T] ids to [T, vocabulary]."""
        x = self.embed(tokens)
        for n in range(self.layers):
            x = x + self.attention(self.norm(x, f"block.{n}.attn.norm.scale"), n)
            x = x + self.mixture(self.norm(x, f"block.{n}.mlp.norm.scale"), n)
        return self.norm(x, "norm.scale") @ self.tensors["unembedding.weight"].T

    def embed(self, tokens: Sequence[int]) -> Real:
        """Rows of the embedding, unscaled."""
        return self.tensors["embedding.weight"][list(tokens)]

    def norm(self, x: Real, scale: str) -> Real:
        """RMS norm: x / sqrt(mean(x²) + ε) · scale."""
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * self.tensors[scale]

    def linear(self, x: Real, key: str) -> Real:
        """W x + b."""
        return x @ self.tensors[f"{key}.weight"].T + self.tensors[f"{key}.bias"]

    # Rope ------------------------------------------------------------------------------------------------------------

    def correction(self, rotations: float) -> float:
        """Where among the frequencies one turns so often within the original context."""
        return self.head_dim / 2 * math.log(self.original / (rotations * 2 * math.pi)) / math.log(self.theta)

    def ramp_ends(self) -> tuple[float, float]:
        """Below the first, frequencies stay; above the second, they are divided.

        Rounding outwards is `truncate`. The reference program asserts that the first is above 0; where a config has it
        below, transformers and llama.cpp begin at 0.
        """
        low, high = self.correction(self.beta_fast), self.correction(self.beta_slow)
        if self.truncate:
            low, high = math.floor(low), math.ceil(high)
        return max(low, 0), high

    def plain_frequencies(self) -> Real:
        """Of a rope without YaRN."""
        return self.theta ** (-2.0 * np.arange(self.head_dim // 2) / self.head_dim)

    def frequencies(self, n: int) -> Real:  # noqa: ARG002 (the same for all layers)
        """Radians per position [d / 2] for layer n."""
        low, high = self.ramp_ends()
        ramp = np.clip((np.arange(self.head_dim // 2) - low) / (high - low), 0, 1)
        return self.plain_frequencies() * (ramp / self.factor + (1 - ramp))

    def concentration(self) -> float:
        """What YaRN multiplies cosines and sines by, at every length."""
        return 0.1 * math.log(self.factor) + 1

    def rope(self, x: Real, n: int) -> Real:
        """Turns [T, …, d] by its position."""
        angle = self.angles(x.shape[0], n)
        angle = angle.reshape(x.shape[0], *[1] * (x.ndim - 2), -1)
        return self.rotate(x, np.cos(angle) * self.concentration(), np.sin(angle) * self.concentration())

    def angles(self, length: int, n: int) -> Real:
        """[T, d / 2]."""
        return np.arange(length)[:, None] * self.frequencies(n)

    def rotate(self, x: Real, cos: Real, sin: Real) -> Real:
        """Pairs are (i, i + d / 2)."""
        x1, x2 = np.split(x, 2, axis=-1)
        return np.concatenate([x1 * cos - x2 * sin, x2 * cos + x1 * sin], axis=-1)

    # Attention -------------------------------------------------------------------------------------------------------

    def attention(self, h: Real, n: int) -> Real:
        """Grouped queries, sinks, a window on sliding layers: [T, D] to [T, D]."""
        q, k, v = np.split(
            self.linear(h, f"block.{n}.attn.qkv"),
            [self.heads * self.head_dim, (self.heads + self.kv_heads) * self.head_dim],
            axis=-1,
        )
        q = self.rope(self.group(q), n)
        k = self.rope(k.reshape(-1, self.kv_heads, self.head_dim), n)
        v = v.reshape(-1, self.kv_heads, self.head_dim)
        # As matrices for each head: [K, G, T, d] and [K, 1, T, d].
        q, k, v = q.transpose(1, 2, 0, 3), k.transpose(1, 0, 2)[:, None], v.transpose(1, 0, 2)[:, None]
        score = q @ k.swapaxes(-1, -2) * self.head_dim**-0.5
        score = np.where(self.visible(len(h), n), score, -np.inf)
        share = self.softmax_with_sink(score, self.sinks(n)[:, :, None, None])
        return self.linear(self.ungroup((share @ v).transpose(2, 0, 1, 3)), f"block.{n}.attn.out")

    def group(self, q: Real) -> Real:
        """[T, H · d] to [T, K, G, d]: query head k · G + g looks at KV head k."""
        return q.reshape(len(q), self.kv_heads, -1, self.head_dim)

    def ungroup(self, a: Real) -> Real:
        """[T, K, G, d] to [T, H · d]."""
        return a.reshape(len(a), -1)

    def sinks(self, n: int) -> Real:
        """One logit per query head [K, G]."""
        return self.tensors[f"block.{n}.attn.sinks"].reshape(self.kv_heads, -1)

    def reach(self, n: int) -> float:
        """How many keys a query of layer n sees, itself among them."""
        return self.window if self.slides[n] else math.inf

    def visible(self, length: int, n: int) -> np.ndarray:
        """[T, T]: query i sees key j."""
        behind = np.arange(length)[:, None] - np.arange(length)
        return (behind >= 0) & (behind < self.reach(n))

    def softmax_with_sink(self, score: Real, sink: Real) -> Real:
        """Softmax over the keys and the sink, of which the sink's share is dropped."""
        top = np.maximum(score.max(-1, keepdims=True), sink)
        weight = np.exp(score - top)
        return weight / (weight.sum(-1, keepdims=True) + np.exp(sink - top))

    # Experts ---------------------------------------------------------------------------------------------------------

    def router_logits(self, h: Real, n: int) -> Real:
        """[T, E]."""
        return self.linear(h, f"block.{n}.mlp.gate")

    def choose(self, g: Real) -> Whole:
        """The largest logits, descending; of equal ones the lower index first: [T, E] to [T, chosen]."""
        return np.argsort(-g, axis=-1, kind="stable")[:, : self.chosen]

    def shares(self, g: Real, chosen: Whole) -> Real:
        """Softmax over the chosen logits alone: [T, chosen]."""
        picked = np.take_along_axis(g, chosen, axis=-1)
        weight = np.exp(picked - picked.max(-1, keepdims=True))
        return weight / weight.sum(-1, keepdims=True)

    def mixture(self, h: Real, n: int) -> Real:
        """The chosen experts' answers by their shares: [T, D] to [T, D]."""
        g = self.router_logits(h, n)
        chosen = self.choose(g)
        share = self.shares(g, chosen)
        out = np.zeros_like(h)
        for e in range(g.shape[-1]):
            token, place = np.nonzero(chosen == e)
            gate, up = self.gate_and_up(self.first(h[token], n, e))
            out[token] += self.weigh(
                share[token, place, None], self.second(self.swiglu(gate, up), n, e), self.bias(n, e)
            )
        return out

    def first(self, h: Real, n: int, e: int) -> Real:
        """W1 h + b1: [T, D] to [T, 2 I]."""
        return h @ self.tensors[f"block.{n}.mlp.mlp1_weight"][e].T + self.tensors[f"block.{n}.mlp.mlp1_bias"][e]

    def gate_and_up(self, u: Real) -> tuple[Real, Real]:
        """Interleaved: gates are the even rows."""
        return u[:, 0::2], u[:, 1::2]

    def swiglu(self, gate: Real, up: Real) -> Real:
        """Gate held from above, up from both sides; gate · sigmoid(1.702 gate) · (up + 1)."""
        gate, up = self.clamp_gate(gate), self.clamp_up(up)
        return gate * self.sigmoid(self.alpha * gate) * self.offset(up)

    def clamp_gate(self, gate: Real) -> Real:
        """Min(gate, limit)."""
        return np.minimum(gate, self.limit)

    def clamp_up(self, up: Real) -> Real:
        """Within ± limit."""
        return np.clip(up, -self.limit, self.limit)

    def offset(self, up: Real) -> Real:
        """Up + 1."""
        return up + 1

    def sigmoid(self, x: Real) -> Real:
        """1 / (1 + e⁻ˣ), without overflow."""
        return 0.5 * (1 + np.tanh(0.5 * x))

    def second(self, act: Real, n: int, e: int) -> Real:
        """W2 act: [T, I] to [T, D]."""
        return act @ self.tensors[f"block.{n}.mlp.mlp2_weight"][e].T

    def bias(self, n: int, e: int) -> Real:
        """b2 [D]."""
        return self.tensors[f"block.{n}.mlp.mlp2_bias"][e]

    def weigh(self, share: Real, product: Real, bias: Real) -> Real:
        """The bias is inside the weighting."""
        return share * (product + bias)
