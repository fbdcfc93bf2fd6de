/**
 * `tsxla compile --plan`: which mesh and which form of weights suit a model, a slice, a batch and a context.
 *
 * Every mesh that divides is lowered and held to what a chip can hold and move, what the chips must send each other, and how
 * many trips its loops take; the most promising are compiled, since what a compiler makes of a program is known only then.
 */

import { perDevice } from "../chips/chip.ts";
import { chipOf } from "../chips/index.ts";
import {
  deviceCount,
  formatMesh,
  type Mesh,
  parseWeightForms,
  placementFor,
  suits,
  type Target,
  type Topology,
} from "../compiler/index.ts";
import { flattenParams, InputError, type ParamTree } from "../dsl/index.ts";
import {
  type DeclaredModel,
  type Executable,
  type LoweredStep,
  lowerRequested,
  type StepRequest,
  splitAxes,
} from "../inference/index.ts";
import type { Architecture, ModelConfig } from "../models/index.ts";
import { placeArguments } from "./argument-placement.ts";
import { countCost, roofline } from "./cost.ts";
import { formatBytes } from "./format-bytes.ts";
import { collectives, modelTime, readHlo } from "./hlo/index.ts";
import { countTrips } from "./loop-trips.ts";
import { countExchanges, exchangeSeconds } from "./predicted-collectives.ts";

// Public API

/** One way to run a step. Figures are those of one device. */
export interface Plan {
  readonly weights: string;
  readonly mesh: string;
  /** Weights and caches. */
  readonly held_bytes: number;
  /** Whether that leaves a twentieth of the memory to everything else. */
  readonly fits: boolean;
  readonly roofline_ms: number;
  readonly bound_by: string;
  /** What the exchanges between devices take, by their number and their bytes. */
  readonly exchange_ms: number;
  /** The bound, the exchanges and the trips of loops, one after the other: what the plan promises before it is compiled. */
  readonly estimate_ms: number;
  /** What the compiler's cycles and traffic come to; on a TPU, where it was compiled. */
  readonly model_ms?: number;
  readonly temp_bytes?: number;
  readonly collectives?: Readonly<Record<string, number>>;
  /** By the model time where there is one, else by the estimate. */
  readonly tokens_per_second: number;
  /** Why the compiler refused it. */
  readonly error?: string;
}

/** Where a planner reports what it does. */
export interface PlanProgress {
  say(text: string): void;
  /** Runs `body` and shows how long it takes. */
  stage<T>(name: string, body: () => Promise<T>): Promise<T>;
}

/** What a planner needs. */
export interface PlanInputs {
  readonly target: Target;
  readonly request: StepRequest;
  /** The model, its weights held as a target says. */
  readonly declare: (target: Target) => Promise<DeclaredModel>;
  /** What XLA makes of a step, such as `compileRequested` on a worker. */
  readonly compile: (
    model: DeclaredModel,
    target: Target,
    lowered: LoweredStep,
  ) => Promise<Pick<Executable, "optimizedHlo" | "tempBytes">>;
  /** How many are compiled, the most promising first. */
  readonly compiled: number;
  readonly progress: PlanProgress;
  readonly signal: AbortSignal;
}

/**
 * Tries meshes and forms of weights, best first.
 *
 * @throws InputError when the target is not of chips by name
 */
export async function plan(inputs: PlanInputs): Promise<readonly Plan[]> {
  const { target, request, declare, progress } = inputs;
  const { topology } = target;
  if (topology === undefined) {
    throw new InputError("TARGET", "--plan is for chips by name, such as tpu:v4:2x2x1 or cuda:h100:4", {
      option: "plan",
    });
  }
  const model = await declare(target);
  const drafts: Draft[] = [];
  const meshes = meshesFor(deviceCount(target.mesh), model, request);
  for (const weights of formsFor(model.architecture, topology)) {
    const own = { ...target, weights: parseWeightForms(weights) };
    const held = await declare(own);
    for (const mesh of meshes) {
      inputs.signal.throwIfAborted();
      drafts.push(draft(weights, { ...own, mesh }, topology, held, request));
    }
  }
  progress.say(`${drafts.length} plans, ${drafts.filter(({ plan: { fits } }) => fits).length} of them fit`);
  const byPromise = inTurn(drafts.sort((a, b) => order(a.plan, b.plan)));
  const plans: Plan[] = [];
  for (const [n, each] of byPromise.entries()) {
    const isWorth = each.plan.fits && n < inputs.compiled;
    plans.push(isWorth ? await compiledPlan(each, topology, inputs) : each.plan);
  }
  return plans.sort(order);
}

