/**
 * What a worker's answers are made of: versions, weights, files. All workers of a job must be alike in it, and an answer
 * names it as `system_fingerprint`.
 */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type { Target } from "../compiler/index.ts";
import { lowerRequested } from "../inference/programs/compile-step.ts";
import { openModel } from "../inference/programs/model-files.ts";
import { planWeights } from "../inference/programs/weights.ts";
import type { Architecture } from "../models/index.ts";
import type { Checkpoint, Worker } from "../runtime-bridge/index.ts";

// Public API

/** What a worker is and what it has, by the names that an error tells. */
export interface Identity {
  readonly "the version of tsxla's worker": string;
  readonly "the version of jax": string;
  readonly "the version of jaxlib": string;
  readonly "the platform": string;
  readonly "the kind of device": string;
  /** A digest of the index and of a little of every tensor. */
  readonly "the weights": string;
  /** A digest of configuration, tokenizer and chat template. */
  readonly "configuration, tokenizer or template": string;
}

/** How a model is to be run. */
export interface ModelPlace {
  readonly path: string;
  readonly target: Target;
  readonly architecture: Architecture | undefined;
}

/** Asks a worker. Reads headers, small files and a little of every tensor. */
export async function identify(worker: Worker, path: string, signal?: AbortSignal): Promise<Identity> {
  const call = { signal };
  const info = await worker.info(call);
  const checkpoint = await worker.openCheckpoint(path, { ...call, fingerprint: true });
  return {
    "the version of tsxla's worker": info.workerVersion,
    "the version of jax": info.jaxVersion,
    "the version of jaxlib": info.jaxlibVersion,
    "the platform": info.platform,
    "the kind of device": info.devices[0]?.kind ?? "none",
    "the weights": checkpoint.fingerprint ?? "",
    "configuration, tokenizer or template": await digestOfFiles(worker, checkpoint, signal),
  };
}

/**
 * `system_fingerprint`: of the model's text, its weights and how they are held, its files, and the version of tsxla.
 *
 * The text is that of a decode step for the job's target, so an edited architecture or another mesh is another model.
 */
export async function systemFingerprint(worker: Worker, model: ModelPlace, identity: Identity): Promise<string> {
  const files = await openModel(worker, model.path, model.architecture);
  const { storageOf } = planWeights(files, model.target);
  const step = { phase: "decode", batch: 1, tokens: 1, positions: 256 } as const;
  const { architecture, config } = files;
  const { program } = lowerRequested({ architecture, config, storageOf }, model.target, step, { locations: false });
  const made = [
    createHash("sha256").update(program.text).digest("hex"),
    identity["the weights"],
    identity["configuration, tokenizer or template"],
    model.target.weights ?? null,
    (createRequire(import.meta.url)("tsxla/package.json") as { readonly version: string }).version,
  ];
  return `fp_${createHash("sha256").update(JSON.stringify(made)).digest("hex").slice(0, 16)}`;
}

/** The first thing in which two workers differ. */
export function difference(one: Identity, other: Identity): keyof Identity | undefined {
  return (Object.keys(one) as (keyof Identity)[]).find((what) => one[what] !== other[what]);
}

// Implementation

const filesThatCount = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
];

async function digestOfFiles(worker: Worker, checkpoint: Checkpoint, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const { directory, files, metadata, container } = checkpoint;
  if (container === "gguf") {
    for (const key of [...metadata.keys()].sort()) hash.update(JSON.stringify([key, metadata.get(key)]));
    return hash.digest("hex");
  }
  for (const name of filesThatCount.filter((each) => files.includes(each))) {
    const bytes = await worker.readFile(`${directory}/${name}`, { signal });
    hash.update(`${name} ${bytes.byteLength}\n`).update(bytes);
  }
  return hash.digest("hex");
}
