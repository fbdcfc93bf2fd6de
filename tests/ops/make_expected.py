"""Writes the numbers that the tests of dsl/ops expect, from numpy and JAX, into fixtures/expected.json.

    npm run python -- tests/ops/make_expected.py

Functions are evaluated in f64 on inputs that are exact in f32 and rounded once, so that no library's f32 version is the
judge. Numbers that JSON lacks are the strings "inf", "-inf" and "nan"; -0.0 is "-0".
"""

import json
import math
import os
import warnings
from collections.abc import Iterable
from pathlib import Path

os.environ["JAX_PLATFORMS"] = "cpu"

import gguf
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import numpy.typing as npt

TRICKY = [
    *[-math.inf, -88.5, -3.0, -2.5, -1.5, -1.0, -0.75, -0.5, -1e-7, -1.2e-38, -0.0],
    *[
        0.0,
        1.2e-38,
        1e-7,
        0.3,
        0.5,
        1.0,
        1.5,
        2.5,
        3.0,
        10.0,
        88.0,
        1e4,
        3e38,
        math.inf,
        math.nan,
    ],
]

UNARY = {
    "abs": np.abs,
    "cbrt": np.cbrt,
    "ceil": np.ceil,
    "cos": np.cos,
    "exp": np.exp,
    "expm1": np.expm1,
    "floor": np.floor,
    "isFinite": np.isfinite,
    "log": np.log,
    "log1p": np.log1p,
    "neg": np.negative,
    "round": np.round,
    "rsqrt": lambda x: np.where(x == 0, np.copysign(np.inf, x), 1 / np.sqrt(x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sign": lambda x: np.where(x == 0, x, np.sign(x)),
    "sin": np.sin,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}

BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "rem": np.fmod,
    "max": np.maximum,
    "min": np.minimum,
    "pow": np.power,
    "atan2": np.arctan2,
}

COMPARISONS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "lt": np.less,
}

PAIRS = [-math.inf, -3.5, -1.0, -0.0, 0.0, 0.5, 2.0, 3.0, math.inf, math.nan]

INTEGERS = {
    "i8": [-128, -127, -7, -1, 0, 1, 2, 7, 8, 127],
    "u8": [0, 1, 2, 7, 8, 127, 128, 255],
    "i32": [-(2**31), -(2**31) + 1, -7, -1, 0, 1, 2, 31, 32, 2**31 - 1],
    "u32": [0, 1, 2, 7, 31, 32, 2**31, 2**32 - 1],
    "i64": [-(2**63), -7, -1, 0, 1, 2, 63, 64, 2**63 - 1],
}


