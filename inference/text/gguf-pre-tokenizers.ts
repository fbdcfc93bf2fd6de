/**
 * How the texts of a GGUF file's `tokenizer.ggml.pre` are cut into words before the merges.
 *
 * Source: llama.cpp, src/llama-vocab.cpp (`llm_tokenizer_bpe` for the patterns, `llama_vocab::impl::load` for the names,
 * `ignore_merges` and `add_bos`), release of the llama-cpp-python 0.3.36 source package. Where that file quotes the
 * pattern of the model's own tokenizer.json and uses an approximation of it, the quoted one is taken. Patterns are
 * Oniguruma's, applied one after the other: each cuts every piece at its matches, and the matches are pieces too.
 *
 * Not here: `kimi-k2` and `afmoe`, which llama.cpp does in code, and `gemma4`, `sarvam-moe` and `whitespace`, which are
 * not byte-level.
 */

/** What a `tokenizer.ggml.pre` stands for. */
export interface PreTokenizer {
  /** Applied in order. */
  readonly patterns: readonly string[];
  /** A word that is in the vocabulary is one token, whatever the merges say. */
  readonly ignoreMerges: boolean;
  /** Whether a beginning-of-sequence token is added when the file does not say. */
  readonly addBos: boolean;
  /**
   * Whether the model's own tokenizer composes characters (Unicode NFC) first, so that `e` with an accent after it comes
   * back as `é`. Source: transformers, models/{qwen2,qwen3_5,cohere}/tokenization_*.py. llama.cpp does not do it.
   */
  readonly composes: boolean;
}

const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const LINES_AND_SPACES = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const SYMBOLS = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`;
const WORD = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const LLAMA3 = String.raw`${CONTRACTION}|${WORD}|\p{N}{1,3}|${SYMBOLS}|${LINES_AND_SPACES}`;
const QWEN2 = String.raw`${CONTRACTION}|${WORD}|\p{N}|${SYMBOLS}|${LINES_AND_SPACES}`;
const QWEN35 = String.raw`${CONTRACTION}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${LINES_AND_SPACES}`;

/** Words as runs of capitals, then small letters: `camelCase` is two. `end` may follow the letters. */
const cased = (end: string): string =>
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+${end}|` +
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*${end}`;
const O200K = String.raw`${cased(`${CONTRACTION}?`)}|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${LINES_AND_SPACES}`;
const TEKKEN = String.raw`${cased("")}|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${LINES_AND_SPACES}`;

const DEEPSEEK_LLM_LETTERS = String.raw`\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}\x{1e900}-\x{1e943}]+`;
const DEEPSEEK_LLM = [
  String.raw`[\r\n]`,
  DEEPSEEK_LLM_LETTERS,
  String.raw`\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+`,
  // llama.cpp has `\s+$`. The look behind finds the same and does not try again at every space of a long run.
  String.raw`(?<!\s)\s+$`,
  String.raw`[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+`,
  String.raw`\p{N}+`,
];
const DEEPSEEK_CODER = [
  String.raw`[\r\n]`,
  String.raw`\s?\p{L}+`,
  String.raw`\s?\p{P}+`,
  String.raw`[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+`,
  String.raw`\p{N}`,
];
const DEEPSEEK3 = [
  String.raw`\p{N}{1,3}`,
  String.raw`[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+`,
  String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_` +
    "`" +
    String.raw`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|${LINES_AND_SPACES}`,
];
const FALCON = ["[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"];
const DEFAULT = [String.raw`[\p{P}\$\+<=>\^~\|]+`, GPT2, String.raw`\p{N}+`, "[0-9][0-9][0-9]"];
const BAILING = String.raw`'(?i:[sdmt]|ll|ve|re)|${WORD}|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`;
const SEED_CODER = String.raw`${CONTRACTION}|${WORD}|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|${LINES_AND_SPACES}`;

const families: readonly (Partial<PreTokenizer> & {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
})[] = [
  { names: ["default"], patterns: DEFAULT },
  {
    names: ["gpt-2", "phi-2", "mpt", "olmo", "jais", "exaone4", "gigachat", "a.x-4.0", "mellum", "trillion"],
    patterns: [GPT2],
  },
  { names: ["granite-docling", "modern-bert"], patterns: [GPT2] },
  {
    // Each digit on its own, then as GPT-2.
    names: ["smollm", "starcoder", "refact", "codeshell", "exaone", "minerva-7b", "mellum2"],
    patterns: [String.raw`\p{N}`, GPT2],
  },
  { names: ["command-r"], patterns: [String.raw`\p{N}`, GPT2], composes: true },
  {
    names: ["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
    patterns: [LLAMA3],
    ignoreMerges: true,
    addBos: true,
  },
  { names: ["dbrx", "smaug-bpe", "chatglm-bpe"], patterns: [LLAMA3] },
  { names: ["glm4", "glm5"], patterns: [LLAMA3], ignoreMerges: true },
  {
    names: ["minicpm5"],
    patterns: [String.raw`\p{N}{1,3}`, LLAMA3.replace(String.raw`\p{N}{1,3}`, String.raw`\p{N}+`)],
    ignoreMerges: true,
  },
  { names: ["qwen2", "deepseek-r1-qwen", "megrez", "kormo"], patterns: [QWEN2], composes: true },
  { names: ["stablelm2", "hunyuan", "solar-open", "grok-2"], patterns: [QWEN2] },
  { names: ["qwen35"], patterns: [QWEN35], composes: true },
  { names: ["gpt-4o", "llama4", "kanana2", "minimax-m2"], patterns: [O200K] },
  { names: ["tekken"], patterns: [TEKKEN], ignoreMerges: true, addBos: true },
  { names: ["deepseek-llm"], patterns: DEEPSEEK_LLM },
  { names: ["deepseek-coder"], patterns: DEEPSEEK_CODER },
  { names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"], patterns: DEEPSEEK3 },
  { names: ["falcon"], patterns: FALCON },
  { names: ["bailingmoe", "bailingmoe2", "llada-moe"], patterns: [BAILING] },
  { names: ["seed-coder"], patterns: [SEED_CODER] },
];

/** By `tokenizer.ggml.pre`. */
export const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map(
  families.flatMap(({ names, patterns, ignoreMerges = false, addBos = false, composes = false }) =>
    names.map((name) => [name, { patterns, ignoreMerges, addBos, composes }]),
  ),
);
