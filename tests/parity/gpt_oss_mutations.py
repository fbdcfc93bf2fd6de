"""What each plausible mistake does to the logits of the random GPT-OSS checkpoints, and so whether a test would notice.

Every class below is the numpy model with one thing wrong; its first line says what. Each runs on every checkpoint of
random_gpt_oss.CONFIGS; the differences from the right logits, in units of their standard deviation, go into
gpt-oss-mutations.md. The run fails where none of the checkpoints makes a mistake at least 10 times as large as the
tolerance of the tests, which is 1e-4. Needs numpy and gguf only:

    python tests/parity/gpt_oss_mutations.py            # writes gpt-oss-mutations.md; some minutes
"""
# A class's docstring is its row of the table, and its methods are the model's.
# ruff: noqa: D102, D415, ARG002

import math
from pathlib import Path
from typing import NamedTuple

import gpt_oss_weights
import numpy as np
import random_gpt_oss
from gpt_oss_numpy import GptOss, Real, Whole
from random_bits import round_to

TOLERANCE = 1e-4
CLEAR = 10
"""How many tolerances a mistake must make in its worst checkpoint."""

# ---------------------------------------------------------------------------------------------------------------------
# Windows
# ---------------------------------------------------------------------------------------------------------------------


class WindowOneWider(GptOss):
    """The window holds one key more"""

    def reach(self, n: int) -> float:
        return super().reach(n) + 1


class WindowOneNarrower(GptOss):
    """The window holds one key less"""

    def reach(self, n: int) -> float:
        return super().reach(n) - 1


class WindowOff(GptOss):
    """No layer has a window"""

    def reach(self, n: int) -> float:
        return math.inf


class WindowOnOddLayers(GptOss):
    """The window is on the odd layers"""

    def reach(self, n: int) -> float:
        return self.window if n % 2 == 1 else math.inf


class WindowOnEvenLayers(GptOss):
    """The window is on the even layers whatever `layer_types` says"""

    def reach(self, n: int) -> float:
        return self.window if n % 2 == 0 else math.inf


class WindowEverywhere(GptOss):
    """Every layer has the window"""

    def reach(self, n: int) -> float:
        return self.window


# ---------------------------------------------------------------------------------------------------------------------
# Rope
# ---------------------------------------------------------------------------------------------------------------------


class ConcentrationLeftOut(GptOss):
    """YaRN's concentration is left out"""

    def concentration(self) -> float:
        return 1


class ConcentrationOnScoresOnce(GptOss):
    """YaRN's concentration acts on the queries only"""

    def concentration(self) -> float:
        return math.sqrt(super().concentration())


class YarnLeftOut(GptOss):
    """Frequencies are those of a rope without YaRN"""

    def frequencies(self, n: int) -> Real:
        return self.plain_frequencies()


class YarnOnFullLayersOnly(GptOss):
    """Sliding layers have a rope without YaRN's frequencies"""

    def frequencies(self, n: int) -> Real:
        return self.plain_frequencies() if self.slides[n] else super().frequencies(n)


class YarnBeyondTheOriginalContextOnly(GptOss):
    """Prompts within the original context have a rope without YaRN's frequencies"""

    def angles(self, length: int, n: int) -> Real:
        if length > self.original:
            return super().angles(length, n)
        return np.arange(length)[:, None] * self.plain_frequencies()


class YarnWithoutRamp(GptOss):
    """Every frequency is divided by the factor"""

    def frequencies(self, n: int) -> Real:
        return self.plain_frequencies() / self.factor


class TruncateFlipped(GptOss):
    """`truncate` is read as its opposite"""

    def ramp_ends(self) -> tuple[float, float]:
        self.truncate = not self.truncate
        ends = super().ramp_ends()
        self.truncate = not self.truncate
        return ends


class BetasIgnored(GptOss):
    """`beta_fast` and `beta_slow` are always 32 and 1"""

    def ramp_ends(self) -> tuple[float, float]:
        self.beta_fast, self.beta_slow = 32.0, 1.0
        return super().ramp_ends()


