/** Models that are known by name: where their weights are, and what was published of them. */
import { fileURLToPath } from "node:url";

// Public API

/** The checkout. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** What somebody else said of a model, and where. */
export interface Fact {
  readonly what: string;
  readonly published: string;
  readonly source: string;
  /** The same of what was loaded, written as it was published. */
  readonly found: (model: Described) => string;
}

/** What is known of a model when it is open. */
export interface Described {
  readonly parameters: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** Of all tensors in its files. */
  readonly tensorBytes: number;
}

export interface KnownModel {
  /** On the hub; absent for one that set-up installs. */
  readonly repository?: string;
  readonly path: string;
  readonly facts: readonly Fact[];
}

export const knownModels: Readonly<Record<string, KnownModel>> = {
  "gpt-oss-20b": {
    repository: "openai/gpt-oss-20b",
    path: "checkpoints/gpt-oss-20b",
    facts: gptOssFacts({ parameters: "20.91 B", layers: 24, experts: 32, gibibytes: "12.8" }),
  },
  "gpt-oss-120b": {
    repository: "openai/gpt-oss-120b",
    path: "checkpoints/gpt-oss-120b",
    facts: gptOssFacts({ parameters: "116.83 B", layers: 36, experts: 128, gibibytes: "60.8" }),
  },
  smollm2: {
    path: `${root}checkpoints/smollm2-135m-instruct.gguf`,
    facts: [
      { ...counted("134.5 M", 1e6, 1), source: "https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct" },
      ...numbers("its config.json", {
        layers: 30,
        embed: 576,
        heads: 9,
        kvHeads: 3,
        mlp: 1536,
        vocab: 49152,
        context: 8192,
      }),
    ],
  },
};

// Implementation

function gptOssFacts(of: {
  readonly parameters: string;
  readonly layers: number;
  readonly experts: number;
  readonly gibibytes: string;
}): readonly Fact[] {
  const card = "arXiv:2508.10925, section 2 and table 1";
  return [
    { ...counted(of.parameters, 1e9, 2), source: card },
    {
      what: "checkpoint, GiB",
      published: of.gibibytes,
      source: card,
      found: ({ tensorBytes }) => (tensorBytes / 2 ** 30).toFixed(1),
    },
    {
      what: "window of every other layer, from the first",
      published: "128",
      source: card,
      found: ({ config }) => windowsOf(config.windows as readonly (number | undefined)[]),
    },
    ...numbers(card, {
      layers: of.layers,
      experts: of.experts,
      expertsPerToken: 4,
      embed: 2880,
      heads: 64,
      kvHeads: 8,
      headDim: 64,
      vocab: 201_088,
      context: 131_072,
    }),
  ];
}

function windowsOf(windows: readonly (number | undefined)[]): string {
  const isAlternating = windows.every((window, n) => (n % 2 === 0 ? window === windows[0] : window === undefined));
  return isAlternating ? String(windows[0]) : `of ${windows.map((window) => window ?? "all").join(", ")}`;
}

function counted(published: string, unit: number, digits: number): Omit<Fact, "source"> {
  const suffix = published.replace(/^[\d.]+/, "");
  return {
    what: "parameters",
    published,
    found: ({ parameters }) => `${(parameters / unit).toFixed(digits)}${suffix}`,
  };
}

function numbers(source: string, of: Readonly<Record<string, number>>): readonly Fact[] {
  return Object.entries(of).map(([what, value]) => ({
    what,
    published: String(value),
    source,
    found: ({ config }) => String(config[what]),
  }));
}
