/**
 * What to do when logits are no numbers: run the text again up to the call that makes them, find the first value that is
 * none, and leave that call in a bundle.
 *
 * The text is run again alone and from its start, since caches are updated in place: what a call was given is gone when
 * its results are there.
 */
import { join } from "node:path";
import { lower, type ProgramArgument } from "../../compiler/index.ts";
import { formatLocation, isFloat, packingOf, RuntimeFailure } from "../../dsl/index.ts";
import { drawKey, type Feed, loadGraph } from "../../models/index.ts";
import {
  type BundleArgument,
  bundleLines,
  byteLength,
  type Checkpoint,
  type CheckpointTensor,
  type DeviceBuffer,
  type HostTensor,
  hostTensor,
  toNumbers,
  writeBundle,
} from "../../runtime-bridge/index.ts";
import { chunksOf } from "../programs/buckets.ts";
import type { UnloadedModel } from "../programs/model-files.ts";
import type { ModelPrograms, StepProgram } from "../programs/model-programs.ts";
import type { WeightPlan } from "../programs/weights.ts";
import { logitsChunk, type PlannedCall, Sequence, type TracedValue } from "../steps/sequence.ts";

// Public API

/** What is needed to run a text again, and to say where its weights came from. */
export interface Replay {
  readonly programs: ModelPrograms;
  readonly files: Pick<UnloadedModel, "checkpoint">;
  readonly plan: WeightPlan;
  /** Of weights that were drawn. */
  readonly seed: number;
  readonly capacity: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The calls to run again for a prompt and the tokens that `generate` has chosen: first those that come to the same state
 * soonest, all but the last token in chunks, then those that were made.
 */
export function generationPlans(prompt: readonly number[], answer: readonly number[]): readonly Plan[] {
  const steps = (from: number) =>
    answer.slice(from).map((token, n) => ({
      kind: { pos: 1, outputs: "last" } as const,
      tokens: [token],
      total: prompt.length + from + n + 1,
    }));
  const exact = [...prefillCalls(prompt), ...steps(0)];
  if (answer.length < 2) return [exact];
  return [[...prefillCalls([...prompt, ...answer.slice(0, -1)]), ...steps(answer.length - 1)], exact];
}

/** The calls to run again of those that `logits` makes. @param step  as it was called */
export function logitsPlans(tokens: readonly number[], { step }: { readonly step: boolean }): readonly Plan[] {
  const calls = (taken: number) =>
    Array.from({ length: Math.ceil(tokens.length / taken) }, (_, n) => ({
      kind: { pos: logitsChunk, outputs: "all" } as const,
      tokens: tokens.slice(n * taken, (n + 1) * taken),
      total: tokens.length,
    }));
  return step ? [calls(logitsChunk), calls(1)] : [calls(logitsChunk)];
}

/** Calls in a row. */
export type Plan = readonly PlannedCall[];

/**
 * The same failure, with the value that was the first to be no number and the folder of a bundle. Never rejects: where
 * that can't be told, the message says why.
 */
export async function withBundle(
  failure: RuntimeFailure,
  replay: Replay,
  plans: readonly Plan[],
): Promise<RuntimeFailure> {
  const told = (lines: string, fields: object = {}) =>
    new RuntimeFailure(failure.code, failure.message + lines, { ...failure.fields, ...fields }, { cause: failure });
  try {
    let calls: Plan | undefined;
    for (const plan of plans) calls ??= await findCall(replay, plan);
    if (calls === undefined) return told("\n  bundle  none: run again, the text gave numbers");
    const { first, place } = await bundleCall(failure, replay, calls);
    const said = first.map(({ name, at, holds }) => `\n  first ${holds} in  ${name}  (${at})`).join("");
    return told(said + bundleLines(place), { first, ...place });
  } catch (error) {
    return told(`\n  bundle  none: ${(error as Error).message}`);
  }
}

// Implementation

function prefillCalls(tokens: readonly number[]): Plan {
  return chunksOf(tokens.length).map(({ start, length, bucket }) => ({
    kind: { pos: bucket, outputs: "last" } as const,
    tokens: tokens.slice(start, start + length),
    total: tokens.length,
  }));
}

/** The calls up to the first whose logits are no numbers. */
async function findCall({ programs, capacity, signal }: Replay, calls: Plan): Promise<Plan | undefined> {
  await using sequence = await Sequence.open(programs, capacity, { signal });
  for (const [n, call] of calls.entries()) {
    const { logits } = await sequence.run(call, signal);
    if (logits.some((value) => Number.isNaN(value) || value === Number.POSITIVE_INFINITY)) return calls.slice(0, n + 1);
  }
  return undefined;
}

async function bundleCall(failure: RuntimeFailure, replay: Replay, calls: Plan) {
  const { programs, capacity, signal } = replay;
  const last = calls.at(-1) as PlannedCall;
  await using sequence = await Sequence.open(programs, capacity, { signal });
  for (const call of calls.slice(0, -1)) await sequence.run(call, signal);
  // Caches as the failing call is given them.
  const given = await sequence.inputsOf(last);
  const { activations, program: traced } = await sequence.runTraced(last, signal);
  const first = firstWrong(activations);
  const program = await programs.step({ ...last.kind, capacity });
  const { arguments: args, loads } = await wiring(replay, program, given);
  const place = await writeBundle({
    kind: "numbers",
    error: { code: failure.code, message: failure.message, results: ["logits"] },
    program: program.program,
    traced: {
      text: traced.program.text,
      activations: traced.activations.map(({ name, location }) => ({
        name,
        at: formatLocation(location),
        result: traced.resultIndex(`activations.${name}`),
      })),
    },
    arguments: args,
    results: program.signature.results,
    loads,
    made: await programs.worker.versions(),
  });
  return { first, place };
}

/** The first value that holds NaN, and the first that is infinite where that is an earlier one. */
function firstWrong(values: readonly TracedValue[]): readonly WrongValue[] {
  const where = (test: (value: number) => boolean) =>
    values.findIndex(({ tensor }) => isFloat(tensor.dtype) && Array.prototype.some.call(toNumbers(tensor), test));
  const infinite = where((value) => Math.abs(value) === Number.POSITIVE_INFINITY);
  const nan = where(Number.isNaN);
  const found = [
    { at: infinite, holds: "infinity" },
    { at: nan, holds: "NaN" },
  ].filter(({ at }) => at >= 0 && (nan < 0 || at <= nan));
  return found.map(({ at, holds }) => {
    const { name, location } = (values[at] as TracedValue).activation;
    return { name, at: formatLocation(location), holds };
  });
}

interface WrongValue {
  readonly name: string;
  readonly at: string;
  readonly holds: string;
}

/** Where each argument of a program is. Weights are copied when they are small, or as `$TSXLA_BUNDLE_WEIGHTS` says. */
async function wiring(
  replay: Replay,
  { signature }: StepProgram,
  given: ReadonlyMap<string, HostTensor>,
): Promise<{ arguments: readonly BundleArgument[]; loads: readonly Load[] }> {
  const { programs } = replay;
  const weights = signature.arguments.filter(({ name }) => !given.has(name));
  const bytes = weights.reduce((all, each) => all + byteLength(each), 0);
  const isCopied = { copy: true, reference: false }[process.env.TSXLA_BUNDLE_WEIGHTS ?? ""] ?? bytes <= copiedBytes;
  const loads: Load[] = [];
  const origins = isCopied ? new Map<string, BundleArgument["from"]>() : originsOf(replay, loads);
  const args = signature.arguments.map((each: ProgramArgument): BundleArgument => {
    const { name, dtype, shape } = each;
    const tensor = given.get(name);
    if (tensor !== undefined) return { name, dtype, shape, from: { read: async () => tensor } };
    const buffer: DeviceBuffer = programs.weight(name);
    const from = origins.get(name) ?? { read: () => programs.worker.download(buffer) };
    return { name, dtype, shape, from };
  });
  return { arguments: args, loads };
}

/** Up to here a copy of the weights is no burden, and a bundle that is whole can be sent to somebody. */
const copiedBytes = 64 * 2 ** 20;

interface Load {
  readonly text: string;
  readonly arguments: readonly BundleArgument[];
}

/** Of each weight's argument the load that makes it, which is added to `loads`. */
function originsOf({ files, plan, seed }: Replay, loads: Load[]): ReadonlyMap<string, BundleArgument["from"]> {
  const origins = new Map<string, BundleArgument["from"]>();
  const { checkpoint } = files;
  for (const feed of plan.feeds) {
    const storage = plan.storageOf(feed.param);
    const names = packingOf(storage)
      ?.parts(feed.param.axes)
      .map(({ name }) => `${feed.path}.${name}`) ?? [feed.path];
    names.forEach((name, result) => void origins.set(`weights.${name}`, { load: loads.length, result }));
    loads.push({ text: lower(loadGraph(feed, storage)).text, arguments: storedOf(feed) });
  }
  return origins;

  function storedOf({ param, source, tensors: stored }: Feed): readonly BundleArgument[] {
    if (source.kind === "drawn") {
      const key = hostTensor("u32", [2], drawKey(seed, param));
      return [{ name: "key", dtype: "u32", shape: [2], from: { read: async () => key } }];
    }
    return stored.map(({ name }) => {
      const { directory, tensors } = checkpoint as Checkpoint;
      const { type, file, offset, bytes } = tensors.get(name) as CheckpointTensor;
      return { name, ...type, from: { file: join(directory, file), offset, bytes } };
    });
  }
}
