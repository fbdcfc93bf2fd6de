"""The form of all logit fixtures, and how fixture files are written. README.md lists the tensors. Needs torch."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
import transformers
from random_bits import raw_bits
from safetensors.numpy import save

TOP = 64
FIXED = 256
LEAST_GAP = 1e-3
"""Between the two largest logits of every position: far above rounding, so 'the same top-1' needs no exceptions."""


def digest(logits: torch.Tensor, ids: list[int], fixed: np.ndarray, positions: Iterable[int]) -> dict[str, np.ndarray]:
    """What is kept of the logits [tokens, vocabulary] of one prompt."""
    top = logits.topk(TOP)
    at = np.array(list(positions), np.int32)
    return {
        "tokens": np.array(ids, np.int32),
        "lse": logits.double().logsumexp(-1).float().numpy(),
        "argmax": top.indices[:, 0].int().numpy(),
        "gap": (top.values[:, 0] - top.values[:, 1]).numpy(),
        "positions": at,
        "top_ids": top.indices[at].int().numpy(),
        "top_values": top.values[at].numpy(),
        "fixed_values": logits[at][:, fixed].numpy(),
    }


def fixed_ids(vocab: int) -> np.ndarray:
    """FIXED ids, the same for every prompt: the first, the last and others by counter-based bits, ascending."""
    order = np.argsort(raw_bits(f"fixed ids of {vocab}", vocab), kind="stable")
    inner = order[(order != 0) & (order != vocab - 1)][: FIXED - 2]
    return np.sort(np.concatenate([inner, [0, vocab - 1]])).astype(np.int32)


def sparse(length: int) -> list[int]:
    """The first eight positions, then every twelfth, and the last: the digest of 300 tokens in 50 kB."""
    return sorted({*range(min(8, length)), *range(8, length, 12), length - 1})


def under(key: str, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors as `KEY.name`."""
    return {f"{key}.{name}": value for name, value in tensors.items()}


def check_gaps(name: str, tensors: Mapping[str, np.ndarray]) -> None:
    """Ends the run at the first position whose top-1 rounding could change."""
    for key, value in tensors.items():
        if key.endswith(".gap") and value.min() < LEAST_GAP:
            raise SystemExit(
                f"{name} {key}: a near tie, {value.min():.1e} at position {value.argmin()}; change the prompt"
            )


def rounded(value: float) -> float:
    """Two significant digits: these are orders of magnitude, and the rest differs between machines."""
    return float(f"{value:.1e}")


def made(options: str, gguf: Path | None = None) -> dict[str, Any]:
    """Where a fixture comes from."""
    source = {"file": gguf.name, "sha256": hashlib.sha256(gguf.read_bytes()).hexdigest()} if gguf else None
    return {
        "by": f"npm run oracle -- {options}",
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__,
        "arithmetic": "f32 on the CPU, eager attention",
        **({"gguf": source} if source else {}),
    }


def write_tensors(file: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """A safetensors file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(save({key: np.ascontiguousarray(value) for key, value in tensors.items()}))


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Indented, but a list of numbers stays on one line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(laid_out(value) + "\n", encoding="utf-8")


def laid_out(value: object, indent: str = "") -> str:
    """JSON as `write_json` writes it."""
    inner = indent + "  "
    if isinstance(value, Mapping) and value:
        lines = [
            f"{inner}{json.dumps(key, ensure_ascii=False)}: {laid_out(item, inner)}" for key, item in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        return "[\n" + ",\n".join(inner + laid_out(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=True)
