"""What tensors are filled with: numbers of a distribution, in the bytes of a checkpoint."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------

type Bytes = NDArray[np.uint8]
BLOCK = 32
"""Numbers that share a scale in MXFP4."""


@dataclass(frozen=True)
class Normal:
    """Normally distributed bf16."""

    deviation: float
    mean: float = 0.0


@dataclass(frozen=True)
class Codes:
    """FP4 codes in pairs, 16 bytes for a block of 32; all codes are as likely."""


@dataclass(frozen=True)
class Scales:
    """One E8M0 byte for a block of `Codes`, three or four neighbouring powers of two."""

    deviation: float
    """Of the numbers that codes and scales make."""


def to_bf16(values: NDArray[np.float32], fill: Normal) -> Bytes:
    """The numbers with another deviation and mean, rounded to nearest even."""
    bits = (values * np.float32(fill.deviation) + np.float32(fill.mean)).view(np.uint32)
    bits += np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))
    return (bits >> np.uint32(16)).astype("<u2").view(np.uint8)


def scale_bytes(deviation: float) -> Bytes:
    """256 scales, as likely, with which uniform codes have this deviation.

    The exponents spread over three octaves, and which of them are rounded up is chosen so that the mean square fits.
    """
    spread = np.linspace(-1.5, 1.5, 256)
    goal = math.log2(deviation / FP4_DEVIATION)
    shifts = goal + np.linspace(-2, 2, 1025)
    exponents = np.floor(shifts[:, None] + spread)
    misses = np.abs(np.log2(np.mean(4.0**exponents, axis=1)) / 2 - goal)
    scales = exponents[np.argmin(misses)] + 127
    # The released scales lie far inside; a model's width would have to be 2^60 for these to leave it.
    assert 64 < scales.min() <= scales.max() < 160, scales
    return scales.astype(np.uint8)


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

FP4_DEVIATION = 2.926
"""Of a value of FP4 when all codes are as likely."""
