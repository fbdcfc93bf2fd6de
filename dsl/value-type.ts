/** What is known of a value while tracing. */
import type { Axis } from "./axes.ts";
import type { DType } from "./dtype.ts";

/** An element type, and axes whose order means nothing. */
export interface ValueType {
  readonly dtype: DType;
  readonly axes: readonly Axis[];
}