class RampBelowZero(GptOss):
    """The ramp may begin below the first frequency"""

    def ramp_ends(self) -> tuple[float, float]:
        low, high = self.correction(self.beta_fast), self.correction(self.beta_slow)
        return (math.floor(low), math.ceil(high)) if self.truncate else (low, high)


class RopeInPairs(GptOss):
    """Rope turns neighbours (2i, 2i + 1), not halves"""

    def rotate(self, x: Real, cos: Real, sin: Real) -> Real:
        x1, x2 = x[..., 0::2], x[..., 1::2]
        return np.stack([x1 * cos - x2 * sin, x2 * cos + x1 * sin], axis=-1).reshape(x.shape)


class RopeBackwards(GptOss):
    """Rope turns the wrong way for keys"""

    def rotate(self, x: Real, cos: Real, sin: Real) -> Real:
        return super().rotate(x, cos, sin if x.ndim == 4 else -sin)


class AnglesInBf16(GptOss):
    """Angles are rounded to bf16 before the cosine"""

    def angles(self, length: int, n: int) -> Real:
        rounded = round_to(super().angles(length, n).astype(np.float32), "BF16")
        return rounded.astype(np.float64)


# ---------------------------------------------------------------------------------------------------------------------
# Sinks and heads
# ---------------------------------------------------------------------------------------------------------------------


class SinksOff(GptOss):
    """There are no sinks"""

    def sinks(self, n: int) -> Real:
        return super().sinks(n) - np.inf


class SinksScaled(GptOss):
    """Sinks are scaled as scores are, by 1 / sqrt(d)"""

    def sinks(self, n: int) -> Real:
        return super().sinks(n) * self.head_dim**-0.5


class SinksOfOtherHeads(GptOss):
    """Sinks are read group by group, not KV head by KV head"""

    def sinks(self, n: int) -> Real:
        return self.tensors[f"block.{n}.attn.sinks"].reshape(-1, self.kv_heads).T


class HeadsInterleaved(GptOss):
    """Query head h looks at KV head h mod K, not at h / G"""

    def group(self, q: Real) -> Real:
        return q.reshape(len(q), -1, self.kv_heads, self.head_dim).swapaxes(1, 2)

    def ungroup(self, a: Real) -> Real:
        return a.swapaxes(1, 2).reshape(len(a), -1)

    def sinks(self, n: int) -> Real:
        return self.tensors[f"block.{n}.attn.sinks"].reshape(-1, self.kv_heads).T


class AttentionBiasesLeftOut(GptOss):
    """q, k and v have no biases"""

    def linear(self, x: Real, key: str) -> Real:
        return x @ self.tensors[f"{key}.weight"].T if key.endswith("qkv") else super().linear(x, key)


class OutputBiasLeftOut(GptOss):
    """Attention's output has no bias"""

    def linear(self, x: Real, key: str) -> Real:
        return x @ self.tensors[f"{key}.weight"].T if key.endswith("out") else super().linear(x, key)


# ---------------------------------------------------------------------------------------------------------------------
# Norms and embedding
# ---------------------------------------------------------------------------------------------------------------------


class EpsilonTenfold(GptOss):
    """Epsilon is ten times as large"""

    def norm(self, x: Real, scale: str) -> Real:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 10 * self.eps) * self.tensors[scale]


class EpsilonOutside(GptOss):
    """Epsilon is added to the root"""

    def norm(self, x: Real, scale: str) -> Real:
        return x / (np.sqrt((x * x).mean(-1, keepdims=True)) + self.eps) * self.tensors[scale]


class NormPlusOne(GptOss):
    """Norms multiply by 1 + scale"""

    def norm(self, x: Real, scale: str) -> Real:
        return super().norm(x, scale) * (1 + 1 / self.tensors[scale])


class EmbeddingScaled(GptOss):
    """The embedding is multiplied by sqrt(D)"""

    def embed(self, tokens: list[int]) -> Real:
        rows = super().embed(tokens)
        return rows * math.sqrt(rows.shape[-1])


