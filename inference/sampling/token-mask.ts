/**
 * Masks: which tokens may come next, as a grammar says it.
 *
 * A mask may be asynchronous, because grammar engines are: those in WebAssembly answer with promises, others run on a
 * thread or a server. One that is not costs nothing more. It is not shown logits: what a grammar allows does not depend
 * on them, and most steps fetch only the largest.
 */
import { InputError, RuntimeFailure } from "../../dsl/errors.ts";

// Public API

/** What a mask knows when it is asked. */
export interface MaskStep {
  readonly prompt: readonly number[];
  /** The answer so far, none of them a stop token. Read it before you return: it grows. */
  readonly tokens: readonly number[];
}

/**
 * What may come next: everything; these ids; or a bit for each id, bit `id % 32` of word `id / 32`, as xgrammar and
 * llguidance have it. Ids beyond the last word are not allowed.
 */
export type AllowedTokens = "all" | { readonly ids: Iterable<number> } | { readonly bitmask: Int32Array | Uint32Array };

/**
 * Says what may come next; asked once before each token. A text ends only where the mask allows one of the model's stop
 * tokens, or by its budget.
 */
export type TokenMask = (step: MaskStep) => AllowedTokens | Promise<AllowedTokens>;

/** Which tokens may be chosen. */
export interface Allowed {
  has(id: number): boolean;
  /** The ids, where they were listed. */
  readonly listed: ReadonlySet<number> | undefined;
}

/** Reads what a mask said. @throws InputError (`MASK_INVALID`) when it is none of the three, or an id is no whole number */
export function readAllowed(said: AllowedTokens): Allowed | undefined {
  if (said === "all") return undefined;
  if (typeof said === "object" && said !== null) {
    if ("bitmask" in said && (said.bitmask instanceof Int32Array || said.bitmask instanceof Uint32Array)) {
      const { bitmask } = said;
      return { has: (id) => (((bitmask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1, listed: undefined };
    }
    if ("ids" in said && typeof said.ids?.[Symbol.iterator] === "function") {
      const listed = new Set(said.ids);
      for (const id of listed) {
        if (Number.isSafeInteger(id) && id >= 0) continue;
        throw new InputError("MASK_INVALID", `the mask allows ${String(id)}, which is no token id`, { id });
      }
      return { has: (id) => listed.has(id), listed };
    }
  }
  throw new InputError(
    "MASK_INVALID",
    'the mask gave none of "all", { ids } with numbers and { bitmask } with an Int32Array or Uint32Array',
  );
}

/** The error when nothing is left to choose. */
export function nothingAllowed(
  position: number,
  {
    allowed,
    forbidden,
  }: { readonly allowed?: Allowed | undefined; readonly forbidden?: ReadonlySet<number> | undefined },
): RuntimeFailure {
  const who = allowed === undefined ? "minTokens" : "the mask";
  const but =
    allowed === undefined || forbidden === undefined ? "" : ", the stop tokens apart, which minTokens forbids";
  return new RuntimeFailure("MASK_EMPTY", `${who} allows no token of the vocabulary at position ${position}${but}`, {
    position,
  });
}
