/**
 * The language: named-axis tensors, ops, layers, parameters. Tracing builds a graph; nothing here runs one.
 *
 * @module tsxla
 */
export type { Activation } from "./activations.ts";
export { type Axis, type AxisRole, axes, axis, formatAxes, type NameOf } from "./axes.ts";
export { type CacheState, type KeyValueCache, LinearCache, linearAge, RingCache, ringAge } from "./cache.ts";
export { type DType, dtypes, holds, isFloat, isInteger, type Kind, meet } from "./dtype.ts";
export type { Emitter, Ssa } from "./emitter.ts";
export { type ErrorFields, InputError, RuntimeFailure, ShapeError, TsxlaError } from "./errors.ts";
export { type Choice, forChosen } from "./for-chosen.ts";
export type { Node, Scope, Value, ValueType } from "./graph.ts";
export { erf, gelu, geluTanh, relu, silu } from "./layers/activations.ts";
export { layerNorm, rmsNorm } from "./layers/norm.ts";
export { type Angles, rope, ropeAngles } from "./layers/rope.ts";
export { softmaxWithSink } from "./layers/softmax-with-sink.ts";
export { addSourceRoot, formatLocation, type Location } from "./location.ts";
export { activation, layer, part } from "./module.ts";
export { defineOp, type Op } from "./op.ts";
export * from "./ops/index.ts";
export {
  type PackedFormat,
  type PackedPart,
  type Packing,
  packingOf,
  packings,
  type Storage,
} from "./packing/index.ts";
export {
  countParameters,
  type Distribution,
  flattenParams,
  flattenUnused,
  type Loaded,
  mapParams,
  type Param,
  type ParamTree,
  param,
  type Unused,
  under,
  untrained,
  unused,
  type Weights,
} from "./param.ts";
export { type Fresh, type Shape, type Shared, Tensor, type Within } from "./tensor.ts";
export { type Graph, type Inputs, type StorageOf, type TraceOptions, trace } from "./trace.ts";
export { flatten, type Tree, unflatten, type With, type Without } from "./tree.ts";
