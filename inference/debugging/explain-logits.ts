/** The failure that logits are NaN or infinite: how to recognise it, and how it learns where the first such value came from. */
import { RuntimeFailure } from "../../dsl/index.ts";
import type { LoadedModel } from "../programs/loaded-model.ts";
import { type Plan, withBundle } from "./nan-bundle.ts";

// Public API

/** The text whose logits failed. */
export interface FailedText {
  /** The calls to run again. */
  readonly plans: readonly Plan[];
  readonly capacity: number;
  readonly signal?: AbortSignal | undefined;
}

/** Whether an error says that logits are NaN or infinite. */
export function isInvalidLogits(error: unknown): error is RuntimeFailure {
  return error instanceof RuntimeFailure && error.code === "LOGITS_INVALID";
}

/**
 * The error to throw instead: one about invalid logits gets the first invalid value of the model and a bundle that
 * reproduces it without tsxla (docs/debugging.md). Any other error stays as it is. Never rejects.
 */
export async function explainLogits<E>(model: LoadedModel, error: E, text: FailedText): Promise<E | RuntimeFailure> {
  if (model.loaded === undefined || !isInvalidLogits(error)) return error;
  return await withBundle(error, { ...model, ...model.loaded, ...text }, text.plans);
}
