"""The command line."""

import argparse
import hashlib
import signal
import sys
from pathlib import Path

from synthetic_checkpoint.config import RELEASED, read_config
from synthetic_checkpoint.errors import RefusalError
from synthetic_checkpoint.files import File, indented
from synthetic_checkpoint.folder import remove, write
from synthetic_checkpoint.gguf_file import plan_gguf
from synthetic_checkpoint.hugging_face import SHARD_BYTES, plan_folder
from synthetic_checkpoint.progress import gigabytes
from synthetic_checkpoint.tensors import tensors

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """What the package's first lines show; the exit code."""
    parser = argparse.ArgumentParser(
        prog="npm run checkpoint:synthetic --", description="Writes a GPT-OSS checkpoint with random weights."
    )
    parser.add_argument("--config", metavar="20b|120b|FILE.json", help="a released model, or a config.json of GPT-OSS")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="the folder to write into: new, empty, or begun by this"
    )
    parser.add_argument("--seed", type=int, default=0, help="another one gives other weights (default: 0)")
    parser.add_argument("--gguf", action="store_true", help="one GGUF instead of safetensors, with the same numbers")
    parser.add_argument("--dry-run", action="store_true", help="print tensors, bytes and files; write nothing")
    parser.add_argument("--remove", metavar="DIR", type=Path, help="remove the checkpoint that this wrote to DIR")
    parser.add_argument("--shard-bytes", type=int, default=SHARD_BYTES, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if (given.remove is None) == (given.config is None):
        parser.error("give --config, or --remove DIR")
    if given.config is not None and given.out is None and not given.dry_run:
        parser.error("give --out DIR, or --dry-run")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if given.remove is not None:
            left = remove(given.remove)
            print(f"removed the checkpoint in {given.remove}" + (f"; not its own, and left: {left}" if left else ""))
        else:
            make(given)
    except RefusalError as refusal:
        print(f"synthetic checkpoint: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here, --remove DIR undoes it", file=sys.stderr)
        return 130
    return 0


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

VERSION = 1
"""Of the numbers that a seed stands for."""


def make(given: argparse.Namespace) -> None:
    """Plans the files, and writes or lists them."""
    config = read_config(given.config)
    name = f"gpt-oss-{given.config}" if given.config in RELEASED else "gpt-oss"
    files = plan_gguf(config, given.seed, name) if given.gguf else plan_folder(config, given.seed, given.shard_bytes)
    parameters = sum(tensor.parameters for tensor in tensors(config))
    if given.dry_run:
        list_files(files, parameters)
        return
    settings = {
        "version": VERSION,
        "layout": "gguf" if given.gguf else "safetensors",
        "seed": given.seed,
        "shard_bytes": given.shard_bytes,
        "config_sha256": hashlib.sha256(indented(config).encode()).hexdigest(),
    }
    write(given.out, files, settings)
    print(f"{given.out}: {parameters:,} parameters in {gigabytes(sum(file.size for file in files))}")
    print(f"remove it with: npm run checkpoint:synthetic -- --remove {given.out}")


def list_files(files: list[File], parameters: int) -> None:
    """What --dry-run prints."""
    total = 0
    for file in files:
        print(f"{file.name}  {file.size:,} bytes")
        for part in file.parts:
            if part.label:
                print(f"  {part.label}  {part.size:,}")
                total += part.size
    print(f"files: {len(files)}, {sum(file.size for file in files):,} bytes")
    print(f"tensors: {total:,} bytes ({gigabytes(total)})")
    print(f"parameters: {parameters:,}")