# ---------------------------------------------------------------------------------------------------------------------
# Router
# ---------------------------------------------------------------------------------------------------------------------


class SoftmaxBeforeTopK(GptOss):
    """Shares are a softmax over all experts"""

    def shares(self, g: Real, chosen: Whole) -> Real:
        weight = np.exp(g - g.max(-1, keepdims=True))
        return np.take_along_axis(weight / weight.sum(-1, keepdims=True), chosen, axis=-1)


class HigherIndexWins(GptOss):
    """Of equal router logits the higher index is chosen"""

    def choose(self, g: Real) -> Whole:
        return g.shape[-1] - 1 - super().choose(g[:, ::-1])


class OneExpertFewer(GptOss):
    """One expert fewer is chosen, where there are several"""

    def choose(self, g: Real) -> Whole:
        return super().choose(g)[:, : max(1, self.chosen - 1)]


class RouterBiasLeftOut(GptOss):
    """The router has no bias"""

    def linear(self, x: Real, key: str) -> Real:
        return x @ self.tensors[f"{key}.weight"].T if key.endswith("gate") else super().linear(x, key)


class BiasOutsideTheWeighting(GptOss):
    """Experts' output biases are added unweighted"""

    def weigh(self, share: Real, product: Real, bias: Real) -> Real:
        return share * product + bias


# ---------------------------------------------------------------------------------------------------------------------
# Experts
# ---------------------------------------------------------------------------------------------------------------------


class GateAndUpInHalves(GptOss):
    """Gates are the first half of the rows, not the even ones"""

    def gate_and_up(self, u: Real) -> tuple[Real, Real]:
        gate, up = np.split(u, 2, axis=-1)
        return gate, up


class GateAndUpSwapped(GptOss):
    """Gates are the odd rows"""

    def gate_and_up(self, u: Real) -> tuple[Real, Real]:
        return u[:, 1::2], u[:, 0::2]


class AlphaRounded(GptOss):
    """1.7 for 1.702"""

    alpha = 1.7


class AlphaOne(GptOss):
    """1 for 1.702: SiLU, as `hidden_act` says"""

    alpha = 1.0


class NoClamp(GptOss):
    """Neither gate nor up is limited"""

    def clamp_gate(self, gate: Real) -> Real:
        return gate

    def clamp_up(self, up: Real) -> Real:
        return up


class GateUnclamped(GptOss):
    """Gates are not limited"""

    def clamp_gate(self, gate: Real) -> Real:
        return gate


class GateClampedBelow(GptOss):
    """Gates are limited from below too"""

    def clamp_gate(self, gate: Real) -> Real:
        return np.clip(gate, -self.limit, self.limit)


class UpClampedAboveOnly(GptOss):
    """Ups are limited from above only"""

    def clamp_up(self, up: Real) -> Real:
        return np.minimum(up, self.limit)


class LimitAlwaysSeven(GptOss):
    """The limit is 7 whatever the config says"""

    def clamp_gate(self, gate: Real) -> Real:
        return np.minimum(gate, 7)

    def clamp_up(self, up: Real) -> Real:
        return np.clip(up, -7, 7)


class UpWithoutOne(GptOss):
    """Up without + 1"""

    def offset(self, up: Real) -> Real:
        return up


class ClampAfterPlusOne(GptOss):
    """Up is limited after + 1"""

    def clamp_up(self, up: Real) -> Real:
        return up

    def offset(self, up: Real) -> Real:
        return np.clip(up + 1, -self.limit, self.limit)


class FirstBiasLeftOut(GptOss):
    """gate_up has no bias"""

    def first(self, h: Real, n: int, e: int) -> Real:
        return super().first(h, n, e) - self.tensors[f"block.{n}.mlp.mlp1_bias"][e]


class SecondBiasLeftOut(GptOss):
    """down has no bias"""

    def bias(self, n: int, e: int) -> Real:
        return 0 * super().bias(n, e)


class DownTransposed(GptOss):
    """down is read transposed, where it is square"""

    def second(self, act: Real, n: int, e: int) -> Real:
        matrix = self.tensors[f"block.{n}.mlp.mlp2_weight"][e]
        return act @ matrix if matrix.shape[0] == matrix.shape[1] else super().second(act, n, e)


