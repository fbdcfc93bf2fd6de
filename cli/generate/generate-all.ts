/** `tsxla generate --prompts`: the answers to a file of prompts, several at once, in the order of its lines. */
import { type InputError, RuntimeFailure } from "../../dsl/index.ts";
import type { BatchSummary, ChatOptions, Model, Piece, Prompt, Summary, Tokenizer } from "../../inference/index.ts";
import type { Progress } from "../progress.ts";
import type { PromptLine } from "./prompts-file.ts";

// Public API

/** What became of a line. */
export type LineAnswer = PromptLine &
  ({ readonly pieces: readonly Piece[]; readonly summary: Summary } | { readonly error: InputError });

/** What became of a file. */
export interface FileAnswers {
  readonly answers: readonly LineAnswer[];
  readonly summary: BatchSummary;
  /** From the first prefill to the last token. */
  readonly seconds: number;
}

/**
 * Answers all lines.
 *
 * @param onAnswer  told of each in the order of the lines, as soon as it and all before it are complete
 */
export async function generateAll(
  model: Model,
  {
    lines,
    toPrompt,
    options,
    progress,
    onAnswer,
  }: {
    readonly lines: readonly PromptLine[];
    readonly toPrompt: (text: string) => Prompt;
    readonly options: ChatOptions;
    readonly progress: Progress;
    readonly onAnswer: (answer: LineAnswer) => void;
  },
): Promise<FileAnswers> {
  const pieces: Piece[][] = lines.map(() => []);
  const complete: (LineAnswer | undefined)[] = lines.map(() => undefined);
  const answers: LineAnswer[] = [];
  const count = progress.count("answering");
  let begun: number | undefined;
  let tokens = 0;
  const seconds = () => (begun === undefined ? 0 : (performance.now() - begun) / 1000);
  const show = () => {
    const done = complete.filter((each) => each !== undefined).length;
    count.update(`${done} of ${lines.length} answers, ${(tokens / Math.max(seconds(), 1e-3)).toFixed(1)} tokens/s`);
  };
  const settle = (index: number, answer: LineAnswer) => {
    complete[index] = answer;
    for (let next = complete[answers.length]; next !== undefined; next = complete[answers.length]) {
      count.clear();
      answers.push(next);
      onAnswer(next);
    }
  };
  const events = model.generateAll(
    lines.map(({ text }) => toPrompt(text)),
    options,
  );
  try {
    for (;;) {
      const next = await events.next();
      if (next.done === true) return { answers, summary: next.value, seconds: seconds() };
      const { index, ...event } = next.value;
      const line = lines[index] as PromptLine;
      if (event.kind === "refused") settle(index, { ...line, error: event.error });
      else if (event.kind === "done")
        settle(index, { ...line, pieces: pieces[index] as Piece[], summary: event.summary });
      else {
        begun ??= performance.now();
        tokens++;
        (pieces[index] as Piece[]).push(event.piece);
      }
      show();
    }
  } catch (error) {
    throw namingLine(error, lines);
  } finally {
    count.clear();
  }
}

export const textOf = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join("");

/** An answer under a line that says whose it is. */
export function printed(answer: LineAnswer): string {
  const { line, text } = answer;
  const head = `--- ${line}: ${text.length > shownPrompt ? `${text.slice(0, shownPrompt - 1)}…` : text}`;
  if ("error" in answer) return `${head}\n(no answer: ${answer.error.message})\n`;
  const body = textOf(answer.pieces);
  return `${head}\n${body}${body.endsWith("\n") ? "" : "\n"}`;
}

/** What `--json` tells of probabilities: each token's, and the likeliest in its place, where they were asked for. */
export function logprobsOf(pieces: readonly Piece[], tokenizer: Tokenizer | undefined): object {
  const logprobs = pieces.map(({ logprob }) => logprob);
  if (pieces[0]?.topLogprobs === undefined) return { logprobs };
  const spelled = (token: number) => {
    try {
      return tokenizer === undefined ? {} : { text: tokenizer.decode([token], { continues: true }) };
    } catch {
      // A vocabulary may be wider than what the tokenizer spells.
      return {};
    }
  };
  const topLogprobs = pieces.map(({ topLogprobs = [] }) =>
    topLogprobs.map(({ token, logprob }) => ({ token, ...spelled(token), logprob })),
  );
  return { logprobs, topLogprobs };
}

/** For `--json`. */
export function asJson(answer: LineAnswer, tokenizer: Tokenizer | undefined): object {
  const { line, text: prompt } = answer;
  if ("error" in answer) return { line, prompt, error: { code: answer.error.code, message: answer.error.message } };
  const { pieces, summary } = answer;
  return {
    line,
    prompt,
    text: textOf(pieces),
    ...(summary.messages && { messages: summary.messages }),
    tokens: pieces.map(({ token }) => token),
    ...logprobsOf(pieces, tokenizer),
    finishReason: summary.finishReason,
    promptCount: summary.promptTokens,
    answerCount: summary.answerTokens,
    seed: String(summary.seed),
  };
}

// Implementation

const shownPrompt = 72;

/** The library counts prompts, a file has lines. */
function namingLine(error: unknown, lines: readonly PromptLine[]): unknown {
  if (!(error instanceof RuntimeFailure) || typeof error.fields.prompt !== "number") return error;
  const { line } = lines[error.fields.prompt] as PromptLine;
  const message = error.message.replace(/^prompts\[\d+\]/, `line ${line}`);
  return new RuntimeFailure(error.code, message, { ...error.fields, line }, { cause: error });
}
