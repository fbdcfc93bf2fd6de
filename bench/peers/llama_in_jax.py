"""The peer of trace.bench.ts: the same step of the same model, in plain JAX, traced and lowered to text once.

Same sizes, same arguments (a linear cache that is donated, the 64 best candidates, the log-sum-exp), shapes only.
`layers` says how the thirty layers are written: `unrolled` traces each, `jitted` traces one function that is called
thirty times and printed once, as tsxla prints it, and `scan` stacks the weights and traces one.
Prints the processor time of each stage as JSON.
"""

import json
import sys
import time
from functools import partial

started = time.process_time()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

VOCAB, EMBED, MLP, LAYERS, HEADS, KV_HEADS, DIM = 49152, 576, 1536, 30, 9, 3, 64
GROUP = HEADS // KV_HEADS
EPS = 1e-5
CANDIDATES = 64

type Array = jax.Array
type Tree = dict[str, Array]


def rms_norm(x: Array, scale: Array) -> Array:
    """Normalises the last axis in f32."""
    wide = x.astype(jnp.float32)
    unit = wide * jax.lax.rsqrt(jnp.mean(wide * wide, axis=-1, keepdims=True) + EPS)
    return (unit * scale).astype(x.dtype)


def rope(x: Array, cos: Array, sin: Array) -> Array:
    """Turns halves of the last axis."""
    low, high = jnp.split(x, 2, axis=-1)
    return x * cos + jnp.concatenate([-high, low], axis=-1) * sin


def layer(w: Tree, cache: Tree, x: Array, start: Array, cos: Array, sin: Array) -> tuple[Array, Tree]:
    """Attention over the cache and a gated MLP; returns the stream and the extended cache."""
    h = rms_norm(x, w["attn_norm"])
    q = rope(jnp.einsum("bpe,kgde->bpkgd", h, w["q"]), cos[:, :, None, None], sin[:, :, None, None]) * DIM**-0.5
    k = rope(jnp.einsum("bpe,kde->bpkd", h, w["k"]), cos[:, :, None], sin[:, :, None])
    v = jnp.einsum("bpe,kde->bpkd", h, w["v"])
    put = jax.vmap(partial(jax.lax.dynamic_update_slice_in_dim, axis=0))
    keys, values = put(cache["k"], k, start), put(cache["v"], v, start)
    positions = start[:, None] + jnp.arange(x.shape[1])
    seen = positions[:, :, None] >= jnp.arange(keys.shape[1])
    scores = jnp.einsum("bpkgd,btkd->bkgpt", q, keys).astype(jnp.float32)
    weights = jax.nn.softmax(jnp.where(seen[:, None, None], scores, -1e30), axis=-1).astype(x.dtype)
    mix = jnp.einsum("bkgpt,btkd->bpkgd", weights, values)
    x = x + jnp.einsum("bpkgd,ekgd->bpe", mix, w["out"])
    h = rms_norm(x, w["mlp_norm"])
    gate, up = jnp.einsum("bpe,me->bpm", h, w["gate"]), jnp.einsum("bpe,me->bpm", h, w["up"])
    return x + jnp.einsum("bpm,em->bpe", jax.nn.silu(gate) * up, w["down"]), {"k": keys, "v": values}


def step(form: str, weights: dict, caches: object, tokens: Array, start: Array, length: Array, freq: Array) -> dict:
    """One chunk of tokens through all layers."""
    positions = (start[:, None] + jnp.arange(tokens.shape[1])).astype(jnp.float32)
    angles = positions[:, :, None] * jnp.concatenate([freq, freq], axis=-1)[:, None]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    x = weights["embed"][tokens]
    if form == "scan":

        def body(x: Array, given: tuple[Tree, Tree]) -> tuple[Array, Tree]:
            return layer(*given, x, start, cos, sin)

        x, kept = jax.lax.scan(body, x, (weights["layers"], caches))
    else:
        each = jax.jit(layer) if form == "jitted" else layer
        kept = []
        for w, cache in zip(weights["layers"], caches, strict=True):
            x, extended = each(w, cache, x, start, cos, sin)
            kept.append(extended)
    last = jnp.take_along_axis(rms_norm(x, weights["norm"]), (length - 1)[:, None, None], axis=1)[:, 0]
    logits = jnp.einsum("be,ve->bv", last, weights["embed"]).astype(jnp.float32)
    values, ids = jax.lax.top_k(logits, CANDIDATES)
    return {
        "logits": logits,
        "values": values,
        "ids": ids,
        "log_sum_exp": jax.nn.logsumexp(logits, axis=-1),
        "caches": kept,
    }


def shapes(form: str, capacity: int, dtype: jnp.dtype) -> tuple[dict, object]:
    """The types of the weights and of the caches."""

    def of(*sizes: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(sizes, dtype)

    def stack(tree: dict) -> dict:
        return {name: of(LAYERS, *leaf.shape) for name, leaf in tree.items()}

    one = {
        "attn_norm": of(EMBED),
        "q": of(KV_HEADS, GROUP, DIM, EMBED),
        "k": of(KV_HEADS, DIM, EMBED),
        "v": of(KV_HEADS, DIM, EMBED),
        "out": of(EMBED, KV_HEADS, GROUP, DIM),
        "mlp_norm": of(EMBED),
        "gate": of(MLP, EMBED),
        "up": of(MLP, EMBED),
        "down": of(EMBED, MLP),
    }
    cache = {name: of(1, capacity, KV_HEADS, DIM) for name in ("k", "v")}
    layers, caches = (stack(one), stack(cache)) if form == "scan" else ([one] * LAYERS, [cache] * LAYERS)
    return {"embed": of(VOCAB, EMBED), "layers": layers, "norm": of(EMBED)}, caches


def main(form: str, pos: int, capacity: int, compute: str) -> None:
    """Traces and lowers once."""
    imported = time.process_time()
    weights, caches = shapes(form, capacity, jnp.float32 if compute == "f32" else jnp.bfloat16)

    def ints(*sizes: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(sizes, jnp.int32)

    frequencies = jax.ShapeDtypeStruct((1, DIM // 2), jnp.float32)
    jitted = jax.jit(partial(step, form), donate_argnums=1)
    traced = jitted.trace(weights, caches, ints(1, pos), ints(1), ints(1), frequencies)
    after_trace = time.process_time()
    text = traced.lower().as_text(debug_info=True)
    lowered = time.process_time()
    print(
        json.dumps(
            {
                "importMs": (imported - started) * 1e3,
                "traceMs": (after_trace - imported) * 1e3,
                "lowerMs": (lowered - after_trace) * 1e3,
                "bytes": len(text.encode()),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
