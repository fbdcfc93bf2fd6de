/**
 * Compiling a step of a model without loading it: for what the worker has, or ahead of time for devices that are not here.
 *
 * Ahead of time, weights and caches lie in memory as a decode step likes them best, which is where the time goes; every
 * other program is compiled against those layouts, so that there is one copy of everything.
 */
import { lower, type Program, type Target, type Topology } from "../../compiler/index.ts";
import type { Graph, StorageOf } from "../../dsl/index.ts";
import type { Architecture, ModelConfig } from "../../models/index.ts";
import type { CompileOptions, Executable, Worker } from "../../runtime-bridge/index.ts";
import { loweringFor, traceStep } from "./step-program.ts";

// Public API

/** What is known of a model before its weights are loaded. */
export interface DeclaredModel {
  readonly architecture: Architecture;
  readonly config: ModelConfig;
  /** How each weight will lie in memory. */
  readonly storageOf: StorageOf;
}

/** Which step, and its sizes. */
export interface StepRequest {
  readonly phase: "decode" | "prefill";
  readonly batch: number;
  /** Of each text, in one call; 1 for a decode step. */
  readonly tokens: number;
  /** That the cache holds. */
  readonly positions: number;
}

/** A step as a graph and as text. */
export interface LoweredStep {
  readonly graph: Graph;
  readonly program: Program;
}

/** Traces and lowers a step for a target. */
export function lowerRequested(
  { architecture, config, storageOf }: DeclaredModel,
  target: Target,
  { batch, tokens, positions }: StepRequest,
  { locations = true }: { readonly locations?: boolean } = {},
): LoweredStep {
  const graph = traceStep(architecture, config, target, { batch, pos: tokens, capacity: positions }, "last", storageOf);
  return { graph, program: lower(graph, { locations, ...loweringFor(target, architecture) }) };
}

/**
 * Compiles a lowered step.
 *
 * @param options.keep       so that the executable can be saved, also where it is for devices that are not here
 * @param options.onLayouts  told before a decode step is compiled only for its layouts
 */
export async function compileRequested(
  worker: Worker,
  model: DeclaredModel,
  target: Target,
  request: StepRequest,
  { program }: Pick<LoweredStep, "program">,
  options: { readonly signal?: AbortSignal | undefined; readonly keep?: boolean; readonly onLayouts?: () => void } = {},
): Promise<Executable> {
  const { onLayouts, keep = false, ...call } = options;
  const given = { ...call, keep, returnOptimizedHlo: true };
  const { topology } = target;
  if (topology === undefined) return await worker.compile(program, given);
  if (request.phase === "decode") return await compileDecode(worker, program, topology, given);
  onLayouts?.();
  const decode = lowerRequested(model, target, { ...request, phase: "decode", tokens: 1 }).program;
  const { argumentLayouts: chosen } = await compileDecode(worker, decode, topology, call);
  const byName = new Map(decode.signature.arguments.map(({ name }, n) => [name, chosen[n] as string]));
  const argumentLayouts = program.signature.arguments.map(({ name }) => (isHeld(name) ? (byName.get(name) ?? "") : ""));
  return await worker.compile(program, { ...given, topology, argumentLayouts });
}

// Implementation

/** Whether an argument stays on the devices from call to call. */
function isHeld(name: string): boolean {
  return /^(weights|caches)\./.test(name);
}

async function compileDecode(
  worker: Worker,
  program: Program,
  topology: Topology,
  options: Pick<CompileOptions, "signal" | "keep" | "returnOptimizedHlo">,
): Promise<Executable> {
  const argumentLayouts = program.signature.arguments.map(({ name }) => (isHeld(name) ? "auto" : ""));
  return await worker.compile(program, { ...options, topology, argumentLayouts });
}
