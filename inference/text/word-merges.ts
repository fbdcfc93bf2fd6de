/**
 * Byte-pair encoding of one word, fast for hundreds of thousands of merges.
 *
 * The most urgent pair of neighbours is joined first, the leftmost of equally urgent ones, until no pair may be joined.
 * Pairs wait in a heap, so that a word of a million letters takes n log n steps and not n².
 */
import FlatQueue from "flatqueue";

// Public API

/** Appends the ids of a word to `ids`. Every character of the word must be a token, or it is left out. */
export type WordEncoder = (word: string, ids: number[]) => void;

/**
 * Merges that are the tokens, as tiktoken has it: two neighbours may be joined when what they spell together is a token,
 * and the smallest id is the most urgent. A word that is a token is that token.
 *
 * Source: openai/tiktoken, src/lib.rs (`byte_pair_encode`, `_byte_pair_merge`).
 *
 * @param tokens  spelling to id, without special tokens
 */
export function tokenMerges(tokens: ReadonlyMap<string, number>): WordEncoder {
  return wordEncoder(tokens, true, (word, at, _, end) => tokens.get(word.slice(at, end)));
}

/**
 * Merges as a list has them.
 *
 * @param urgency  by the two spellings with a space between, which no spelling of bytes holds; whole numbers, small first
 * @param wholeWords  whether a word that is a token is that token, whatever the merges say
 */
export function listedMerges(
  tokens: ReadonlyMap<string, number>,
  urgency: ReadonlyMap<string, number>,
  wholeWords: boolean,
): WordEncoder {
  return wordEncoder(tokens, wholeWords, (word, at, middle, end) =>
    urgency.get(`${word.slice(at, middle)} ${word.slice(middle, end)}`),
  );
}

// Implementation

/** More than any position in a text; with a rank in front, a sum that a number holds exactly. */
const POSITIONS = 2 ** 32;

/** How urgent it is to join two neighbours of a word; undefined where they may not be. */
type Urgency = (word: string, start: number, middle: number, end: number) => number | undefined;

function wordEncoder(tokens: ReadonlyMap<string, number>, wholeWords: boolean, urgency: Urgency): WordEncoder {
  return (word, ids) => {
    const whole = wholeWords || word.length === 1 ? tokens.get(word) : undefined;
    if (whole !== undefined) ids.push(whole);
    else if (word.length > 0) join(tokens, word, urgency, ids);
  };
}

function join(tokens: ReadonlyMap<string, number>, word: string, urgency: Urgency, ids: number[]): void {
  const length = word.length;
  // Parts by where they start: where each ends, where the one before it starts, how urgent it is to join it with the next.
  const ends = Uint32Array.from({ length }, (_, at) => at + 1);
  const before = Int32Array.from({ length }, (_, at) => at - 1);
  const joined = new Int32Array(length).fill(-1);
  // A pair by where it starts; its priority is its rank, and among equal ranks its place.
  const waiting = new FlatQueue<number>();
  const consider = (at: number): void => {
    const next = ends[at]!;
    joined[at] = -1;
    if (next >= length) return;
    const rank = urgency(word, at, next, ends[next]!);
    if (rank === undefined) return;
    joined[at] = rank;
    waiting.push(at, rank * POSITIONS + at);
  };
  for (let at = 0; at + 1 < length; at++) consider(at);
  for (let rank = nextRank(waiting); rank !== undefined; rank = nextRank(waiting)) {
    const at = waiting.pop()!;
    // One of the two was joined with another meanwhile.
    if (joined[at] !== rank) continue;
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

function nextRank(waiting: FlatQueue<number>): number | undefined {
  const priority = waiting.peekValue();
  return priority === undefined ? undefined : Math.floor(priority / POSITIONS);
}
