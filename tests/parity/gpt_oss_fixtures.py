"""GPT-OSS for make_fixtures.py: the random checkpoints' logits by transformers, judged by numpy; MXFP4's values.

Before anything is written, it is asserted that transformers reads the same numbers from every Hugging Face layout
(MXFP4 by its own unpacking, dequantised in bf16 and f32, one file and shards); that gguf-py unpacks our GGUF blocks to
them; that numpy in f64, written from the description alone, gives transformers' logits; and that no choice of an expert
and no top-1 hangs on rounding.
"""

import tempfile
from pathlib import Path
from typing import Any

import gguf
import gpt_oss_weights
import mxfp4_blocks
import numpy as np
import random_gpt_oss
import torch
from checkpoint_files import write_checkpoint
from digest import check_gaps, digest, fixed_ids, made, rounded, sparse, under, write_json, write_tensors
from gpt_oss_numpy import GptOss, Real, Whole
from random_bits import raw_bits
from transformers import Mxfp4Config
from transformers.integrations.mxfp4 import convert_moe_packed_tensors
from transformers.models.gpt_oss.modeling_gpt_oss import GptOssTopKRouter
from transformers_model import greatest, load, logits_of

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------

TOLERANCE = 5e-5
"""Between transformers in f32 and numpy in f64, in standard deviations of the logits: half of what tsxla may differ."""
LEAST_ROUTER_GAP = 9e-5
"""Between the last expert that is chosen and the first that is not, unless they are equal: far above rounding."""


def write(out: Path) -> None:
    """`gpt-oss.json`, `gpt-oss/NAME.safetensors` and `mxfp4.safetensors`."""
    write_tensors(out / "mxfp4.safetensors", every_code_and_scale())
    listed: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in random_gpt_oss.CONFIGS:
            listed[name] = checkpoint(name, Path(scratch) / name, out)
            print(name, *listed[name]["cases"], sep="\n  ", flush=True)
    write_json(out / "gpt-oss.json", {"made": made("--only gpt-oss"), "checkpoints": listed})


def checkpoint(name: str, folder: Path, out: Path) -> dict[str, Any]:
    """Writes one checkpoint's tensors and returns its entry in gpt-oss.json."""
    config = random_gpt_oss.CONFIGS[name]
    check_layouts(name, folder)
    check_gguf(name, folder)
    fixed = fixed_ids(config.vocab)
    tensors: dict[str, np.ndarray] = {"fixed_ids": fixed}
    cases: list[dict[str, Any]] = []
    for length in config.lengths:
        stored = random_gpt_oss.weights(name)
        case, kept = judged(name, folder / "f32", stored, length, fixed)
        tensors |= under(f"{length}", kept)
        cases.append({"key": f"{length}", "tokens": length, "gguf": None} | case)
    for kind in config.gguf_types:
        length = config.lengths[-1]
        stored = random_gpt_oss.requantised(name, kind)
        numbers = random_gpt_oss.write_folder(name, folder / kind, "f32")
        write_checkpoint(numbers, random_gpt_oss.dequantised(stored, "F32"), shards=1)
        case, kept = judged(name, numbers, stored, length, fixed)
        tensors |= under(f"{kind}.{length}", kept)
        cases.append({"key": f"{kind}.{length}", "tokens": length, "gguf": kind} | case)
    check_gaps(name, tensors)
    write_tensors(out / "gpt-oss" / f"{name}.safetensors", tensors)
    return {
        "about": config.about,
        "config": random_gpt_oss.config_json(name),
        "layouts": layouts(name),
        "weights_sha256": random_gpt_oss.fingerprint(name),
        "file": f"gpt-oss/{name}.safetensors",
        "cases": cases,
    }


def every_code_and_scale() -> dict[str, np.ndarray]:
    """Every FP4 code under every finite E8M0 scale, in both packings, with their values.

    Row s has scale s and holds each code twice, in an order of its own. A value is code * 2^(s - 127), rounded to f32
    only where it overflows: to infinity, for codes of 4 and 6 under scale 253 and of 2 to 6 under 254.
    """
    order = [np.argsort(raw_bits(f"mxfp4 order {scale}", 32), kind="stable") % 16 for scale in range(255)]
    codes = np.stack(order).astype(np.uint8)[:, None]
    scales = np.arange(255, dtype=np.uint8)[:, None]
    blocks = mxfp4_blocks.pack_pairs(codes)
    exact = GptOss.dequantise(GptOss.__new__(GptOss), blocks, scales)
    with np.errstate(over="ignore"):
        values = exact.astype(np.float32)
    assert ((values == exact) | (np.abs(exact) >= 2.0**128)).all()
    packed = mxfp4_blocks.pack_ggml(blocks, scales)
    by_transformers = convert_moe_packed_tensors(
        torch.from_numpy(blocks[None]), torch.from_numpy(scales[None]), dtype=torch.float32
    )
    assert (by_transformers[0].T.numpy() == values).all()
    with np.errstate(over="ignore"):
        by_gguf = gguf.quants.dequantize(packed, gguf.GGMLQuantizationType.MXFP4)
    assert (by_gguf == values).all()
    return {"blocks": blocks, "scales": scales, "ggml": packed, "values": values}


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------


