"""What the parts of models in this folder compute, by numpy alone.

Writes `expected/NAME.safetensors` for each part: its inputs under the names of the program's arguments, what must come
out under `expected.` and the names of its results. Nothing of tsxla is used: equations are written from the papers, in
f64, with loops where these are plainer. Packed blocks are gguf-py's.

    python tests/golden/make_expected.py
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants
from safetensors.numpy import save_file

Array = np.ndarray
Tensors = dict[str, Array]

# The sizes of cases.ts.
LAYERS, VOCAB, EMBED, KV, GROUP, DIM, MLP, KEY = 2, 11, 10, 2, 3, 4, 7, 6
EPS = 1e-5
FREQUENCIES = 10_000.0 ** (-np.arange(DIM // 2) * 2 / DIM)


def main() -> None:
    """Writes every file."""
    out = Path(__file__).parent / "expected"
    out.mkdir(exist_ok=True)
    for name, make in CASES.items():
        inputs, expected = make(Source(name))
        tensors = {**inputs, **{f"expected.{key}": value for key, value in expected.items()}}
        save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, out / f"{name}.safetensors")


class Source:
    """Random numbers that depend on nothing but a name."""

    def __init__(self, name: str) -> None:
        """Starts a stream for `name`."""
        self.generator = np.random.Generator(
            np.random.Philox(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]))
        )

    def floats(self, *shape: int, scale: float = 1.0) -> Array:
        """Uniform numbers in [-scale, scale), as f32."""
        return ((self.generator.random(shape) * 2 - 1) * scale).astype(np.float32)

    def attention(self, prefix: str) -> Tensors:
        """Weights of one attention, with biases."""
        shapes = {
            "norm": (EMBED,),
            "q": (KV, GROUP, DIM, EMBED),
            "k": (KV, DIM, EMBED),
            "v": (KV, DIM, EMBED),
            "out": (EMBED, KV, GROUP, DIM),
            "qBias": (KV, GROUP, DIM),
            "kBias": (KV, DIM),
            "vBias": (KV, DIM),
            "outBias": (EMBED,),
        }
        return {f"{prefix}{key}": self.floats(*shape) for key, shape in shapes.items()}

    def mlp(self, prefix: str) -> Tensors:
        """Weights of one gated MLP."""
        shapes = {"norm": (EMBED,), "gate": (MLP, EMBED), "up": (MLP, EMBED), "down": (EMBED, MLP)}
        return {f"{prefix}{key}": self.floats(*shape) for key, shape in shapes.items()}


# Equations


def rms_norm(x: Array, scale: Array) -> Array:
    """`x` over its root mean square, times `scale` (arXiv:1910.07467)."""
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPS) * scale


def turn(vector: Array, position: float, frequencies: Array, scale: float = 1.0) -> Array:
    """One head's vector, turned pair by pair (arXiv:2104.09864)."""
    half = len(frequencies)
    out = np.empty_like(vector)
    for i in range(half):
        c, s = np.cos(position * frequencies[i]) * scale, np.sin(position * frequencies[i]) * scale
        a, b = vector[i], vector[i + half]
        out[i], out[i + half] = a * c - b * s, b * c + a * s
    return out


def softmax(scores: Array) -> Array:
    """Exponentials over their sum."""
    mass = np.exp(scores - scores.max())
    return mass / mass.sum()


def silu(x: Array) -> Array:
    """`x` times its sigmoid."""
    return x / (1 + np.exp(-x))


def attend(x: Array, w: Tensors, k: Array, v: Array, start: int, positions: Array, frequencies: Array) -> Array:
    """Causal grouped-query attention of one row; writes its keys and values into `k` and `v`, [key, head, dim]."""
    h = rms_norm(x, w["norm"])
    for t, position in enumerate(positions):
        for head in range(KV):
            k[start + t, head] = turn(w["k"][head] @ h[t] + w["kBias"][head], position, frequencies)
            v[start + t, head] = w["v"][head] @ h[t] + w["vBias"][head]
    out = x + w["outBias"]
    for t, position in enumerate(positions):
        for head in range(KV):
            for group in range(GROUP):
                q = turn(w["q"][head, group] @ h[t] + w["qBias"][head, group], position, frequencies) / np.sqrt(DIM)
                probabilities = softmax(k[: start + t + 1, head] @ q)
                out[t] += w["out"][:, head, group] @ (probabilities @ v[: start + t + 1, head])
    return out


def gated_mlp(x: Array, w: Tensors) -> Array:
    """SwiGLU with its residual (arXiv:2002.05202)."""
    h = rms_norm(x, w["norm"])
    return x + (silu(h @ w["gate"].T) * (h @ w["up"].T)) @ w["down"].T


def below(tensors: Tensors, prefix: str) -> Tensors:
    """The tensors whose names start with `prefix`, without it, in f64."""
    return {
        key.removeprefix(prefix): value.astype(np.float64) for key, value in tensors.items() if key.startswith(prefix)
    }


# Parts


