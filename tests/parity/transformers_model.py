"""A model as transformers loads it, and its logits: f32, eager attention, nothing missing and nothing left over."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM


def load(folder: Path, **options: Any) -> Any:
    """A model in f32 with eager attention; fails unless each tensor was used once and each parameter filled."""
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True, **options
    )
    model, info = loaded
    wrong = {key: value for key, value in info.items() if value and key.endswith(("_keys", "_msgs"))}
    assert not wrong, f"{folder}: {wrong}"
    return model.eval()


def logits_of(model: Any, ids: list[int]) -> torch.Tensor:
    """[tokens, vocabulary] by one prefill."""
    return model(torch.tensor([ids]), use_cache=False).logits[0]


def greatest(left: torch.Tensor, right: torch.Tensor) -> float:
    """The largest difference."""
    return float((left - right).abs().max())