class Watched(GptOss):
    """Notes how near its router came to choosing otherwise, and how often equal logits decided."""

    router_gap = np.inf
    cut_ties = 0

    def choose(self, g: Real) -> Whole:
        """As the model does."""
        chosen = super().choose(g)
        picked = np.zeros(g.shape, bool)
        np.put_along_axis(picked, chosen, True, axis=-1)
        above, below = np.where(picked, g, np.inf)[:, :, None], np.where(picked, -np.inf, g)[:, None]
        gaps = above - below
        self.router_gap = min(self.router_gap, float(gaps[gaps > 0].min()))
        self.cut_ties += int((gaps == 0).any(axis=(1, 2)).sum())
        return chosen


def judged(
    name: str, folder: Path, stored: random_gpt_oss.Tensors, length: int, fixed: np.ndarray
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """One case: transformers' logits as a digest, and how far they are from themselves in f64 and from numpy."""
    ids = gpt_oss_weights.token_ids(name, length)
    model = loaded(folder)
    plain = logits_of(model, ids)
    with_ties = random_gpt_oss.CONFIGS[name].ties
    logits = logits_of(lower_index_first(model), ids) if with_ties else plain
    judge = Watched(
        random_gpt_oss.config_json(name),
        {key: values for key, (values, _) in random_gpt_oss.original(stored).items()},
    )
    by_numpy = torch.from_numpy(judge.logits(ids))
    deviation = float(by_numpy.std())
    difference = greatest(logits, by_numpy)
    assert difference < TOLERANCE * deviation, f"{name} {length}: numpy is {difference} away from transformers"
    assert judge.router_gap > LEAST_ROUTER_GAP, f"{name} {length}: a router's choice hangs on {judge.router_gap}"
    ties = {"ties": judge.cut_ties, "torch_topk_difference": rounded(greatest(logits, plain))} if with_ties else {}
    case = {
        "deviation": round(deviation, 3),
        "f64_difference": rounded(greatest(logits, logits_of(model.double(), ids))),
        "numpy_difference": rounded(difference),
        "router_gap": rounded(judge.router_gap) if np.isfinite(judge.router_gap) else None,
        **ties,
    }
    return case, digest(logits, ids, fixed, sparse(length))


def loaded(folder: Path, **options: Any) -> Any:
    """The experts, too, in the plainest of transformers' ways."""
    return load(folder, experts_implementation="eager", **options)


def lower_index_first(model: Any) -> Any:
    """torch.topk leaves open which of equal values it takes. Here it is the lower index, as in XLA's top-k."""

    def forward(self: GptOssTopKRouter, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        logits = torch.nn.functional.linear(h, self.weight, self.bias)
        values, indices = logits.sort(dim=-1, descending=True, stable=True)
        return logits, values[:, : self.top_k].softmax(-1), indices[:, : self.top_k]

    for module in model.modules():
        if isinstance(module, GptOssTopKRouter):
            module.forward = forward.__get__(module)
    return model


def check_layouts(name: str, folder: Path) -> None:
    """Transformers' parameters are the same bits from every Hugging Face layout. Leaves `f32` in the folder."""
    expected = loaded(random_gpt_oss.write_folder(name, folder / "f32", "f32", shards=1)).state_dict()
    unpacking = Mxfp4Config(dequantize=True)
    others = {
        "mxfp4": loaded(random_gpt_oss.write_folder(name, folder / "mxfp4"), quantization_config=unpacking),
        "bf16": loaded(random_gpt_oss.write_folder(name, folder / "bf16", "bf16", shards=4)),
    }
    for layout, model in others.items():
        state = model.state_dict()
        assert state.keys() == expected.keys(), f"{name} {layout}"
        wrong = [key for key, value in state.items() if not torch.equal(value, expected[key])]
        assert not wrong, f"{name} {layout}: {wrong}"


def check_gguf(name: str, folder: Path) -> None:
    """What gguf-py unpacks from our file is what the folder holds."""
    if "gguf" not in layouts(name):
        return
    file = random_gpt_oss.write_gguf(name, folder / "BF16.gguf", "BF16")
    tensors = {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type) for tensor in gguf.GGUFReader(file).tensors
    }
    for key, (values, _) in random_gpt_oss.dequantised(random_gpt_oss.weights(name), "F32").items():
        if ".experts." not in key or key.endswith("_bias"):
            continue
        layer, rows = key.split(".")[2], values.swapaxes(-1, -2)
        if "gate_up" in key:
            assert (tensors[f"blk.{layer}.ffn_gate_exps.weight"] == rows[:, 0::2]).all(), key
            assert (tensors[f"blk.{layer}.ffn_up_exps.weight"] == rows[:, 1::2]).all(), key
        else:
            assert (tensors[f"blk.{layer}.ffn_down_exps.weight"] == rows).all(), key


def layouts(name: str) -> list[str]:
    """What the checkpoint can be written as."""
    known = ["mxfp4", "bf16", "f32"]
    for layout, refuse in (("original", random_gpt_oss.refuse_original), ("gguf", random_gpt_oss.refuse_gguf)):
        try:
            refuse(name)
        except ValueError:
            continue
        known.append(layout)
    return known