def case_rms_norm(source: Source) -> tuple[Tensors, Tensors]:
    """A norm over three positions of two rows."""
    x, scale = source.floats(2, 3, EMBED), source.floats(EMBED)
    return {"x": x, "w.scale": scale}, {"result": rms_norm(x.astype(np.float64), scale).astype(np.float32)}


def case_rms_norm_bf16(source: Source) -> tuple[Tensors, Tensors]:
    """The same in bf16: computed in f32, rounded once."""
    x, scale = (source.floats(*shape).astype(ml_dtypes.bfloat16) for shape in ((2, 3, EMBED), (EMBED,)))
    exact = rms_norm(x.astype(np.float64), scale.astype(np.float64))
    return {"x": x, "w.scale": scale}, {"result": exact.astype(np.float32).astype(ml_dtypes.bfloat16)}


def case_rope(source: Source) -> tuple[Tensors, Tensors]:
    """Rows at different positions, and of different frequencies."""
    x = source.floats(2, 3, KV, DIM)
    positions = np.array([[0, 1, 2], [700, 701, 702]], np.int32)
    frequencies = np.stack([FREQUENCIES, FREQUENCIES / 2]).astype(np.float32)
    turned = np.empty(x.shape)
    for b in range(2):
        for t in range(3):
            for head in range(KV):
                turned[b, t, head] = turn(
                    x[b, t, head].astype(np.float64), positions[b, t], frequencies[b].astype(np.float64), 1.25
                )
    return {"x": x, "positions": positions, "frequencies": frequencies}, {"result": turned.astype(np.float32)}


def attention_case(batch: int) -> Callable[[Source], tuple[Tensors, Tensors]]:
    """Attention of `batch` rows that stand at different positions of caches which hold something already."""

    def make(source: Source) -> tuple[Tensors, Tensors]:
        w, x = source.attention("w."), source.floats(batch, 3, EMBED)
        start = np.array([1, 3][:batch], np.int32)
        positions = start[:, None] + np.arange(3, dtype=np.int32)
        frequencies = np.tile(FREQUENCIES.astype(np.float32), (batch, 1))
        k, v = source.floats(batch, KEY, KV, DIM), source.floats(batch, KEY, KV, DIM)
        new_k, new_v = k.astype(np.float64), v.astype(np.float64)
        out = np.empty(x.shape)
        for b in range(batch):
            row, turns = x[b].astype(np.float64), frequencies[b].astype(np.float64)
            out[b] = attend(row, below(w, "w."), new_k[b], new_v[b], int(start[b]), positions[b], turns)
        inputs = {
            **w,
            "x": x,
            "start": start,
            "positions": positions,
            "frequencies": frequencies,
            "cache.k": k,
            "cache.v": v,
        }
        results = {"out": out, "cache.k": new_k, "cache.v": new_v}
        return inputs, {key: value.astype(np.float32) for key, value in results.items()}

    return make


def case_mlp(source: Source) -> tuple[Tensors, Tensors]:
    """A gated MLP."""
    w, x = source.mlp("w."), source.floats(2, 3, EMBED)
    return {**w, "x": x}, {"result": gated_mlp(x.astype(np.float64), below(w, "w.")).astype(np.float32)}


def case_mixture(source: Source) -> tuple[Tensors, Tensors]:
    """Five experts, the two likeliest for each token, weighted by a softmax over those two."""
    x = source.floats(2, 3, EMBED)
    w = {
        "w.router": source.floats(5, EMBED),
        "w.up": source.floats(5, MLP, EMBED),
        "w.down": source.floats(5, EMBED, MLP),
    }
    wide = below(w, "w.")
    out = np.zeros(x.shape)
    for b in range(2):
        for t in range(3):
            h = x[b, t].astype(np.float64)
            scores = wide["router"] @ h
            chosen = np.argsort(-scores, kind="stable")[:2]
            for weight, expert in zip(softmax(scores[chosen]), chosen, strict=True):
                out[b, t] += weight * (wide["down"][expert] @ silu(wide["up"][expert] @ h))
    return {**w, "x": x}, {"result": out.astype(np.float32)}


