"""What XLA's best product gives here: one large square matrix product, again and again, for prefill.bench.ts.

For each line on standard input it multiplies a few times and answers with the seconds of each product.
Arguments: SIZE DTYPE.
"""

import json
import sys
import time

import jax
import jax.numpy as jnp


def main(size: int, dtype: str) -> None:
    """Multiplies as often as it is asked to."""
    x = jnp.ones((size, size), dtype)
    product = jax.jit(jnp.dot)
    jax.block_until_ready(product(x, x))
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            jax.block_until_ready(product(x, x))
            seconds.append(time.perf_counter() - started)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
