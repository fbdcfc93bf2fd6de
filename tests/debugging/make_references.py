"""Makes the traces that the tests here hold tsxla's against: what transformers' modules give for random checkpoints.

    .oracle-venv/bin/python tests/debugging/make_references.py        # `npm run oracle` makes that environment

Writes fixtures/NAME.safetensors, with the sha256 of the checkpoint's numbers in the metadata entry `weights`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# More tokens than one call takes (16), and for the larger one as few as the mistakes need.
CASES = {"untied": ("random_llama.py", [], 18), "released": ("random_gpt_oss.py", ["--layout", "bf16"], 8)}


def main() -> None:
    """Writes both."""
    for name, (script, options, count) in CASES.items():
        tokens = ",".join(str((n * n + 3 * n) % 31) for n in range(count))
        with tempfile.TemporaryDirectory() as scratch:
            model, out = Path(scratch) / name, Path(scratch) / "trace.safetensors"
            make = [sys.executable, ROOT / "tests/parity" / script, name, model, *options]
            printed = subprocess.run(make, check=True, capture_output=True, text=True).stdout
            record = [sys.executable, ROOT / "scripts/record_activations.py", model, "--tokens", tokens, "--out", out]
            subprocess.run(record, check=True)
            with safe_open(out, "pt") as file:
                metadata = dict(file.metadata())
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no dictionary)
        save_file(tensors, HERE / "fixtures" / f"{name}.safetensors", metadata | {"weights": printed.split()[-1]})


if __name__ == "__main__":
    main()
