"""Writes a Llama whose matrices are random blocks of a GGML format, and the same model with its numbers in F32.

    python tests/parity/block_llama.py Q4_K OUT_DIR    # OUT_DIR/Q4_K.gguf and OUT_DIR/Q4_K-F32.gguf

gguf-py unpacks the K formats but does not pack them, so blocks are drawn: bits at random, scales small enough that the
model stays finite. What the blocks mean is gguf-py's word.
"""

import argparse
from pathlib import Path

import gguf
import numpy as np

LAYERS, HIDDEN, MLP, HEADS, KV_HEADS, VOCAB = 2, 256, 512, 4, 2, 96
HALVES = {"Q4_K": slice(0, 4), "Q5_K": slice(0, 4), "Q6_K": slice(208, 210), "Q5_0": slice(0, 2), "Q5_1": slice(0, 4)}
"""The bytes of a block that are f16 scales."""


def main() -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description="A Llama of random blocks.")
    parser.add_argument("kind", choices=HALVES)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    kind = gguf.GGMLQuantizationType[given.kind]
    packed, plain = writer(given.out / f"{given.kind}.gguf"), writer(given.out / f"{given.kind}-F32.gguf")
    draw = np.random.Generator(np.random.Philox(3))
    for name, shape in shapes().items():
        if len(shape) == 1:
            values = draw.uniform(0.5, 1.5, shape).astype(np.float32)
            packed.add_tensor(name, values)
        else:
            elements, size = gguf.GGML_QUANT_SIZES[kind]
            blocks = draw.integers(0, 256, (shape[0], shape[1] // elements, size), np.uint8)
            halves = HALVES[given.kind]
            drawn = draw.uniform(-1, 1, (*blocks.shape[:2], (halves.stop - halves.start) // 2)) * scale(kind)
            blocks[..., halves] = drawn.astype("<f2").view(np.uint8)
            raw = blocks.reshape(shape[0], -1)
            values = gguf.quants.dequantize(raw, kind).astype(np.float32)
            packed.add_tensor(name, raw, raw_dtype=kind)
        plain.add_tensor(name, values)
    for each in (packed, plain):
        each.write_header_to_file()
        each.write_kv_data_to_file()
        each.write_tensors_to_file()
        each.close()


def scale(kind: gguf.GGMLQuantizationType) -> float:
    """So that elements are about 0.1: a block's scale is times 6 or 8 bits and an element's own."""
    return 1e-4 if kind.name.endswith("K") else 5e-3


def shapes() -> dict[str, tuple[int, ...]]:
    """Every tensor, outermost axis first."""
    head = HIDDEN // HEADS
    found: dict[str, tuple[int, ...]] = {"token_embd.weight": (VOCAB, HIDDEN), "output_norm.weight": (HIDDEN,)}
    for n in range(LAYERS):
        found |= {
            f"blk.{n}.attn_norm.weight": (HIDDEN,),
            f"blk.{n}.attn_q.weight": (HIDDEN, HIDDEN),
            f"blk.{n}.attn_k.weight": (KV_HEADS * head, HIDDEN),
            f"blk.{n}.attn_v.weight": (KV_HEADS * head, HIDDEN),
            f"blk.{n}.attn_output.weight": (HIDDEN, HIDDEN),
            f"blk.{n}.ffn_norm.weight": (HIDDEN,),
            f"blk.{n}.ffn_gate.weight": (MLP, HIDDEN),
            f"blk.{n}.ffn_up.weight": (MLP, HIDDEN),
            f"blk.{n}.ffn_down.weight": (HIDDEN, MLP),
        }
    return found


def writer(path: Path) -> gguf.GGUFWriter:
    """A file with a Llama's configuration."""
    made = gguf.GGUFWriter(path, "llama")
    made.add_block_count(LAYERS)
    made.add_context_length(64)
    made.add_embedding_length(HIDDEN)
    made.add_feed_forward_length(MLP)
    made.add_head_count(HEADS)
    made.add_head_count_kv(KV_HEADS)
    made.add_layer_norm_rms_eps(1e-5)
    made.add_rope_dimension_count(HIDDEN // HEADS)
    made.add_rope_freq_base(10_000.0)
    made.add_vocab_size(VOCAB)
    return made


if __name__ == "__main__":
    main()
