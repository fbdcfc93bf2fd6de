/** Softmax with a sink keeps the axes, and the sink has no `key`. */
import { softmaxWithSink, type Tensor } from "../index.ts";

declare const all: Tensor<"head" | "pos" | "key">;
declare const sink: Tensor<"head">;
declare const perKey: Tensor<"key">;

softmaxWithSink(all, sink) satisfies Tensor<"head" | "pos" | "key">;
// @ts-expect-error  a sink for each key
softmaxWithSink(all, perKey);
