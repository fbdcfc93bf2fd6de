/** How another engine goes on with the prompts, kept in a file, and whether tsxla goes on so too. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { InputError } from "../../dsl/index.ts";

// Public API

const ids = z.array(z.number().int().min(0));
const answer = z.object({
  prompt: z.string(),
  /** As the other engine cut the prompt; absent where it does not tell. */
  promptIds: ids.optional(),
  text: z.string(),
  /** With the token that ended it, if one did; absent where it does not tell. */
  answerIds: ids.optional(),
  /** How much likelier each token was than the next best, in logits; absent where it does not tell. */
  gaps: z.array(z.number()).optional(),
});
const expectations = z.object({
  model: z.string(),
  /** Who answered, in which arithmetic. */
  recordedBy: z.string(),
  /** Of what: a commit, or a file's checksum. */
  weights: z.string(),
  maxTokens: z.number().int().min(1),
  /** A choice by less than this is a tie: another arithmetic may choose otherwise from there on. */
  tie: z.number().min(0),
  answers: z.array(answer).min(1),
});
export type ExpectedAnswer = Readonly<z.infer<typeof answer>>;
export type Expectations = Readonly<z.infer<typeof expectations>>;

/** What tsxla said. */
export interface FoundAnswer {
  readonly promptIds: readonly number[];
  readonly answerIds: readonly number[];
  readonly text: string;
}

export interface Comparison {
  readonly holds: boolean;
  /** A sentence for people. */
  readonly said: string;
}

/** Reads a file of expectations; undefined when there is none. @throws InputError that says what is wrong with it */
export async function readExpectations(path: string): Promise<Expectations | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new InputError("EXPECTATIONS", `${path} cannot be read: ${(cause as Error).message}`, { path }, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError("EXPECTATIONS", `${path} is no JSON: ${(cause as Error).message}`, { path }, { cause });
  }
  const result = expectations.safeParse(json);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path: at, message }) => `  ${at.join(".")}: ${message}`);
  throw new InputError("EXPECTATIONS", [`${path} holds no expectations`, ...issues].join("\n"), { path });
}

/**
 * Whether an answer is the expected one, as far as it has to be: up to the first tie, if gaps are known.
 *
 * Prompts must be cut into the same tokens. Tokens are compared where both are known, texts otherwise.
 */
export function compareAnswer(expected: ExpectedAnswer, found: FoundAnswer, tie: number): Comparison {
  if (expected.promptIds !== undefined && !isSame(expected.promptIds, found.promptIds)) {
    return {
      holds: false,
      said: `the prompt is cut otherwise: [${found.promptIds}]; expected [${expected.promptIds}]`,
    };
  }
  return expected.answerIds === undefined
    ? compareTexts(expected.text, found.text)
    : compareIds(expected.answerIds, expected.gaps, found, tie);
}

// Implementation

function compareIds(
  expected: readonly number[],
  gaps: readonly number[] | undefined,
  { answerIds }: FoundAnswer,
  tie: number,
): Comparison {
  const longest = Math.max(expected.length, answerIds.length);
  let same = 0;
  while (same < longest && expected[same] === answerIds[same]) same += 1;
  if (same === longest) return { holds: true, said: `the same ${same} tokens` };
  const gap = gaps?.[same];
  const at = `token ${same + 1} is ${answerIds[same] ?? "missing"}; expected ${expected[same] ?? "none"}`;
  if (gap !== undefined && gap < tie) {
    return { holds: true, said: `the same ${same} tokens; then ${at}, which was a tie (by ${gap}, below ${tie})` };
  }
  return { holds: false, said: `${at}${gap === undefined ? "" : `, by ${gap}`}` };
}

function compareTexts(expected: string, found: string): Comparison {
  let same = 0;
  while (same < expected.length && expected[same] === found[same]) same += 1;
  if (same === expected.length && same === found.length) return { holds: true, said: "the same text" };
  const from = Math.max(same - 20, 0);
  const shown = (text: string) => JSON.stringify(text.slice(from, same + 20));
  return {
    holds: false,
    said: `after ${same} characters …${shown(found)}; expected …${shown(expected)} (how close it was is not known)`,
  };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, n) => id === b[n]);
}
