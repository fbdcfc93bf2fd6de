/** Tells TypeScript of `toLowerTo`: on `expect` of `@jest/globals`, and on the global one of `@types/jest`. */
import type { Lowerable, LowerToOptions } from "./lowerable.ts";

/** What `expect` gains. */
export interface LoweringMatchers<R> {
  /**
   * Holds a graph, a program or a traced function to a golden file of StableHLO text.
   *
   * @param file  relative to the test's file. Missing, it is written, but not with `--ci`; `-u` writes what differs
   */
  toLowerTo(file: string, options?: LowerToOptions): R;
}

/** What it can be asked of. */
export type { Lowerable };

// biome-ignore lint/suspicious/noTsIgnore: it is an error only in a project without Jest
// @ts-ignore: a project without Jest has no such module, and needs none.
declare module "expect" {
  interface Matchers<R> extends LoweringMatchers<R> {}
}

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: an interface is merged only with one of the same parameters
    interface Matchers<R, T = {}> extends LoweringMatchers<R> {}
  }
}