# ---------------------------------------------------------------------------------------------------------------------
# MXFP4
# ---------------------------------------------------------------------------------------------------------------------


class NibblesSwapped(GptOss):
    """The high nibble is the even element"""

    def element_order(self, low: Real, high: Real) -> Real:
        return super().element_order(high, low)


class NibblesInHalves(GptOss):
    """Low nibbles are the first 16 elements, as in GGUF"""

    def element_order(self, low: Real, high: Real) -> Real:
        return np.concatenate([low, high], axis=-1)


class ScaleBias(GptOss):
    """Scales are 2^(s - 128)"""

    def scale(self, byte: np.ndarray) -> Real:
        return super().scale(byte) / 2


class SubnormalLost(GptOss):
    """Codes 1 and 9 (± 0.5, FP4's subnormal) are 0"""

    def fp4(self, code: np.ndarray) -> Real:
        return np.where(code & 7 == 1, 0, super().fp4(code))


# ---------------------------------------------------------------------------------------------------------------------
# The table
# ---------------------------------------------------------------------------------------------------------------------


def main() -> None:
    """Writes gpt-oss-mutations.md."""
    found: dict[type[GptOss], dict[str, Found]] = {mistake: {} for mistake in GptOss.__subclasses__()}
    for name in random_gpt_oss.CONFIGS:
        config = random_gpt_oss.config_json(name)
        stored = {key: values for key, (values, _) in random_gpt_oss.tensors_in(name, "original").items()}
        ids = gpt_oss_weights.token_ids(name, 300)
        model = GptOss(config, stored)
        right = model.logits(ids)
        for mistake, differences in found.items():
            unpacks = {"fp4", "scale", "element_order"} & vars(mistake).keys()
            wrong = mistake(config, stored if unpacks else model.tensors).logits(ids)
            at = np.abs(wrong - right).max(-1) / right.std()
            differences[name] = Found(largest=float(at.max()), typical=float(np.median(at)))
        print(name, flush=True)
    rows = [row(mistake.__doc__ or "", differences) for mistake, differences in found.items()]
    (Path(__file__).parent / "gpt-oss-mutations.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    unheard = [
        mistake.__name__
        for mistake, differences in found.items()
        if max(difference.largest for difference in differences.values()) < CLEAR * TOLERANCE
    ]
    if unheard:
        raise SystemExit(f"no checkpoint makes these audible: {', '.join(unheard)}")


class Found(NamedTuple):
    """What a mistake does to one checkpoint, in standard deviations of its logits."""

    largest: float
    typical: float
    """The median over positions of the largest difference there."""


def row(about: str, found: dict[str, Found]) -> str:
    """What is wrong, the difference where it is largest, and the checkpoints that notice."""
    worst = max(found, key=lambda name: found[name])
    heard = [name for name, difference in found.items() if difference.largest >= CLEAR * TOLERANCE]
    deaf = [name for name in found if name not in heard]
    names = "all" if not deaf else f"all but {', '.join(deaf)}" if len(deaf) < len(heard) else ", ".join(heard)
    return f"| {about} | {found[worst].largest:.1e} | {found[worst].typical:.1e} | {worst} | {names} |"


HEAD = f"""# What mistakes do to GPT-OSS's logits

Made by `python tests/parity/gpt_oss_mutations.py`: the numpy model with one thing wrong, on every checkpoint of
`random_gpt_oss.py`, 300 tokens. *Largest* is the largest difference from the right logits in units of their standard
deviation, in the checkpoint where it is largest of all; *typical* is the median there over the positions. The tests
tolerate {TOLERANCE:.0e}; a checkpoint *notices* from {CLEAR * TOLERANCE:.0e} on. Most mistakes end in a few
deviations, because sooner or later they send a token to another expert.

| mistake | largest | typical | in | noticed by |
| --- | --- | --- | --- | --- |
"""


if __name__ == "__main__":
    main()
