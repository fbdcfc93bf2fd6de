/**
 * What works, as the README's table says it: each row names the tests that show it, by file and by words of their names.
 * The reports of a run decide whether they did (./evidence.ts).
 *
 * Counts come from the code and the fixtures, so that the table cannot lag behind.
 */
import { readFileSync } from "node:fs";
import { chipsOf } from "../../chips/index.ts";
import goldens from "../golden/parts.golden.ts";
import { allOps } from "../support/coverage.ts";
import type { Evidence } from "./evidence.ts";

// Public API

/** One row. */
export interface Capability {
  readonly what: string;
  /** What it can be compiled for. */
  readonly compiles: string;
  /** Where it was run. */
  readonly runs: string;
  readonly shownBy: readonly Evidence[];
}

/** The rows. */
export function capabilities(): readonly Capability[] {
  const { configurations, scalings, gptOss } = parityCases();
  const conversations = harmonyCases();
  return [
    {
      what: `the language: ${allOps.size} operations, loops, choices, scans, \`forChosen\`, caches`,
      compiles: "cpu",
      runs: "XLA on CPU; StableHLO's reference interpreter",
      shownBy: [
        { everyOpIn: "dsl/ops" },
        { file: "dsl/for-chosen.test.ts", words: "is the weighted sum over what was chosen" },
        { file: "dsl/cache.test.ts", words: "LinearCache writes each row's chunk" },
        { file: "dsl/cache.test.ts", words: "RingCache writes a position" },
      ],
    },
    {
      what: `text that is MLIR's own print, byte for byte; ${Object.keys(goldens).length} goldens of model parts`,
      compiles: "cpu, f32 and bf16",
      runs: "XLA on CPU; StableHLO's reference interpreter",
      shownBy: [
        { file: "tests/golden/golden.test.ts", words: "which is what MLIR prints" },
        { file: "tests/golden/golden.test.ts", words: "computes numpy's numbers" },
      ],
    },
    {
      what: "`expect(fn).toLowerTo(file)` and `tsxla golden check`: a difference by operation, TypeScript line and axis, without a worker",
      compiles: "",
      runs: "Node alone",
      shownBy: [
        { file: "testing/difference/difference.test.ts", words: "is the only difference, wherever it stands" },
        { file: "tests/golden/command.test.ts", words: "a difference is shown by operation" },
      ],
    },
    {
      what: "a package for JavaScript and TypeScript: `npm pack`, installed into an empty project, no script at installation",
      compiles: "",
      runs: "Linux x86-64",
      shownBy: [
        { file: "tests/packed/packed.test.ts", words: "a program starts a worker in the environment" },
        { file: "tests/packed/packed.test.ts", words: "walked from an empty folder" },
      ],
    },
    {
      what: "SmolLM2-135M-Instruct from its GGUF: the logits and greedy answers of transformers in f32",
      compiles: "cpu, f32 and bf16",
      runs: "CPU",
      shownBy: [
        { file: "tests/parity/logits.test.ts", words: "SmolLM2" },
        { file: "tests/parity/greedy.test.ts", words: "token for token" },
      ],
    },
    {
      what: "several prompts at once, each answered as it is alone; rows go to the next prompt as they become free",
      compiles: "cpu, f32 and bf16",
      runs: "CPU",
      shownBy: [
        { file: "tests/parity/batch.test.ts", words: "as transformers answers each" },
        { file: "inference/batching/answer-list.test.ts", words: "goes to the next prompt" },
      ],
    },
    {
      what: "an engine: requests come and go while others run, long prompts in chunks between steps, beginnings that are shared prefilled once; an answer's bits do not depend on its neighbours",
      compiles: "cpu, f32",
      runs: "CPU",
      shownBy: [
        { file: "tests/batching/engine.test.ts", words: "the same bits in any row" },
        { file: "tests/batching/engine.test.ts", words: "holds the bits of one computed anew" },
        { file: "inference/batching/scheduler.test.ts", words: "everybody is answered once" },
      ],
    },
    {
      what: "sampling: temperature, top-k, top-p, min-p, penalties, logit bias, log-probabilities, stops, masks, against transformers' processors",
      compiles: "cpu, f32 and bf16",
      runs: "CPU",
      shownBy: [
        { file: "tests/parity/sampling.test.ts", words: "every combination leaves the tokens" },
        { file: "tests/parity/greedy.test.ts", words: "with bias and penalties" },
        { file: "inference/sampling/token-mask.test.ts", words: "shares the whole probability" },
      ],
    },
    {
      what: "several tokens in a call, chosen on the device: greedy, or drawn by temperature and top-k; the same however they are grouped",
      compiles: "cpu, f32 and bf16",
      runs: "CPU",
      shownBy: [
        { file: "inference/steps/choosing-steps.test.ts", words: "says the same however many tokens" },
        { file: "inference/sampling/choose-on-device.test.ts", words: "is drawn from the softmax" },
      ],
    },
    {
      what: `the Llama family: ${configurations} configurations against transformers; rope ${scalings.join(", ")}`,
      compiles: "cpu, f32 and bf16",
      runs: "CPU",
      shownBy: [{ file: "tests/parity/logits.test.ts", words: "transformers" }],
    },
    {
      what: `GPT-OSS, experts held in MXFP4: ${gptOss} random models against transformers, from Hugging Face's layout, OpenAI's and GGUF`,
      compiles: "cpu, f32 and bf16",
      runs: "CPU",
      shownBy: [{ file: "tests/parity/gpt-oss.test.ts", words: "transformers' logits" }],
    },
    {
      what: `Harmony, GPT-OSS's chat format: openai-harmony's tokens and messages for its documented cases and ${conversations} random conversations; a parser that takes any stream`,
      compiles: "",
      runs: "Node",
      shownBy: [
        { file: "tests/harmony/documented.test.ts", words: "renders to openai-harmony's tokens" },
        { file: "tests/harmony/conversations.test.ts", words: "are rendered to openai-harmony's tokens" },
        { file: "tests/harmony/fuzz.test.ts", words: "none throws, loses text" },
      ],
    },
    {
      what: "`tsxla chat`, with Harmony or a chat template; tools that a model calls; a prompt cache from turn to turn",
      compiles: "cpu",
      runs: "CPU; Harmony with random weights that follow a script",
      shownBy: [
        { file: "tests/chat/chat.test.ts", words: "with what was said before in mind" },
        { file: "tests/examples/harmony-tools.test.ts", words: "called by the model, answered" },
        { file: "inference/steps/prompt-cache.test.ts", words: "gives the answers that there are without it" },
      ],
    },
    {
      what: "`tsxla jobs run`: a file of requests over many workers, resumed after the death of anything; one with other weights is set aside",
      compiles: "cpu",
      runs: "CPU; workers of one machine, groups of two hosts among them",
      shownBy: [
        { file: "tests/jobs/run-job.test.ts", words: "lose nothing and answer nothing twice" },
        { file: "tests/jobs/run-job.test.ts", words: "set aside by name" },
        { file: "tests/jobs/run-job.test.ts", words: "come back, are checked" },
        { file: "jobs/journal.test.ts", words: "cut at any byte" },
        { file: "jobs/dispatcher.test.ts", words: "no neighbour of it" },
      ],
    },
    {
      what: "`tsxla compile`: a model's step as text, and XLA's report, from a config.json or a published model's name",
      compiles: "cpu, f32 and bf16",
      runs: "XLA on CPU",
      shownBy: [{ file: "tests/commands.test.ts", words: "from its configuration alone" }],
    },
    {
      what: "meshes: axes split by name over data, experts and model; one device's logits on each of nine meshes",
      compiles: "cpu:N, tpu, cuda",
      runs: "CPU, four virtual devices",
      shownBy: [
        { file: "tests/sharding/meshes.test.ts", words: "gives one device's logits" },
        { file: "tests/sharding/goldens.test.ts", words: "which is what MLIR prints" },
        { file: "tests/sharding/sums.test.ts", words: "adds up in f32, also where it computes in bf16" },
        { file: "dsl/parts.test.ts", words: "looked up in part by part" },
      ],
    },
    {
      what: "ahead of time, without the chips: GPT-OSS-20B and -120B for slices of TPUs, for H100s and A100s; plans, placement, a model file with its costs",
      compiles: `${chipsNamed("tpu")}; ${chipsNamed("cuda")}`,
      runs: "never on a chip",
      shownBy: [
        { file: "tests/sharding/ahead-of-time.test.ts", words: "only results travel" },
        { file: "tests/commands.test.ts", words: "where weights and caches lie" },
      ],
    },
    {
      what: "executables as signed files: saved, loaded without compiling, refused by name where anything differs",
      compiles: "cpu, cpu:N; saved for tpu and cuda",
      runs: "CPU, four virtual devices; never on a chip",
      shownBy: [
        { file: "tests/executables/saved.test.ts", words: "the bits that it gave where it was compiled" },
        { file: "tests/sharding/ahead-of-time.test.ts", words: "can be saved, and is refused by name" },
      ],
    },
    {
      what: "plans: meshes and forms of weights by what they must read, send and repeat; meshes that do not suit a model refused with those that do",
      compiles: `${chipsNamed("tpu")}; ${chipsNamed("cuda")}`,
      runs: "no chip needed",
      shownBy: [
        { file: "planning/predicted-collectives.test.ts", words: "add up what a product sums over a split axis" },
        { file: "compiler/replicated-axes.test.ts", words: "is refused with those that suit" },
        { file: "planning/plan.test.ts", words: "tries every mesh" },
      ],
    },
    {
      what: "`tsxla compile --manifest`: a target's hosts as Kubernetes objects, for GKE's slices of TPUs and for GPU nodes",
      compiles: `${chipsNamed("tpu")}; ${chipsNamed("cuda")}`,
      runs: "its worker's command line on CPU; never on a cluster",
      shownBy: [
        { file: "tests/kubernetes/job.test.ts", words: "the job of" },
        { file: "tests/kubernetes/manifest.test.ts", words: "for every target with every kind of weights" },
        { file: "tests/kubernetes/manifest.test.ts", words: "by the manifest's words" },
      ],
    },
    {
      what: "an image of the `tsxla` command upon the worker's, to pull models and to drive workers in a cluster",
      compiles: "–",
      runs: "its steps in a folder, with the real package; never built by Docker",
      shownBy: [
        { file: "deploy/tsxla/image.test.ts", words: "pull container runs" },
        { file: "tests/packed/packed.test.ts", words: "makes of it a tsxla on the PATH" },
      ],
    },
    {
      what: "variants of GPT-OSS in a few lines of a user's TypeScript, run with `--arch`",
      compiles: "cpu",
      runs: "CPU",
      shownBy: [{ file: "tests/examples/examples.test.ts", words: "other logits than the published model's" }],
    },
    {
      what: "an architecture in a user's own folder, from one import: run with random weights, equal to numpy, loaded from a checkpoint",
      compiles: "cpu",
      runs: "CPU",
      shownBy: [
        { file: "tests/docs/an-architecture-from-scratch.test.ts", words: "has the logits that numpy computes" },
        { file: "tests/docs/an-architecture-from-scratch.test.ts", words: "one import and no cast" },
        { file: "tests/docs/an-architecture-from-scratch.test.ts", words: "a checkpoint in GPT-2's own layout" },
        { file: "tests/random-weights/random-weights.test.ts", words: "one seed gives one model" },
      ],
    },
    {
      what: "what a step costs: operations and bytes of a graph; from XLA's text collectives, a TPU's time, and both beside the model's lines",
      compiles: chipsNamed("tpu"),
      runs: "no chip needed",
      shownBy: [
        { file: "planning/cost.test.ts", words: "SmolLM2's decode step" },
        { file: "planning/hlo/model-time.test.ts", words: "agrees with another tool" },
        { file: "planning/hlo/annotate.test.ts", words: "is printed with its costs" },
      ],
    },
    {
      what: "checkpoints: safetensors (F32, F16, BF16, one file or shards), GGUF (F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, MXFP4)",
      compiles: "",
      runs: "CPU",
      shownBy: [
        { file: "tests/parity/logits.test.ts", words: "GGUF" },
        { file: "tests/parity/blocks.test.ts", words: "the very logits of its numbers" },
        { file: "tests/golden/golden.test.ts", words: "computes numpy's numbers" },
      ],
    },
    {
      what: "`tsxla pull`: models from the Hugging Face hub, resumed after a kill, checked, one commit at a time",
      compiles: "",
      runs: "Node; against a hub on the same machine",
      shownBy: [
        { file: "hub/pull.test.ts", words: "goes on where it was" },
        { file: "cli/pull.test.ts", words: "is one that the other commands take" },
      ],
    },
    {
      what: "released weights held to what was published and to another engine's answers: SmolLM2 here, GPT-OSS where it can be fetched",
      compiles: "",
      runs: "CPU",
      shownBy: [{ file: "tests/verify-real/command.test.ts", words: "go on as transformers does" }],
    },
    {
      what: "debugging: every named value of a run against transformers', and the first that departs; NaN and refused programs as a folder that runs without tsxla; profiles with TypeScript lines",
      compiles: "cpu, f32 and bf16",
      runs: "CPU",
      shownBy: [
        { file: "tests/debugging/trace.test.ts", words: "which value is wrong" },
        { file: "tests/debugging/bundle.test.ts", words: "leave a bundle that makes them again" },
        { file: "tests/debugging/profile.test.ts", words: "names what XLA ran after the model" },
      ],
    },
    {
      what: "OpenAI's batch format, both ways: chats with tools, thoughts and log-probabilities, completions; held to OpenAI's types, transformers and openai-harmony",
      compiles: "",
      runs: "Node; CPU",
      shownBy: [
        { file: "tests/jobs/format.test.ts", words: "is what openai-harmony makes of it" },
        { file: "tests/jobs/format.test.ts", words: "is what OpenAI's client reads" },
        { file: "tests/jobs/smollm2.test.ts", words: "as transformers answers them" },
      ],
    },
    {
      what: "several hosts as one worker: each reads its own devices' bytes; a lost host is one error that names it",
      compiles: "cpu",
      runs: "two processes of two CPU devices each",
      shownBy: [
        { file: "tests/hosts/groups.test.ts", words: "each host reads the bytes of its own devices" },
        { file: "tests/hosts/remote.test.ts", words: "whose files lie elsewhere on each host" },
      ],
    },
    {
      what: "workers: started by Node or reached over a socket or TCP; sessions, donation, compile cache",
      compiles: "",
      runs: "Linux x86-64",
      shownBy: [
        { file: "runtime-bridge/lifetimes.test.ts", words: "killed" },
        { file: "runtime-bridge/session.test.ts", words: "state stays in slots" },
      ],
    },
  ];
}

// Implementation

/** `tpu v3, v4, …` */
function chipsNamed(platform: "tpu" | "cuda"): string {
  const names = chipsOf(platform).map(({ name }) => name);
  return `${platform} ${names.join(", ")}`;
}

function harmonyCases(): number {
  const file = new URL("../harmony/fixtures/conversations.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as unknown[]).length;
}

interface ParityFile {
  readonly checkpoints: Readonly<Record<string, { readonly config: Readonly<Record<string, unknown>> }>>;
}

function parityCases(): {
  readonly configurations: number;
  readonly scalings: readonly string[];
  readonly gptOss: number;
} {
  const read = (name: string) =>
    (JSON.parse(readFileSync(new URL(`../parity/fixtures/${name}`, import.meta.url), "utf8")) as ParityFile)
      .checkpoints;
  const checkpoints = read("random.json");
  const kinds = Object.values(checkpoints).map(({ config }) => {
    const keys = (config.rope_parameters ?? config.rope_scaling ?? {}) as Readonly<Record<string, unknown>>;
    return String(keys.rope_type ?? keys.type ?? "default");
  });
  return {
    configurations: kinds.length,
    scalings: [...new Set(kinds)],
    gptOss: Object.keys(read("gpt-oss.json")).length,
  };
}
