/** XLA's optimised module as text: read, timed, and laid beside the TypeScript that it came from. */
export { annotate, type Source } from "./annotate.ts";
export { type AttributedLine, type Attribution, attribute, type LineCost } from "./attribution.ts";
export {
  type CollectiveCount,
  type CollectiveKind,
  type Collectives,
  collectiveKinds,
  collectives,
  layerOf,
} from "./collectives.ts";
export { type Charge, type ModelTime, modelTime, type TimeOptions } from "./model-time.ts";
export { type Computation, type HloModule, type Instruction, readHlo, type SourceLine, sourceLine } from "./module.ts";
export type { TripOptions } from "./runs.ts";
