/**
 * Byte-pair encoding whose merges are its tokens, as tiktoken does it: two neighbours may be joined when what they
 * spell together is a token, and the smallest id is joined first.
 *
 * A list of merges says the same for such vocabularies, at twice the length. Source: openai/tiktoken, src/lib.rs
 * (`byte_pair_encode`, `_byte_pair_merge`). Pairs wait in a heap, so that a word of a million letters takes n log n
 * steps and not n².
 */

// Public API

/** Appends the ids of a word to `ids`. Every character of the word must be a token, or it is left out. */
export type WordEncoder = (word: string, ids: number[]) => void;

/** @param tokens  spelling to id, without special tokens */
export function tokenMerges(tokens: ReadonlyMap<string, number>): WordEncoder {
  return (word, ids) => {
    const whole = tokens.get(word);
    if (whole !== undefined) ids.push(whole);
    else if (word.length > 0) join(tokens, word, ids);
  };
}

// Implementation

/** More than any position in a text; with an id in front, a sum that a number holds exactly. */
const POSITIONS = 2 ** 32;

function join(tokens: ReadonlyMap<string, number>, word: string, ids: number[]): void {
  const length = word.length;
  // Parts by where they start: where each ends, where the one before it starts, the id of it joined with the next.
  const ends = Uint32Array.from({ length }, (_, at) => at + 1);
  const before = Int32Array.from({ length }, (_, at) => at - 1);
  const joined = new Int32Array(length).fill(-1);
  const waiting: number[] = [];
  const consider = (at: number): void => {
    const next = ends[at]!;
    joined[at] = -1;
    if (next >= length) return;
    const id = tokens.get(word.slice(at, ends[next]));
    if (id === undefined) return;
    joined[at] = id;
    push(waiting, id * POSITIONS + at);
  };
  for (let at = 0; at + 1 < length; at++) consider(at);
  while (waiting.length > 0) {
    const first = pop(waiting);
    const id = Math.floor(first / POSITIONS);
    const at = first - id * POSITIONS;
    // One of the two was joined with another meanwhile.
    if (joined[at] !== id) continue;
    const next = ends[at]!;
    joined[next] = -1;
    ends[at] = ends[next]!;
    if (ends[at]! < length) before[ends[at]!] = at;
    consider(at);
    if (before[at]! >= 0) consider(before[at]!);
  }
  for (let at = 0; at < length; at = ends[at]!) {
    const id = tokens.get(word.slice(at, ends[at]));
    if (id !== undefined) ids.push(id);
  }
}

/** A binary heap, the smallest first. */
function push(heap: number[], value: number): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

function pop(heap: number[]): number {
  const smallest = heap[0]!;
  const last = heap.pop()!;
  const length = heap.length;
  if (length === 0) return smallest;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    if (child + 1 < length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= last) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return smallest;
}
