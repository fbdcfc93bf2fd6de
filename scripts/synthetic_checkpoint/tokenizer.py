"""A tokenizer of any size, as Hugging Face's JSON and as GGUF's keys."""

from typing import Any

import gguf

from synthetic_checkpoint.config import Config
from synthetic_checkpoint.errors import RefusalError

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


class Tokenizer:
    """Encodes any text byte by byte and decodes any id: what is no byte and not special is a word without meaning.

    Of the released vocabulary's size it has the special tokens of Harmony in their places; of another, those of the
    config.
    """

    def __init__(self, config: Config) -> None:
        size = config["vocab_size"]
        if size == HARMONY_SIZE:
            self.special = {
                token_id: HARMONY.get(token_id, f"<|reserved_{token_id}|>") for token_id in range(min(HARMONY), size)
            }
            self.bos, self.pad, self.ends = 199998, 199999, [200002, 199999, 200012]
        else:
            ends = config.get("eos_token_id")
            self.ends = [token_id for token_id in (ends if isinstance(ends, list) else [ends]) if token_id is not None]
            self.bos, self.pad = config.get("bos_token_id"), config.get("pad_token_id")
            self.special = {token_id: f"<|reserved_{token_id}|>" for token_id in self.ends}
            for token_id, name in (
                (self.bos, "startoftext"),
                (self.pad, "endoftext"),
                (next(iter(self.ends), None), "return"),
            ):
                if token_id is not None:
                    self.special[token_id] = f"<|{name}|>"
        ordinary = iter([*byte_characters(), "".join(MERGE), *(word(n) for n in range(max(0, size - 257)))])
        if size < 257 + len(self.special) or any(token_id >= size for token_id in self.special):
            least = max(257 + len(self.special), *(token_id + 1 for token_id in self.special), 0)
            raise RefusalError(f"vocab_size is {size}; a tokenizer with the config's special tokens needs {least}")
        self.tokens = [self.special.get(token_id) or next(ordinary) for token_id in range(size)]

    def config_json(self) -> dict[str, Any]:
        """tokenizer_config.json."""
        ids = (("bos_token", self.bos), ("eos_token", next(iter(self.ends), None)), ("pad_token", self.pad))
        return {
            **{key: self.special[token_id] for key, token_id in ids if token_id is not None},
            "clean_up_tokenization_spaces": False,
            "tokenizer_class": "PreTrainedTokenizerFast",
        }

    def json(self) -> dict[str, Any]:
        """tokenizer.json."""
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": token_id, "content": token, **flags} for token_id, token in sorted(self.special.items())
            ],
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
                "vocab": {token: token_id for token_id, token in enumerate(self.tokens)},
                "merges": [MERGE],
            },
        }

    def add_to(self, writer: Any) -> None:
        """The same as GGUF keys."""
        kinds = (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-4o")
        writer.add_token_list(self.tokens)
        writer.add_token_types([kinds[token_id in self.special] for token_id in range(len(self.tokens))])
        writer.add_token_merges([" ".join(MERGE)])
        writer.add_add_bos_token(False)
        if self.bos is not None:
            writer.add_bos_token_id(self.bos)
        if self.ends:
            writer.add_eos_token_id(self.ends[0])
        if self.pad is not None:
            writer.add_pad_token_id(self.pad)


def byte_characters() -> list[str]:
    """GPT-2's printable character for each byte."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256)]


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

HARMONY = {
    199998: "<|startoftext|>", 199999: "<|endoftext|>", 200002: "<|return|>", 200003: "<|constrain|>",
    200005: "<|channel|>", 200006: "<|start|>", 200007: "<|end|>", 200008: "<|message|>", 200012: "<|call|>",
    200018: "<|endofprompt|>",
}  # fmt: skip
HARMONY_SIZE = 201088
MERGE = ("t", "h")
"""GGUF has no empty lists, so there is one merge."""


def word(number: int) -> str:
    """A space and three syllables, another for each number below a million."""
    syllables = [consonant + vowel for consonant in "bcdfghjklmnpqrstvwxz" for vowel in "aeiou"]
    return "Ġ" + "".join(syllables[number // 100**place % 100] for place in range(3))