def plain(value: object) -> object:
    """A number as JSON can hold it."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        number = int(value)
        return number if abs(number) < 2**53 else f"{number}n"
    number = float(value)
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    if number == 0 and math.copysign(1, number) < 0:
        return "-0"
    return number


def many(values: npt.ArrayLike) -> list:
    """An array, flat, as JSON can hold it."""
    return [plain(value) for value in np.asarray(values).reshape(-1)]


def rounded(values: np.ndarray) -> list:
    """f64 results as the f32 nearest to them."""
    return many(values if values.dtype == bool else values.astype(np.float32).astype(np.float64))


def wide(values: list[float]) -> np.ndarray:
    """f32 numbers as f64."""
    return np.array(values, np.float32).astype(np.float64)


def functions() -> dict:
    """Every function of one or two floats, on numbers at which they tend to go wrong."""
    x = wide(TRICKY)
    left, right = (part.reshape(-1) for part in np.meshgrid(wide(PAIRS), wide(PAIRS), indexing="ij"))
    return {
        "x": many(x),
        "unary": {name: rounded(function(x)) for name, function in UNARY.items()},
        "left": many(left),
        "right": many(right),
        "binary": {name: rounded(function(left, right)) for name, function in BINARY.items()},
        "comparisons": {name: many(function(left, right)) for name, function in COMPARISONS.items()},
    }


def integer_functions(name: str, values: list[int]) -> dict:
    """Integers wrap around; a quotient by zero has all bits set, a remainder by zero is the left operand."""
    bits, signed = int(name[1:]), name[0] == "i"

    def wrap(number: int) -> int:
        number &= (1 << bits) - 1
        return number - (1 << bits) if signed and number >> (bits - 1) else number

    def quotient(a: int, b: int) -> int:
        if b == 0:
            return wrap(-1)
        return wrap(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))

    def remainder(a: int, b: int) -> int:
        return a if b == 0 else wrap(a - b * int(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)))

    def shift_left(a: int, b: int) -> int:
        return wrap(a << b) if 0 <= b < bits else 0

    def shift_right(a: int, b: int) -> int:
        return wrap(a >> b) if 0 <= b < bits else (-1 if a < 0 else 0)

    def bit_count(a: int) -> int:
        return (a & ((1 << bits) - 1)).bit_count()

    binary = {
        "add": lambda a, b: wrap(a + b),
        "sub": lambda a, b: wrap(a - b),
        "mul": lambda a, b: wrap(a * b),
        "div": quotient,
        "rem": remainder,
        "max": max,
        "min": min,
        "and": lambda a, b: wrap(a & b),
        "or": lambda a, b: wrap(a | b),
        "xor": lambda a, b: wrap(a ^ b),
        "shiftLeft": shift_left,
        "shiftRight": shift_right,
    }
    unary = {
        "not": lambda a: wrap(~a),
        "neg": lambda a: wrap(-a),
        "popcount": bit_count,
        "countLeadingZeros": lambda a: bits - (a & ((1 << bits) - 1)).bit_length(),
    }
    if signed:
        unary |= {"abs": lambda a: wrap(abs(a)), "sign": lambda a: (a > 0) - (a < 0)}
    pairs = [(a, b) for a in values for b in values]
    return {
        "x": many_integers(values),
        "unary": {op: many_integers(function(a) for a in values) for op, function in unary.items()},
        "left": many_integers(a for a, _ in pairs),
        "right": many_integers(b for _, b in pairs),
        "binary": {op: many_integers(function(a, b) for a, b in pairs) for op, function in binary.items()},
    }


def many_integers(values: Iterable[int]) -> list:
    """Integers of any size."""
    return [plain(int(value)) for value in values]


NARROW = {
    "bf16": ml_dtypes.bfloat16,
    "f16": np.float16,
    "f8e5m2": ml_dtypes.float8_e5m2,
    "f8e4m3fn": ml_dtypes.float8_e4m3fn,
}


def casts() -> dict:
    """Rounding to narrower floats, ties and the ends of the range among the inputs."""
    result = {}
    for name, kind in NARROW.items():
        info = ml_dtypes.finfo(kind)
        largest, least = float(info.max), float(info.smallest_subnormal)
        ones = [1 + n * float(info.eps) / 4 for n in range(-4, 13)]
        ends = [
            largest,
            largest * (1 + float(info.eps) / 8),
            least,
            least / 2,
            least * 0.75,
            least * 1.5,
            least / 4,
        ]
        values = [
            *ones,
            *(2.5 * one for one in ones),
            *ends,
            0.0,
            -0.0,
            math.inf,
            -math.inf,
            math.nan,
        ]
        x = np.array([*values, *(-value for value in values)], np.float32)
        # On CPUs that flush them, f32 numbers below the normal ones are not numbers to test with.
        x = x[~((np.abs(x) < 2.0**-126) & (x != 0))]
        result[name] = {
            "x": many(x.astype(np.float64)),
            "rounded": many(x.astype(kind).astype(np.float64)),
        }
    return result


def random_bits() -> list:
    """`jax.random.bits` for keys and shapes; the counter of an element is its position."""
    cases = []
    for seed, shape in [(0, (4,)), (42, (2, 3)), (2**40 + 7, (3, 2, 2)), (1, ())]:
        key = jax.random.PRNGKey(seed)
        with jax.enable_x64(True):
            key = jax.random.PRNGKey(seed)
        cases.append(
            {
                "key": many_integers(np.asarray(key)),
                "shape": list(shape),
                "bits": many_integers(np.asarray(jax.random.bits(key, shape, jnp.uint32)).reshape(-1)),
                "uniform": many(np.asarray(jax.random.uniform(key, shape, jnp.float32)).astype(np.float64)),
            }
        )
    return cases


def activations() -> dict:
    """Activations, from the error function of C's library."""
    x = wide(
        [
            *np.linspace(-6, 6, 97).tolist(),
            -1e4,
            -30.0,
            30.0,
            1e4,
            -0.0,
            0.0,
            1e-3,
            -1e-3,
        ]
    )
    erf = np.array([math.erf(value) for value in x])
    gaussian = np.array([0.5 * value * math.erfc(-value / math.sqrt(2)) for value in x])
    smooth = 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return {
        "x": many(x),
        "erf": rounded(erf),
        "gelu": rounded(gaussian),
        "geluTanh": rounded(smooth),
        "silu": rounded(x / (1 + np.exp(-x))),
        "relu": rounded(np.maximum(x, 0)),
    }


def quantised() -> dict:
    """Three rows of 64 in eight bits: by gguf-py in blocks of 32, which has the bits of GGML, and by whole rows."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 64)).astype(np.float32) * np.array([[0.02], [1], [300]], np.float32)
    # Halves between two steps, of both signs: scale 1 in the first block of the second row.
    x[1, :32] = np.arange(32, dtype=np.float32) * 4 - 60.5
    x[1, 0] = 127
    x[0, 32:] = 0
    raw = gguf.quantize(x, gguf.GGMLQuantizationType.Q8_0).reshape(-1, 34)
    scales = np.abs(x).max(-1, keepdims=True) / np.float32(127)
    return {
        "values": many(x),
        "q8_0": {
            "elements": raw[:, 2:].view(np.int8).ravel().tolist(),
            "scales": many(raw[:, :2].copy().view(np.float16).astype(np.float64)),
        },
        "int8": {
            "elements": np.trunc(x * (1 / scales) + np.copysign(np.float32(0.5), x)).astype(int).ravel().tolist(),
            "scales": many(scales),
        },
    }


def main() -> None:
    """Writes the file."""
    assert jax.config.jax_threefry_partitionable
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")
    expected = {
        "functions": functions(),
        "integers": {name: integer_functions(name, values) for name, values in INTEGERS.items()},
        "casts": casts(),
        "randomBits": random_bits(),
        "activations": activations(),
        "quantised": quantised(),
    }
    lines = json.dumps(expected, separators=(",", ":")).replace('":{', '":\n{').replace("],", "],\n")
    (Path(__file__).parent / "fixtures/expected.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()
