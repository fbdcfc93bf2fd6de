/**
 * The compiler: a traced graph becomes StableHLO text. Pure: no I/O, no devices; the same graph gives the same bytes.
 *
 * @module tsxla/compiler
 */

export { type Chip, type GpuChip, perDevice, type TpuChip } from "../chips/chip.ts";
export { type ChipName, chipOf, chips } from "../chips/index.ts";
export { formatTopology, parseTopology, type Topology } from "../chips/topology.ts";
export {
  type Cost,
  type CostOptions,
  countCost,
  type Roofline,
  roofline,
  type UncertainLoop,
} from "../planning/cost.ts";
export {
  type Attribution,
  annotate,
  attribute,
  type Charge,
  type CollectiveCount,
  type Collectives,
  collectives,
  type HloModule,
  type ModelTime,
  modelTime,
  readHlo,
  type Source,
  type TimeOptions,
  type TripOptions,
} from "../planning/hlo/index.ts";
export { countTrips } from "../planning/loop-trips.ts";
export { countExchanges, type Exchanges, exchangeSeconds } from "../planning/predicted-collectives.ts";
export type { AxisNames, AxisTable, FunctionAxes, OperationAxes } from "./axis-table.ts";
export { type AnnotatedProgram, type LowerOptions, lower, lowerAnnotated } from "./lower.ts";
export { deviceCount, formatMesh, type Mesh, type MeshAxis, oneDevice, parseMesh } from "./mesh.ts";
export { type Placement, partCountOf, placementFor, splitsOf } from "./placement.ts";
export type { Program, ProgramArgument, ProgramValue, Signature } from "./program.ts";
export { type KeptWhole, keptWhole, keptWholeText, requireSplits, suits } from "./replicated-axes.ts";
export { type ComputeType, cpu, parseTarget, type Target, type TargetOptions, virtualDevices } from "./target.ts";
export { parseWeightForms, type WeightForm, type WeightForms, weightForms } from "./weight-forms.ts";
