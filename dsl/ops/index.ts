/** Every op, by file. Importing this gives tensors their methods. */
export { broadcast } from "./broadcast.ts";
export { bitCast, cast } from "./cast.ts";
export { comparisons } from "./compare.ts";
export { concat, pad, reverse } from "./concat.ts";
export { caseOp, choose, scan, whileLoop, whileOp } from "./control.ts";
export { cumSum } from "./cumulative.ts";
export { dot } from "./dot.ts";
export { elementwise } from "./elementwise.ts";
export { constant, constantOp, full, iota, iotaOp } from "./iota.ts";
export { randomBits, randomUniform } from "./random.ts";
export { raw, stablehlo } from "./raw.ts";
export { reductions } from "./reduce.ts";
export { merge, rename, split } from "./rename.ts";
export { settle, settleOp } from "./settle.ts";
export { addAt, slice, sliceAt, update, updateAt } from "./slice.ts";
export { sort, topK } from "./sort.ts";
export { pick, take, takeLimitBytes } from "./take.ts";
export { where } from "./where.ts";
