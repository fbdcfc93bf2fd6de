"""How fast XLA on CPU reads a matrix, by the form in which a product is written.

    npm run python -- bench/forms.py

Prints GB/s of the matrix's own bytes, medians of seven calls. What the compiler chooses because of it: `W · x` for
weights, multiply-and-reduce for one row and a narrow matrix, FP4 decoded by whole numbers (docs/log.md).
"""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Array = jax.Array
ROWS, COLUMNS = 8192, 2880
BLOCKS = COLUMNS // 32


def main() -> None:
    """Prints the tables."""
    draw = np.random.default_rng(0)
    f32 = jnp.asarray(draw.standard_normal((ROWS, COLUMNS), dtype=np.float32))
    turned = jnp.asarray(np.asarray(f32).T.copy())
    bf16 = f32.astype(jnp.bfloat16)
    blocks = jnp.asarray(draw.integers(0, 256, (ROWS, BLOCKS, 16), dtype=np.uint8))
    scales = jnp.asarray(draw.integers(115, 122, (ROWS, BLOCKS), dtype=np.uint8))
    for rows in (1, 16, 128):
        x = jnp.asarray(draw.standard_normal((rows, COLUMNS), dtype=np.float32))
        report(f"f32, {rows} rows: W[N,K] · x", f32.nbytes, lambda w, x: dot(w, x, 1), f32, x)
        report(f"f32, {rows} rows: x · W[N,K]ᵀ", f32.nbytes, lambda w, x: dot(x, w, 1), f32, x)
        report(f"f32, {rows} rows: x · W[K,N]", f32.nbytes, lambda w, x: dot(x, w, 0), turned, x)
        report(
            f"bf16, {rows} rows: convert(W) · x", bf16.nbytes, lambda w, x: dot(w.astype(jnp.float32), x, 1), bf16, x
        )
    x = jnp.asarray(draw.standard_normal((COLUMNS,), dtype=np.float32))
    report("bf16, 1 row: sum(convert(W) * x)", bf16.nbytes, rows_times, bf16, x)
    packed = blocks.nbytes + scales.nbytes
    for name, decode in (("f4E2M1FN convert", by_convert), ("whole numbers", by_integers)):
        report(f"MXFP4 to bf16 by {name}", packed, decode, blocks, scales)
        report(
            f"MXFP4 to bf16 by {name}, then sum(W * x)",
            packed,
            lambda b, s, x, decode=decode: rows_times(lax.optimization_barrier(decode(b, s)), x),
            blocks,
            scales,
            x,
        )


def dot(left: Array, right: Array, axis: int) -> Array:
    """Contracts the left's last axis with an axis of the right."""
    return lax.dot_general(left, right, (((1,), (axis,)), ((), ())), precision=lax.Precision.HIGHEST)


def rows_times(matrix: Array, x: Array) -> Array:
    """One row times a narrow matrix, as a sum of products."""
    return jnp.sum(matrix.astype(jnp.float32) * x, -1)


def scale_of(scales: Array) -> Array:
    """Powers of two, for whole blocks."""
    return lax.bitcast_convert_type(scales, jnp.float8_e8m0fnu).astype(jnp.bfloat16)[..., None]


def by_convert(blocks: Array, scales: Array) -> Array:
    """Unpacks by the element type's own conversion."""
    elements = lax.bitcast_convert_type(blocks, jnp.float4_e2m1fn).astype(jnp.bfloat16)
    return (elements.reshape(ROWS, BLOCKS, 32) * scale_of(scales)).reshape(ROWS, COLUMNS)


def by_integers(blocks: Array, scales: Array) -> Array:
    """Unpacks by shifts and masks."""
    wide = blocks.astype(jnp.int32)
    halves = jnp.stack([decode(wide & 15), decode(wide >> 4)], -1)
    return (halves.reshape(ROWS, BLOCKS, 32) * scale_of(scales)).reshape(ROWS, COLUMNS)


def decode(code: Array) -> Array:
    """Half of twice the magnitude, signed."""
    magnitude = code & 7
    twice = jnp.where(magnitude < 2, magnitude, (2 + (magnitude & 1)) << jnp.maximum((magnitude >> 1) - 1, 0))
    return jnp.where(code > 7, -twice, twice).astype(jnp.bfloat16) * jnp.bfloat16(0.5)


def report(name: str, count: int, form: Callable[..., Array], *given: Array) -> None:
    """Times a form and prints a line."""
    compiled = jax.jit(form)
    compiled(*given).block_until_ready()
    taken = []
    for _ in range(7):
        begun = time.perf_counter()
        compiled(*given).block_until_ready()
        taken.append(time.perf_counter() - begun)
    print(f"{name:48} {count / 1e9 / sorted(taken)[3]:6.2f} GB/s", flush=True)


if __name__ == "__main__":
    main()