def step_case(
    batch: int, pos: int, outputs: str, dtype: np.dtype | type = np.float32
) -> Callable[[Source], tuple[Tensors, Tensors]]:
    """A whole step of a tiny Llama. Rows hold one and two positions already; the second one ends in padding."""

    def make(source: Source) -> tuple[Tensors, Tensors]:
        w = {"weights.embed": source.floats(VOCAB, EMBED)}
        for layer in range(LAYERS):
            w |= source.attention(f"weights.layers.{layer}.attn.") | source.mlp(f"weights.layers.{layer}.mlp.")
        w |= {"weights.norm": source.floats(EMBED), "weights.unembed": source.floats(VOCAB, EMBED)}
        start = np.array([1, 2][:batch], np.int32)
        length = np.array([pos, max(pos - 1, 1)][:batch], np.int32)
        tokens = (np.arange(batch * pos, dtype=np.int32).reshape(batch, pos) * 5 + 3) % VOCAB
        frequencies = np.tile(FREQUENCIES.astype(np.float32), (batch, 1))
        caches = {f"caches.{n}.{side}": source.floats(batch, KEY, KV, DIM) for n in range(LAYERS) for side in "kv"}
        w, caches = ({key: value.astype(dtype) for key, value in each.items()} for each in (w, caches))
        new = {key: value.astype(np.float64) for key, value in caches.items()}
        hidden = np.empty((batch, pos, EMBED))
        for b in range(batch):
            x = w["weights.embed"].astype(np.float64)[tokens[b]]
            positions = start[b] + np.arange(pos)
            for layer in range(LAYERS):
                k, v = new[f"caches.{layer}.k"][b], new[f"caches.{layer}.v"][b]
                own, turns = below(w, f"weights.layers.{layer}.attn."), frequencies[b].astype(np.float64)
                x = attend(x, own, k, v, int(start[b]), positions, turns)
                x = gated_mlp(x, below(w, f"weights.layers.{layer}.mlp."))
            hidden[b] = rms_norm(x, w["weights.norm"].astype(np.float64))
        logits = hidden @ w["weights.unembed"].astype(np.float64).T
        expected: Tensors = {"logits": logits}
        if outputs == "last":
            logits = logits[np.arange(batch), length - 1]
            ids = np.argsort(-logits, axis=-1, kind="stable").astype(np.int32)
            peak = logits.max(axis=-1)
            expected = {
                "logits": logits,
                "candidates.values": np.take_along_axis(logits, ids, axis=-1),
                "candidates.ids": ids,
                "logSumExp": peak + np.log(np.exp(logits - peak[:, None]).sum(axis=-1)),
            }
        inputs = {"tokens": tokens, "start": start, "length": length, "frequencies": frequencies, **w, **held(caches)}
        floats = {
            key: value if value.dtype == np.int32 else value.astype(np.float32) for key, value in expected.items()
        }
        return inputs, {**floats, **held({key: value.astype(dtype) for key, value in new.items()})}

    return make


def held(caches: Tensors) -> Tensors:
    """Caches in the engine's order: keys with positions innermost, values with dimensions innermost."""
    return {
        key: np.ascontiguousarray(value.transpose((0, 2, 3, 1) if key.endswith(".k") else (0, 2, 1, 3)))
        for key, value in caches.items()
    }


def load_case(kind: str, interleaved: bool = False) -> Callable[[Source], tuple[Tensors, Tensors]]:
    """A matrix of six rows, three heads of two dimensions, packed and unpacked by gguf-py."""

    def make(source: Source) -> tuple[Tensors, Tensors]:
        held = GGMLQuantizationType[kind]
        packed = quants.quantize(source.floats(6, 64), held)
        values = quants.dequantize(packed, held)
        weight = values.reshape(3, 2, 64)
        if interleaved:
            # The file alternates between the halves of each head: pair 0 of half 0, pair 0 of half 1, …
            weight = values.reshape(3, 1, 2, 64).swapaxes(1, 2).reshape(3, 2, 64)
        return {"stored": packed.reshape(6, 2, -1)}, {"weight": weight}

    return make


def load_k_case(kind: str, halves: slice) -> Callable[[Source], tuple[Tensors, Tensors]]:
    """The same of random blocks of 256, which gguf-py does not pack; `halves` are the bytes of their f16."""

    def make(source: Source) -> tuple[Tensors, Tensors]:
        held = GGMLQuantizationType[kind]
        packed = source.generator.integers(0, 256, (6, 2, GGML_QUANT_SIZES[held][1]), np.uint8)
        scales = source.floats(6, 2, (halves.stop - halves.start) // 2, scale=1e-3)
        packed[..., halves] = scales.astype("<f2").view("u1")
        values = quants.dequantize(packed.reshape(6, -1), held)
        return {"stored": packed}, {"weight": values.reshape(3, 2, 512)}

    return make


CASES: dict[str, Callable[[Source], tuple[Tensors, Tensors]]] = {
    "rms-norm": case_rms_norm,
    "rms-norm-bf16": case_rms_norm_bf16,
    "rope": case_rope,
    "attention": attention_case(2),
    "attention-one-row": attention_case(1),
    "mlp": case_mlp,
    "mixture": case_mixture,
    "llama-decode": step_case(1, 1, "last"),
    "llama-decode-bf16": step_case(1, 1, "last", ml_dtypes.bfloat16),
    "llama-prefill": step_case(2, 3, "last"),
    "llama-logits": step_case(1, 3, "all"),
    "load-q8_0": load_case("Q8_0"),
    "load-q4_0": load_case("Q4_0"),
    "load-q4_1-interleaved": load_case("Q4_1", interleaved=True),
    "load-q5_0": load_case("Q5_0"),
    "load-q5_1": load_case("Q5_1"),
    "load-q5_k": load_k_case("Q5_K", slice(0, 4)),
    "load-q4_k": load_k_case("Q4_K", slice(0, 4)),
    "load-q6_k": load_k_case("Q6_K", slice(208, 210)),
}

if __name__ == "__main__":
    main()
