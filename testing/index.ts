/**
 * For tests of models: golden files of what they lower to. Importing it adds `toLowerTo` to Jest's `expect`.
 *
 * @module tsxla/testing
 */
import { toLowerTo } from "./matcher.ts";
import "./matcher-types.ts";

export { defineGoldens, type Golden, type Goldens } from "./goldens.ts";
export type { Lowerable, LowerToOptions } from "./lowerable.ts";
export { type MatcherContext, type MatcherResult, toLowerTo } from "./matcher.ts";
export type { LoweringMatchers } from "./matcher-types.ts";

const { expect } = globalThis as { expect?: { extend?(matchers: object): void } };
expect?.extend?.({ toLowerTo });
