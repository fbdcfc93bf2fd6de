"""Records what every module of a transformers model takes and gives, as a reference for `tsxla logits --trace`.

    python scripts/record_activations.py MODEL --tokens 1,2,3 --out theirs.safetensors [--dtype float32]

MODEL is a folder or a name that `AutoModelForCausalLM.from_pretrained` takes. Needs torch, transformers and
safetensors: `.oracle-venv/bin/python` has them, once `npm run oracle` made it.

The file holds a tensor for each value, named after its module: `model.layers.3.self_attn.q_proj` is what it gives, with
`.0`, `.1`, … behind it where it gives several (the first also without), and `.input` what it takes first. One value may
have several names; the metadata entry `activations` lists them, in the order in which the values came. See
docs/debugging.md.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


def main() -> None:
    """Runs one prefill and writes what came by."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", help="a folder or a name")
    parser.add_argument("--tokens", required=True, help="token ids, separated by commas")
    parser.add_argument("--out", required=True, type=Path, help="where to write, as safetensors")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    given = parser.parse_args()
    model: Any = AutoModelForCausalLM.from_pretrained(
        given.model, dtype=getattr(torch, given.dtype), attn_implementation="eager"
    )
    ids = [int(each) for each in given.tokens.split(",")]
    write(record(model.eval(), ids), ids, given.out)


class Recording:
    """The values of a run: each once, with all its names, in the order in which they came."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[torch.Tensor, torch.Tensor, list[str]]] = {}
        self._taken: set[str] = set()

    def add(self, name: str, value: object) -> None:
        """Keeps a copy, since modules may write into what they are given. Other things than tensors are left out."""
        if not isinstance(value, torch.Tensor) or name in self._taken:
            return
        self._taken.add(name)
        # The tensor itself is kept as well, so that no other one gets its id.
        known = self._values.get(id(value))
        if known is not None and torch.equal(known[1], value.detach()):
            known[2].append(name)
        else:
            key = id(value) if known is None else id(copy := value.detach().clone())
            self._values[key] = (value, value.detach().clone() if known is None else copy, [name])

    def items(self) -> list[tuple[torch.Tensor, list[str]]]:
        """The copies and their names."""
        return [(copy, names) for _, copy, names in self._values.values()]


def record(model: Any, ids: list[int]) -> Recording:
    """Runs a model once over a text, without a cache, and records every module."""
    recording = Recording()
    hooks = []
    for name, module in model.named_modules():
        if name == "":
            continue
        hooks.append(module.register_forward_pre_hook(_on_input(recording, name), with_kwargs=True))
        hooks.append(module.register_forward_hook(_on_output(recording, name)))
    try:
        with torch.no_grad():
            recording.add("logits", model(torch.tensor([ids]), use_cache=False).logits)
    finally:
        for hook in hooks:
            hook.remove()
    return recording


def write(recording: Recording, ids: list[int], out: Path) -> None:
    """Writes the values, and what else they are called."""
    tensors: dict[str, torch.Tensor] = {}
    described: dict[str, dict[str, list[str]]] = {}
    for value, (name, *also) in recording.items():
        tensors[name] = value.contiguous()
        described[name] = {"also": also}
    tokens = ",".join(str(each) for each in ids)
    save_file(tensors, out, {"activations": json.dumps(described), "tokens": tokens})


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------


def _on_input(recording: Recording, name: str) -> Any:
    def hook(_: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        first = args[0] if args else next(iter(kwargs.values()), None)
        recording.add(f"{name}.input", first)

    return hook


def _on_output(recording: Recording, name: str) -> Any:
    def hook(_: torch.nn.Module, __: tuple[object, ...], given: object) -> None:
        if isinstance(given, tuple):
            for n, each in enumerate(given):
                recording.add(name if n == 0 else f"{name}.{n}", each)
                if n == 0:
                    recording.add(f"{name}.0", each)
        else:
            recording.add(name, given)

    return hook


if __name__ == "__main__":
    main()
