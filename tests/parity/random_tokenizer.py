"""A byte-level tokenizer of any size for the random checkpoints, as tokenizer.json and as GGUF keys.

The special tokens come first, then the 256 bytes, then pairs of letters (aa, ab, …), so that any text can be encoded.
"""

from dataclasses import dataclass
from typing import Any

import gguf


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """`size` tokens, the special ones among them; `bos` and `eos` are places in `special`."""

    size: int
    special: tuple[str, ...]
    bos: int
    eos: int

    def vocabulary(self) -> tuple[list[str], list[str]]:
        """Tokens and merges."""
        letters = "abcdefghijklmnopqrstuvwxyz"
        least = len(self.special) + 256
        pairs = [(a, b) for a in letters for b in letters][: self.size - least]
        tokens = [*self.special, *byte_characters(), *(a + b for a, b in pairs)]
        if len(tokens) != self.size:
            raise ValueError(f"a vocabulary of {self.size} is outside {least} … {least + 676}")
        return tokens, [f"{a} {b}" for a, b in pairs]

    def config_json(self) -> dict[str, Any]:
        """tokenizer_config.json."""
        return {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": self.special[self.bos],
            "eos_token": self.special[self.eos],
            "clean_up_tokenization_spaces": False,
        }

    def json(self) -> dict[str, Any]:
        """tokenizer.json."""
        tokens, merges = self.vocabulary()
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [{"id": n, "content": token, **flags} for n, token in enumerate(self.special)],
            "normalizer": None,
            "pre_tokenizer": level,
            "post_processor": None,
            "decoder": level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": {token: n for n, token in enumerate(tokens)},
                "merges": [merge.split(" ") for merge in merges],
            },
        }

    def add_to(self, writer: gguf.GGUFWriter) -> None:
        """The same as GGUF keys."""
        tokens, merges = self.vocabulary()
        special = [gguf.TokenType.CONTROL] * len(self.special)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-2")
        writer.add_token_list(tokens)
        writer.add_token_types([*special, *[gguf.TokenType.NORMAL] * (self.size - len(self.special))])
        writer.add_token_merges(merges)
        writer.add_bos_token_id(self.bos)
        writer.add_eos_token_id(self.eos)
        writer.add_add_bos_token(False)


def byte_characters() -> list[str]:
    """GPT-2's printable character for each byte."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256)]
