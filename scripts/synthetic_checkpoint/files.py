"""Files that are planned and not written yet: how large, and of which bytes."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from synthetic_checkpoint.fills import Bytes


@dataclass(frozen=True)
class Part:
    """Bytes that stand together in a file."""

    label: str
    """A tensor's name, dtype and shape; empty for all else."""
    size: int
    chunks: Callable[[], Iterable[Bytes]]


@dataclass(frozen=True)
class File:
    """A file that is not written yet."""

    name: str
    parts: tuple[Part, ...]

    @cached_property
    def size(self) -> int:
        """In bytes."""
        return sum(part.size for part in self.parts)


def text(name: str, content: str) -> File:
    """A file with these characters."""
    return File(name, (constant(content.encode()),))


def constant(content: bytes) -> Part:
    """Bytes that are at hand."""
    return Part("", len(content), lambda: [np.frombuffer(content, np.uint8)])


def indented(value: Mapping[str, Any]) -> str:
    """JSON as transformers writes it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
