/** The largest logit, and what is said when logits are not numbers. */
import { InputError, RuntimeFailure } from "../../dsl/errors.ts";

// Public API

/**
 * Where the largest of the first `count` logits is; the first of equal ones.
 *
 * @throws RuntimeFailure (`LOGITS_INVALID`) when a logit is NaN or +Infinity, or all are -Infinity
 */
export function largestLogit(logits: ArrayLike<number>, position: number, count = logits.length): number {
  let best = -1;
  let max = Number.NEGATIVE_INFINITY;
  let sound = true;
  for (let at = 0; at < count; at++) {
    const value = logits[at]!;
    if (value > max) {
      max = value;
      best = at;
    } else if (Number.isNaN(value)) sound = false;
  }
  if (sound && best >= 0 && max < Number.POSITIVE_INFINITY) return best;
  throw unsound(logits, position, count);
}

/** How far the next largest of the first `count` logits lies behind the one at `best`; infinite where there is none. */
export function leadOf(logits: ArrayLike<number>, best: number, count = logits.length): number {
  let next = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < count; at++) if (at !== best && logits[at]! > next) next = logits[at]!;
  return logits[best]! - next;
}

// Implementation

function unsound(logits: ArrayLike<number>, position: number, count: number): Error {
  if (count === 0) return new InputError("LOGITS_EMPTY", `sampling: no logits at position ${position}`, { position });
  const all = Array.from({ length: count }, (_, at) => logits[at]!);
  const nan = all.filter((value) => Number.isNaN(value)).length;
  const infinite = all.filter((value) => value === Number.POSITIVE_INFINITY).length;
  const of = `of the ${count} logits at position ${position}`;
  const fields = { position, count, nan, infinite };
  if (nan > 0) {
    const first = all.findIndex((value) => Number.isNaN(value));
    return new RuntimeFailure("LOGITS_INVALID", `${nan} ${of} are NaN, the first at ${first}`, { ...fields, first });
  }
  if (infinite > 0) {
    const first = all.indexOf(Number.POSITIVE_INFINITY);
    return new RuntimeFailure("LOGITS_INVALID", `${infinite} ${of} are +Infinity, the first at ${first}`, {
      ...fields,
      first,
    });
  }
  return new RuntimeFailure("LOGITS_INVALID", `all ${of} are -Infinity: no token is allowed`, fields);
}
