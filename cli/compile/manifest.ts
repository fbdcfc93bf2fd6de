/** `--manifest`: Kubernetes objects that run workers on the target, and the options that only they need. */
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type Command, Option } from "commander";
import type { Topology } from "../../compiler/index.ts";
import {
  type ManifestOptions,
  parseWeightsSource,
  printManifest,
  type WeightsSource,
} from "../../deploy/kubernetes/index.ts";
import { InputError } from "../../dsl/index.ts";
import { wholeNumber } from "../options.ts";
import type { Progress } from "../progress.ts";

// Public API

/** What the command line says of a manifest. */
export interface ManifestWords {
  readonly manifest?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly image?: string;
  readonly pullImage?: string;
  readonly replicas?: number;
  readonly weightsFrom?: string;
  readonly root?: string;
  readonly cacheClaim?: string;
  readonly serviceAccount?: string;
}

/** Adds `--manifest` and the options that say what is in it. */
export function withManifest(command: Command): Command {
  command.option("--manifest <file>", "write Kubernetes objects, YAML, that run workers on the target");
  return addManifestOptions(command);
}

/** Adds the options that say what is in a manifest, but for some. */
export function addManifestOptions(command: Command, without: readonly (keyof ManifestWords)[] = []): Command {
  const forManifest = [
    new Option("--name <name>", "of the objects, and the workers' DNS name (the model's)"),
    new Option("--namespace <namespace>", "where they live (default)"),
    new Option("--image <image>", "the worker's image (tsxla-worker)"),
    new Option("--pull-image <image>", "an image with tsxla itself, for weights of the hub (tsxla)"),
    new Option("--replicas <n>", "copies of the target, each with all of its hosts (1)").argParser(wholeNumber),
    new Option("--weights-from <source>", "hub:OWNER/NAME[@REVISION], claim:NAME or gs://BUCKET[/FOLDER]"),
    new Option("--root <dir>", "where workers find checkpoints (/models)"),
    new Option("--cache-claim <name>", "a PersistentVolumeClaim that keeps compiled programs (none)"),
    new Option("--service-account <name>", "whose workers they are; a bucket needs it"),
  ];
  const taken = forManifest.filter((option) => !without.includes(option.attributeName() as keyof ManifestWords));
  for (const option of taken) command.addOption(option.helpGroup("Options of --manifest:"));
  return command;
}

/**
 * Writes the manifest that was asked for, if one was.
 *
 * @param model  as the command line names it
 * @param topology  the target's; absent where it is this machine
 * @throws InputError naming what is missing, or what Kubernetes or GKE would refuse
 */
export async function writeManifest(
  words: ManifestWords,
  model: string,
  topology: Topology | undefined,
  progress: Progress,
): Promise<void> {
  const { manifest: path } = words;
  if (path === undefined) {
    const stray = only.find((name) => words[name] !== undefined);
    if (stray === undefined) return;
    const option = stray.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new InputError("OPTION_CONFLICT", `--${option} is about a manifest, and no --manifest FILE is asked for`, {
      option,
    });
  }
  if (topology === undefined) {
    throw new InputError(
      "TARGET",
      "--manifest needs a target that says which chips and how many, such as --target tpu:v4:2x2x1 or cuda:h100:8",
      { option: "target" },
    );
  }
  const text = printManifest(topology, manifestOptions(words, model));
  await writeFile(path, text).catch((cause: Error) => {
    throw new InputError("OUTPUT", `${path} cannot be written: ${cause.message}`, { path }, { cause });
  });
  const image = words.image === undefined ? `; its image is ${defaultImage}, unless --image names yours` : "";
  progress.say(`${path} written${image}`);
}

/** What the words say, with what stands where they say nothing. @throws InputError where weights can't be found */
export function manifestOptions(words: ManifestWords, model: string): ManifestOptions {
  const { cacheClaim, serviceAccount } = words;
  return {
    name: words.name ?? nameOf(model),
    namespace: words.namespace ?? "default",
    image: words.image ?? defaultImage,
    pullImage: words.pullImage ?? "tsxla",
    replicas: words.replicas ?? 1,
    weights: weightsOf(words.weightsFrom, model),
    root: words.root ?? "/models",
    cacheClaim,
    serviceAccount,
  };
}

// Implementation

const only = [
  "name",
  "namespace",
  "image",
  "pullImage",
  "replicas",
  "weightsFrom",
  "root",
  "cacheClaim",
  "serviceAccount",
] as const satisfies readonly (keyof ManifestWords)[];

/** A name without a registry: what `kustomize edit set image` replaces, and what a local cluster may hold. */
const defaultImage = "tsxla-worker";

/** Where the models lie that the command line knows by name. */
const repositories: Readonly<Record<string, string>> = {
  "gpt-oss-20b": "openai/gpt-oss-20b",
  "gpt-oss-120b": "openai/gpt-oss-120b",
  "smollm2-135m": "HuggingFaceTB/SmolLM2-135M-Instruct",
};

function weightsOf(source: string | undefined, model: string): WeightsSource {
  if (source !== undefined) return parseWeightsSource(source);
  const repository = Object.hasOwn(repositories, model) ? repositories[model] : undefined;
  if (repository !== undefined) return { kind: "hub", repository };
  throw new InputError(
    "OPTION_MISSING",
    `where a cluster finds the weights of ${model} is not known: say --weights-from hub:OWNER/NAME, claim:NAME or gs://BUCKET/FOLDER`,
    { option: "weights-from" },
  );
}

/** A model's name as a name of Kubernetes: `Meta-Llama-3.1-8B.gguf` is `meta-llama-3-1-8b`. */
function nameOf(model: string): string {
  const words = basename(model, ".json").replace(/\.gguf$/, "");
  const name = words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return name.slice(0, 45).replace(/-+$/, "") || "tsxla";
}
