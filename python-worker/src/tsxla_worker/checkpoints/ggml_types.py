"""GGML's tensor types: numbers, names and block sizes, as in ggml.h.

To let programs receive another packed type, add its name to `LOADABLE`: they get the raw blocks, so nothing here
knows how to unpack them. A test holds the table against gguf-py's.
"""

from dataclasses import dataclass

from tsxla_worker.tensors.tensor_types import BY_NAME, ElementType


@dataclass(frozen=True)
class GgmlType:
    """A tensor type: `block` elements take `bytes` bytes."""

    number: int
    name: str
    block: int
    bytes: int

    @property
    def element(self) -> ElementType | None:
        """The element type of a plain format; None for a packed one."""
        return BY_NAME[_PLAIN[self.name]] if self.name in _PLAIN else None

    @property
    def loadable(self) -> bool:
        """Whether programs can receive it."""
        return self.name in LOADABLE


_PLAIN = {
    "F32": "f32",
    "F16": "f16",
    "BF16": "bf16",
    "F64": "f64",
    "I8": "i8",
    "I16": "i16",
    "I32": "i32",
    "I64": "i64",
}
LOADABLE = frozenset(_PLAIN) | {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K", "MXFP4"}

GGML_TYPES = {
    number: GgmlType(number, name, block, size)
    for number, name, block, size in (
        (0, "F32", 1, 4),
        (1, "F16", 1, 2),
        (2, "Q4_0", 32, 18),
        (3, "Q4_1", 32, 20),
        (6, "Q5_0", 32, 22),
        (7, "Q5_1", 32, 24),
        (8, "Q8_0", 32, 34),
        (9, "Q8_1", 32, 40),
        (10, "Q2_K", 256, 84),
        (11, "Q3_K", 256, 110),
        (12, "Q4_K", 256, 144),
        (13, "Q5_K", 256, 176),
        (14, "Q6_K", 256, 210),
        (15, "Q8_K", 256, 292),
        (16, "IQ2_XXS", 256, 66),
        (17, "IQ2_XS", 256, 74),
        (18, "IQ3_XXS", 256, 98),
        (19, "IQ1_S", 256, 50),
        (20, "IQ4_NL", 32, 18),
        (21, "IQ3_S", 256, 110),
        (22, "IQ2_S", 256, 82),
        (23, "IQ4_XS", 256, 136),
        (24, "I8", 1, 1),
        (25, "I16", 1, 2),
        (26, "I32", 1, 4),
        (27, "I64", 1, 8),
        (28, "F64", 1, 8),
        (29, "IQ1_M", 256, 56),
        (30, "BF16", 1, 2),
        (34, "TQ1_0", 256, 54),
        (35, "TQ2_0", 256, 66),
        (39, "MXFP4", 32, 17),
        (40, "NVFP4", 64, 36),
        (41, "Q1_0", 128, 18),
    )
}
