/** Case modules: what a folder's golden files are held to, without a test runner. */
import type { Lowerable, LowerToOptions } from "./lowerable.ts";

// Public API

/** One golden file's origin: what lowers to it, alone or with for what target. */
export type Golden = Lowerable | ({ readonly lower: Lowerable } & LowerToOptions);

/** Golden files by name: `attention` is held to `attention.mlir` beside the case module. */
export type Goldens = Readonly<Record<string, Golden>>;

/** The same record. A case module's default export: the editor knows the types of `given` inside. */
export function defineGoldens<const G extends Goldens>(goldens: G): G {
  return goldens;
}

/** What a golden lowers from, and for what. */
export function partsOf(golden: Golden): { readonly lower: Lowerable; readonly options: LowerToOptions } {
  if (typeof golden === "object" && "lower" in golden) {
    const { lower, ...options } = golden as { readonly lower: Lowerable } & LowerToOptions;
    return { lower, options };
  }
  return { lower: golden, options: {} };
}
