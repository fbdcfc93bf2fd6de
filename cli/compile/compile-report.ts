/** What a compiled step costs, in figures: the compiler's, our own count, and on a TPU the model time. */
import {
  chipOf,
  collectives,
  countCost,
  deviceCount,
  formatMesh,
  type HloModule,
  modelTime,
  perDevice,
  placementFor,
  readHlo,
  roofline,
  type Target,
} from "../../compiler/index.ts";
import {
  type DeclaredModel,
  type DTypes,
  dtypesOf,
  type Executable,
  formatDTypes,
  type LoweredStep,
  type StepRequest,
} from "../../inference/index.ts";
import { type PlacedArgument, placeArguments } from "../../planning/argument-placement.ts";
import { formatBytes } from "../../planning/format-bytes.ts";

// Public API

/** Figures by name, for one device; a chip may be several. */
export type Figures = Readonly<Record<string, string | number | boolean>>;

/** All that is said of a step. */
export interface StepReport {
  readonly figures: Figures;
  /** How many of each kind the optimised module runs. */
  readonly collectives: Readonly<Record<string, number>>;
  readonly placement: readonly PlacedArgument[];
  /** What is held, multiplied, added up and cached. */
  readonly dtypes: DTypes;
}

/** Says what is known of a step; without an executable, what its text and its graph tell. */
export function reportOf(
  model: DeclaredModel,
  target: Target,
  spec: string,
  request: StepRequest,
  { graph, program }: LoweredStep,
  executable: Executable | undefined,
): StepReport {
  const placement = placementFor(target.mesh, model.architecture.roles);
  const cost = countCost(graph, { placement });
  const chip = target.topology === undefined ? undefined : perDevice(chipOf(target.topology.chip));
  const hlo = executable?.optimizedHlo === undefined ? undefined : readHlo(executable.optimizedHlo);
  const bound = chip === undefined ? undefined : roofline(cost, chip);
  return {
    figures: {
      architecture: model.architecture.name,
      target: spec,
      mesh: formatMesh(target.mesh),
      devices: deviceCount(target.mesh),
      devices_per_chip: target.topology?.devicesPerChip ?? 1,
      ...request,
      text_bytes: Buffer.byteLength(program.text),
      ...(executable === undefined ? {} : compilerFigures(executable)),
      flops: cost.flops,
      bytes_accessed: cost.bytes,
      ...(bound === undefined ? {} : { roofline_ms: bound.seconds * 1e3, bound_by: bound.boundBy }),
      ...(chip?.platform === "tpu" && hlo !== undefined ? { model_ms: modelTime(hlo, chip).modelMs } : {}),
    },
    collectives: collectivesOf(hlo),
    placement: placeArguments(program.signature.arguments, placement),
    dtypes: dtypesOf(model, target),
  };
}

/** Figures for people. */
export function figuresTable({
  figures,
  collectives: found,
  dtypes,
}: Pick<StepReport, "figures" | "collectives" | "dtypes">): string {
  const kinds = Object.entries(found).map(([kind, runs]) => `${runs} ${kind}`);
  const rows: (readonly [string, string])[] = [
    ...Object.entries(figures).map(([name, value]) => [labelOf(name), shownAs(name, value)] as const),
    ["dtypes", formatDTypes(dtypes)],
    ...(kinds.length === 0 ? [] : [["collectives", kinds.join(", ")] as const]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}\n`).join("");
}

// Implementation

function compilerFigures(made: Executable): Figures {
  return {
    compile_seconds: made.compileSeconds,
    from_cache: made.fromCache,
    argument_bytes: made.argumentBytes,
    output_bytes: made.outputBytes,
    alias_bytes: made.aliasBytes,
    temp_bytes: made.tempBytes,
  };
}

function collectivesOf(hlo: HloModule | undefined): Readonly<Record<string, number>> {
  if (hlo === undefined) return {};
  return Object.fromEntries(collectives(hlo).total.map(({ kind, runs }) => [kind, runs]));
}

function labelOf(name: string): string {
  return name.replace(/_(bytes|seconds|ms)$/, "").replaceAll("_", " ");
}

function shownAs(name: string, value: string | number | boolean): string {
  if (typeof value !== "number") return String(value);
  if (name.endsWith("_bytes") || name === "bytes_accessed") return formatBytes(value);
  if (name.endsWith("_seconds")) return `${value.toFixed(2)} s`;
  if (name.endsWith("_ms")) return `${value.toFixed(3)} ms`;
  return name === "flops" ? `${(value / 1e9).toFixed(2)} GFLOP` : String(value);
}
