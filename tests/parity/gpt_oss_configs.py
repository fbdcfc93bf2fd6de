"""The random GPT-OSS checkpoints: each entry of CONFIGS is one combination of sizes and switches.

`random_gpt_oss.py` writes them; `make_fixtures.py` asks transformers for their logits.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """One model: sizes, switches, and how it is stored when nothing else is asked for."""

    about: str
    layers: int
    experts: int
    chosen: int
    """Experts per token."""
    hidden: int
    mlp: int
    """Width inside an expert."""
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    window: int
    factor: float
    """YaRN's; at 1 the rope is a plain one."""
    original_context: int
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    truncate: bool = False
    theta: float = 150000.0
    eps: float = 1e-5
    limit: float = 7.0
    """Of SwiGLU's two inputs."""
    full_layers: frozenset[int] | None = None
    """Layers without a window, when not every second one from layer 1 on."""
    sinks: tuple[float, ...] = ()
    """Put in place of the first random sinks, in every layer."""
    ties: bool = False
    """Experts 2n and 2n+1 have the same router row, with one nonzero weight, so their logits are equal in any order of
    summation."""
    rope_parameters: bool = False
    """Whether config.json spells the rope as transformers 5 does."""
    shards: int = 1
    lengths: tuple[int, ...] = (300,)
    """Prompt lengths of the fixtures."""
    gguf_types: tuple[str, ...] = ()
    """Quantised GGUF forms that have fixtures of their own."""
    prompt: int = 0
    """Which random prompt: the first without a near tie between the two largest logits of any position, or between the
    last expert that is chosen and the first that is not."""

    @property
    def context(self) -> int:
        """At least as long as the prompts."""
        return max(512, round(self.original_context * self.factor))

    @property
    def layer_types(self) -> list[str]:
        """As in config.json."""
        full = {*range(1, self.layers, 2)} if self.full_layers is None else self.full_layers
        return ["full_attention" if layer in full else "sliding_attention" for layer in range(self.layers)]


CONFIGS: dict[str, Config] = {
    "released": Config(
        about="the released models in small: 4 of 32 experts, expert width = hidden size = 32 * odd, 8 heads for a KV "
        "head of size 64, window 128, YaRN 32 without truncation",
        layers=4, experts=32, chosen=4, hidden=96, mlp=96, heads=8, kv_heads=1, head_dim=64, vocab=401,
        window=128, factor=32.0, original_context=256, lengths=(127, 128, 129, 300),
        prompt=1,
    ),
    "window-8": Config(
        about="a head for each KV head; a window of 8; an odd number of layers; YaRN 8 truncated, whose ramp would "
        "start below 0 and is held at 0; expert width 32 * 5, wider than the model",
        layers=3, experts=8, chosen=2, hidden=64, mlp=160, heads=4, kv_heads=4, head_dim=32, vocab=331,
        window=8, factor=8.0, original_context=64, truncate=True,
        prompt=1,
    ),
    "one-of-two": Config(
        about="1 of 2 experts, so every weight is 1; the narrowest expert (32); 3 heads per KV head; epsilon 1e-3; "
        "beta_fast and beta_slow unlike the released ones",
        layers=2, experts=2, chosen=1, hidden=128, mlp=32, heads=6, kv_heads=2, head_dim=32, vocab=300,
        window=8, factor=32.0, original_context=128, beta_fast=8.0, beta_slow=0.5, eps=1e-3,
        prompt=2,
    ),
    "all-experts": Config(
        about="all 4 of 4 experts; prompts beyond the original context times the factor; also the base of the Q8_0 "
        "GGUF fixture",
        layers=2, experts=4, chosen=4, hidden=96, mlp=64, heads=4, kv_heads=2, head_dim=64, vocab=515,
        window=128, factor=8.0, original_context=32, beta_fast=4.0, gguf_types=("Q8_0",),
        prompt=1,
    ),
    "layer-types": Config(
        about="layer_types other than alternating: two full layers, a sliding one, a full one; 3 of 16 experts; the "
        "rope in transformers 5's spelling; epsilon 1e-6",
        layers=4, experts=16, chosen=3, hidden=64, mlp=96, heads=8, kv_heads=2, head_dim=32, vocab=333,
        window=16, factor=32.0, original_context=64, beta_fast=8.0, eps=1e-6, full_layers=frozenset({0, 1, 3}),
        rope_parameters=True,
        prompt=1,
    ),
    "tight-limit": Config(
        about="swiglu_limit 1.5; three shards; hidden size 32 * 5; prompts within the original context (512)",
        layers=2, experts=8, chosen=2, hidden=160, mlp=64, heads=3, kv_heads=1, head_dim=64, vocab=389,
        window=8, factor=8.0, original_context=512, limit=1.5, shards=3,
        prompt=1,
    ),
    "plain-rope": Config(
        about="YaRN with factor 1, a plain rope; theta 10000; hidden size 32; 1 of 4 experts; the newer spelling",
        layers=3, experts=4, chosen=1, hidden=32, mlp=64, heads=2, kv_heads=2, head_dim=64, vocab=270,
        window=128, factor=1.0, original_context=512, theta=10000.0, rope_parameters=True, lengths=(129, 300),
    ),
    "huge-sinks": Config(
        about="sinks of 30 (the head gives nearly nothing), -30 (as if there were none) and 8 among random ones",
        layers=2, experts=8, chosen=4, hidden=96, mlp=32, heads=4, kv_heads=1, head_dim=32, vocab=331,
        window=128, factor=32.0, original_context=256, sinks=(30.0, -30.0, 8.0),
    ),
    "ties": Config(
        about="experts in pairs with exactly equal router logits and 3 chosen, so a pair is always cut in two: the "
        "lower index wins",
        layers=2, experts=8, chosen=3, hidden=64, mlp=64, heads=4, kv_heads=2, head_dim=32, vocab=331,
        window=8, factor=8.0, original_context=64, beta_fast=8.0, ties=True,
        prompt=1,
    ),
    "truncated": Config(
        about="the released shape with truncation on: the ramp's ends are rounded outwards; the widest vocabulary",
        layers=2, experts=32, chosen=4, hidden=128, mlp=96, heads=8, kv_heads=1, head_dim=64, vocab=601,
        window=128, factor=32.0, original_context=256, truncate=True,
        prompt=1,
    ),
}  # fmt: skip