/** The plans for people. */
export function planTable(plans: readonly Plan[]): string {
  const rows = plans.map((each) => [
    each.weights,
    each.mesh,
    each.fits ? "" : "too large",
    formatBytes(each.held_bytes),
    each.temp_bytes === undefined ? "" : formatBytes(each.temp_bytes),
    Object.entries(each.collectives ?? {})
      .map(([kind, runs]) => `${runs} ${kind}`)
      .join(", "),
    `${each.roofline_ms.toFixed(2)} (${each.bound_by})`,
    each.exchange_ms.toFixed(2),
    each.estimate_ms.toFixed(2),
    each.error === undefined ? (each.model_ms?.toFixed(2) ?? "") : "refused",
    each.fits ? each.tokens_per_second.toFixed(0) : "",
  ]);
  const heading = [
    ...["weights", "mesh", "", "held", "scratch", "collectives"],
    ...["bound, ms", "exchanges, ms", "estimate, ms", "model, ms", "tokens/s"],
  ];
  const all = [heading, heading.map(() => "---"), ...rows];
  const width = heading.map((_, n) => Math.max(...all.map((row) => (row[n] as string).length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, n) => cell.padEnd(width[n] as number)).join(" | ")} |\n`;
  const refused = plans.flatMap(({ error, mesh, weights }) =>
    error === undefined ? [] : [`${weights} ${mesh}: ${error}\n`],
  );
  return [...all.map(line), ...refused].join("");
}

// Implementation

/** How much of a device's memory weights and caches may take. */
const heldShare = 0.95;

interface Draft {
  readonly plan: Plan;
  readonly target: Target;
  readonly model: DeclaredModel;
  readonly lowered: LoweredStep;
}

function formsFor({ isExpertMatrix }: Architecture, { platform }: Topology): readonly string[] {
  if (isExpertMatrix === undefined) return ["bf16", "int8"];
  return platform === "tpu" ? ["e5m2,bf16", "mxfp4,bf16"] : ["mxfp4,bf16", "e5m2,bf16"];
}

/** Meshes whose axes divide what lies along them, and on which devices have something of their own. */
function meshesFor(devices: number, { architecture, config }: DeclaredModel, { batch }: StepRequest): readonly Mesh[] {
  const experts = expertsOf(architecture, config);
  const divisors = Array.from({ length: devices }, (_, n) => n + 1).filter((each) => devices % each === 0);
  const meshes = divisors
    .flatMap((data) => divisors.map((expert) => ({ data, expert, model: devices / (data * expert) })))
    .filter(({ data, expert, model }) => Number.isInteger(model) && batch % data === 0 && experts % expert === 0);
  const axes = splitAxes({ architecture, config }, batch);
  const suitable = meshes.filter((mesh) => suits(mesh, architecture.roles, axes));
  // Of what suits nobody something has to be tried.
  return suitable.length === 0 ? meshes : suitable;
}

/** How many experts a model has; 1 for one that has none. */
function expertsOf(architecture: Architecture, config: ModelConfig): number {
  const name = Object.entries(architecture.roles).find(([, role]) => role === "experts")?.[0];
  const found = flattenParams(architecture.weights(config) as ParamTree)
    .flatMap(([, { axes }]) => axes)
    .find((axis) => axis.name === name);
  return found?.size ?? 1;
}

function draft(weights: string, target: Target, topology: Topology, model: DeclaredModel, request: StepRequest): Draft {
  const lowered = lowerRequested(model, target, request, { locations: false });
  const placement = placementFor(target.mesh, model.architecture.roles);
  const chip = perDevice(chipOf(topology.chip));
  const held = placeArguments(lowered.program.signature.arguments, placement).reduce(
    (all, { bytes_per_device }) => all + bytes_per_device,
    0,
  );
  const { seconds, boundBy } = roofline(countCost(lowered.graph, { placement }), chip);
  const collectiveSeconds = exchangeSeconds(countExchanges(lowered.graph, placement), chip);
  const estimate = seconds + collectiveSeconds + countTrips(lowered.graph) * chip.tripSeconds;
  const plan = {
    weights,
    mesh: formatMesh(target.mesh),
    held_bytes: held,
    fits: held <= chip.hbmBytes * heldShare,
    roofline_ms: seconds * 1e3,
    bound_by: boundBy,
    exchange_ms: collectiveSeconds * 1e3,
    estimate_ms: estimate * 1e3,
    tokens_per_second: (request.batch * request.tokens) / estimate,
  };
  return { plan, target, model, lowered };
}

async function compiledPlan(
  { plan: drafted, target, model, lowered }: Draft,
  { chip, platform }: Topology,
  { compile, request, progress, signal }: PlanInputs,
): Promise<Plan> {
  try {
    const made = await progress.stage(`compiling ${drafted.weights} ${drafted.mesh}`, () =>
      compile(model, target, lowered),
    );
    const hlo = readHlo(made.optimizedHlo ?? "");
    const modelMs = platform === "tpu" ? modelTime(hlo, perDevice(chipOf(chip))).modelMs : undefined;
    return {
      ...drafted,
      temp_bytes: made.tempBytes,
      collectives: Object.fromEntries(collectives(hlo).total.map(({ kind, runs }) => [kind, runs])),
      ...(modelMs === undefined
        ? {}
        : { model_ms: modelMs, tokens_per_second: (request.batch * request.tokens * 1e3) / modelMs }),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    return { ...drafted, error: (error as Error).message.split("\n")[0] ?? "" };
  }
}

/**
 * The best of each form of weights, then the second best of each: what unpacking costs is known to the compiler alone, so a form
 * that promises most must not crowd out the others.
 */
function inTurn(drafts: readonly Draft[]): readonly Draft[] {
  const seen = new Map<string, number>();
  const turns = drafts.map((each) => {
    const turn = seen.get(each.plan.weights) ?? 0;
    seen.set(each.plan.weights, turn + 1);
    return { each, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn).map(({ each }) => each);
}

/** What fits first, then what was compiled, then the faster. */
function order(a: Plan, b: Plan): number {
  const rank = ({ fits, model_ms, error }: Plan) =>
    !fits ? 3 : error !== undefined ? 2 : model_ms === undefined ? 1 : 0;
  return rank(a) - rank(b) || b.tokens_per_second - a.tokens_per_second;
}
