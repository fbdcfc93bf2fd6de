"""Blocks of MXFP4: drawn at random, packed as safetensors and GGML hold them, and their numbers.

A block is 32 FP4 codes and one scale, a power of two. Sources: OCP Microscaling Formats 1.0; transformers
`integrations/mxfp4.py`; llama.cpp `ggml/src/ggml-common.h`.
"""

import math

import numpy as np
from random_bits import Bytes, Floats, raw_bits

BLOCK = 32
FP4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
FP4_DEVIATION = 2.926
"""Of a value of FP4 when all codes are as likely."""
SCALES_DEVIATION = 1.323
"""Of 1/2, 1 and 2, about 0."""


def random_mxfp4(name: str, shape: tuple[int, ...], deviation: float) -> tuple[Bytes, Bytes]:
    """FP4 codes [..., blocks, 32] and scales [..., blocks]; all codes are as likely, scales differ by factors of 2.

    One block in 64 is all zeros, of both signs, under any finite scale at all, as zeros may be.
    """
    *outer, columns = shape
    places = (*outer, columns // BLOCK)
    words = raw_bits(f"{name}/codes", math.prod(shape) // 16)
    pairs = words.astype("<u8").view(np.uint8)
    codes = np.stack([pairs & 15, pairs >> 4], axis=-1).reshape(*places, BLOCK)
    exponent = 127 + round(math.log2(deviation / (FP4_DEVIATION * SCALES_DEVIATION)))
    bits = raw_bits(f"{name}/scales", math.prod(places)).reshape(places)
    scales = exponent - 1 + (bits >> np.uint64(40)) % np.uint64(3)
    zero = bits % np.uint64(64) == 0
    scales = np.where(zero, (bits >> np.uint64(8)) % np.uint64(255), scales).astype(np.uint8)
    return np.where(zero[..., None], codes & 8, codes).astype(np.uint8), scales


def pack_pairs(codes: Bytes) -> Bytes:
    """Codes [..., 32] as safetensors hold them, [..., 16]: the even element in the low nibble, the odd in the high."""
    return codes[..., 0::2] | codes[..., 1::2] << 4


def unpack_pairs(blocks: Bytes) -> Bytes:
    """The inverse of `pack_pairs`."""
    return np.stack([blocks & 15, blocks >> 4], axis=-1).reshape(*blocks.shape[:-1], BLOCK)


def pack_ggml(blocks: Bytes, scales: Bytes) -> Bytes:
    """GGML's blocks, flat along the row: the scale, then 16 bytes with elements 0 … 15 low and 16 … 31 high."""
    codes = unpack_pairs(blocks)
    packed = np.concatenate([scales[..., None], codes[..., :16] | codes[..., 16:] << 4], axis=-1)
    return packed.reshape(*packed.shape[:-2], -1)


def mxfp4_values(blocks: Bytes, scales: Bytes) -> Floats:
    """The numbers [..., columns], exact in bf16 for the scales that occur here."""
    values = np.ldexp(FP4[unpack_pairs(blocks)], scales[..., None].astype(np.int32) - 127)
    return values.astype(np.float32).reshape(*blocks.shape[:-2], -1)
