"""A tiny GPT-OSS at its whole context: writes the checkpoint and a prompt for a test, and what numpy says of it.

    python tests/parity/gpt_oss_long.py OUT_DIR              # OUT_DIR/config.json, model.safetensors, tokens.i32
    python tests/parity/gpt_oss_long.py OUT_DIR --fixture    # also fixtures/gpt-oss-long.json, about a minute

One sliding layer, then a full one, so that the last token's logits hang on every position and yet cost little: layer 0
looks back 128, and of layer 1 the judge needs keys and values of all tokens and the rest of the last one alone.

The mathematics is `gpt_oss_numpy.GptOss`, in f64 but for the rope: its frequencies and angles are f32, as transformers
and openai/gpt-oss have them. At position 131071 an angle in f32 is up to 0.004 radians off, which is how the model was
trained; `f64_angles_difference` is how far the logits move with exact ones.
"""

import argparse
import json
from pathlib import Path

import gpt_oss_configs
import numpy as np
import random_gpt_oss
from gpt_oss_numpy import GptOss, Real
from random_bits import raw_bits

NAME = "long"
LENGTHS = (16384, 131072)
CHUNK = 1024
CONFIG = gpt_oss_configs.Config(
    about="the released context and window around two layers of one head",
    layers=2, experts=4, chosen=2, hidden=32, mlp=32, heads=1, kv_heads=1, head_dim=32, vocab=269,
    window=128, factor=32.0, original_context=4096,
)  # fmt: skip


class LongGptOss(GptOss):
    """Chunks, so that no matrix is larger than a chunk by all tokens."""

    exact_angles = False
    begin = 0
    """Where the tokens at hand stand."""

    def angles(self, length: int, n: int) -> Real:
        """[T, d / 2], from `begin` on."""
        positions = np.arange(self.begin, self.begin + length)
        if self.exact_angles:
            return positions[:, None] * self.frequencies(n)
        frequencies = self.frequencies(n).astype(np.float32)
        return (positions.astype(np.float32)[:, None] * frequencies).astype(np.float64)

    def last_logits(self, tokens: np.ndarray) -> Real:
        """The logits after the last token [vocabulary]."""
        keys: list[Real] = []
        values: list[Real] = []
        x = np.zeros((0, 0))
        for start in range(0, len(tokens), CHUNK):
            # A window of earlier tokens goes before each chunk: layer 0 sees no further.
            self.begin = max(0, start - self.window + 1)
            x = self.embed(tokens[self.begin : start + CHUNK])
            x = x + self.attention(self.norm(x, "block.0.attn.norm.scale"), 0)
            x = x[start - self.begin :]
            x = x + self.mixture(self.norm(x, "block.0.mlp.norm.scale"), 0)
            self.begin = start
            key, value = self.keys_and_values(self.norm(x, "block.1.attn.norm.scale"))
            keys.append(key)
            values.append(value)
        x = x[-1:]
        x = x + self.attend_last(self.norm(x, "block.1.attn.norm.scale"), np.concatenate(keys), np.concatenate(values))
        x = x + self.mixture(self.norm(x, "block.1.mlp.norm.scale"), 1)
        return (self.norm(x, "norm.scale") @ self.tensors["unembedding.weight"].T)[0]

    def qkv(self, h: Real) -> list[Real]:
        """Layer 1's queries, keys and values [T, 1, d], of the one head."""
        parts = np.split(self.linear(h, "block.1.attn.qkv"), 3, axis=-1)
        return [part[:, None] for part in parts]

    def keys_and_values(self, h: Real) -> tuple[Real, Real]:
        """Of tokens from `begin` on."""
        _, k, v = self.qkv(h)
        return self.rope(k, 1)[:, 0], v[:, 0]

    def attend_last(self, h: Real, keys: Real, values: Real) -> Real:
        """Layer 1's attention for the last token, over all keys."""
        self.begin = len(keys) - 1
        q = self.rope(self.qkv(h)[0], 1)[:, 0]
        score = q @ keys.T * self.head_dim**-0.5
        share = self.softmax_with_sink(score, self.sinks(1)[0][None])
        return self.linear(share @ values, "block.1.attn.out")


def main() -> None:
    """The command line; see the module's first lines."""
    parser = argparse.ArgumentParser(description="Writes a tiny GPT-OSS with the released context.")
    parser.add_argument("out", type=Path, help="the folder to write into")
    parser.add_argument("--fixture", action="store_true", help="also write what numpy says")
    arguments = parser.parse_args()
    gpt_oss_configs.CONFIGS[NAME] = CONFIG
    random_gpt_oss.write_folder(NAME, arguments.out)
    tokens = (raw_bits("gpt-oss/long/tokens", LENGTHS[-1]) % np.uint64(CONFIG.vocab)).astype("<i4")
    (arguments.out / "tokens.i32").write_bytes(tokens.tobytes())
    if not arguments.fixture:
        return
    config = random_gpt_oss.config_json(NAME)
    tensors = {key: values for key, (values, _) in random_gpt_oss.tensors_in(NAME, "original").items()}
    cases = []
    for length in LENGTHS:
        model = LongGptOss(config, tensors)
        logits = model.last_logits(tokens[:length])
        if length == LENGTHS[0]:
            # The same by the plain mathematics, where that is feasible.
            short = LongGptOss(config, tensors)
            assert np.abs(short.last_logits(tokens[:2048]) - plain(short, tokens[:2048])).max() < 1e-11
        exact = LongGptOss(config, tensors)
        exact.exact_angles = True
        cases.append(
            {
                "tokens": length,
                "deviation": float(logits.std()),
                "f64_angles_difference": float(np.abs(exact.last_logits(tokens[:length]) - logits).max()),
                "logits": logits.tolist(),
            }
        )
    written = {
        "made": "python tests/parity/gpt_oss_long.py OUT_DIR --fixture",
        "weights_sha256": random_gpt_oss.fingerprint(NAME),
        "cases": cases,
    }
    path = Path(__file__).parent / "fixtures/gpt-oss-long.json"
    path.write_text(json.dumps(written) + "\n", encoding="utf-8")


def plain(model: LongGptOss, tokens: np.ndarray) -> Real:
    """The last logits of `GptOss` itself, which keeps every matrix whole."""
    model.begin = 0
    return model.logits(tokens.tolist())[-1]


if __name__ == "__main__":
    main()
