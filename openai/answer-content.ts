/** What an answer says: what is meant for people, what was thought, which tools were called. */

import type { Piece } from "../inference/answers/answer.ts";
import { isAnswer } from "../inference/answers/answer-reader.ts";
import type { MessageHeader, ParsedMessage } from "../inference/harmony/index.ts";
import type { Tokenizer } from "../inference/text/tokenizer.ts";
import type { Answered, JobModel } from "./job-types.ts";
import { readToolCalls, type TextCall } from "./tool-calls.ts";

// Public API

/** An answer, read. */
export interface Said {
  readonly content: string;
  readonly reasoning: string;
  readonly reasoningTokens: number;
  readonly calls: readonly TextCall[];
  /** The tokens of `content`, and with calls in a text those of the calls. */
  readonly tokens: readonly Piece[];
}

/** What the request says about how to read. */
export interface Reading {
  readonly model: Pick<JobModel, "harmony" | "tokenizer">;
  /** Whether tools were offered: without, a call is text. */
  readonly hasTools: boolean;
  /** Tokens of the request's own that end an answer. */
  readonly stopTokens: readonly number[];
}

/** Reads an answer to a chat. */
export function readAnswer(answer: Answered, reading: Reading): Said {
  const { messages } = answer.summary;
  if (messages !== undefined) return readHarmony(answer, messages, reading);
  const text = textOf(answer.pieces);
  const { content, calls } = reading.hasTools ? readToolCalls(text) : { content: text, calls: [] };
  return { content, calls, reasoning: "", reasoningTokens: 0, tokens: spokenTokens(answer, reading) };
}

/** The text that was given out: without what a stop string cut off. */
export const textOf = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join("");

/** The tokens of an answer's text: without the one that ended it, and what a stop string cut off. */
export function spokenTokens(answer: Answered, reading: Omit<Reading, "hasTools">): readonly Piece[] {
  const { pieces } = answer;
  if (isCutOff(answer, reading)) return upTo(pieces, textOf(pieces), reading);
  return answer.summary.finishReason === "stop" ? pieces.slice(0, -1) : pieces;
}

// Implementation

/** Whether a stop string ended it, and no token of its own. */
function isCutOff({ pieces, summary }: Answered, { model, stopTokens }: Omit<Reading, "hasTools">): boolean {
  const last = pieces.at(-1)?.token;
  const { tokenizer } = model;
  if (summary.finishReason !== "stop" || last === undefined || tokenizer === undefined) return false;
  return !(stopTokens.includes(last) || tokenizer.eosIds.includes(last) || isSpecial(last, tokenizer));
}

/** The tokens of a text's beginning, the last of which may go on beyond it. */
function upTo(pieces: readonly Piece[], text: string, { model }: Pick<Reading, "model">): readonly Piece[] {
  const decoder = model.tokenizer?.decoder({ skipSpecial: true, continues: true });
  let told = 0;
  const end = pieces.findIndex(({ token }) => {
    const isOver = told >= text.length;
    told += decoder?.push(token).length ?? 0;
    return isOver;
  });
  return end < 0 ? pieces : pieces.slice(0, end);
}

/** Whether a token is spelled and means something else. */
function isSpecial(token: number, tokenizer: Tokenizer): boolean {
  let known = specials.get(tokenizer);
  if (known === undefined) {
    known = new Set(tokenizer.specialTokens.values());
    specials.set(tokenizer, known);
  }
  return known.has(token);
}

const specials = new WeakMap<object, ReadonlySet<number>>();

/**
 * Of a model that speaks Harmony. What it says beside calls, in the commentary channel, is meant for people too; what it
 * thinks is in the analysis channel. Source: openai/harmony, docs/format.md.
 */
function readHarmony(answer: Answered, messages: readonly ParsedMessage[], reading: Reading): Said {
  const { hasTools, model } = reading;
  // A model that speaks Harmony has its tokens.
  const tokenizer = model.tokenizer as Tokenizer;
  const isCall = ({ recipient }: MessageHeader) => hasTools && recipient !== undefined;
  const isThought = (header: MessageHeader) => header.channel === "analysis" && !isCall(header);
  const isRemark = (header: MessageHeader) => !isCall(header) && !isThought(header) && !isAnswer(header);
  const joined = (chosen: readonly ParsedMessage[]) => chosen.map(({ content }) => content).join("\n");
  const remarks = joined(messages.filter(isRemark));
  const text = textOf(answer.pieces);
  const said = { remarks: [] as Piece[], text: [] as Piece[], thoughts: 0 };
  let header: MessageHeader | undefined;
  for (const piece of answer.pieces) {
    if (header !== undefined && !isSpecial(piece.token, tokenizer)) {
      if (isThought(header)) said.thoughts++;
      else if (isRemark(header)) said.remarks.push(piece);
      else if (!isCall(header)) said.text.push(piece);
    }
    for (const event of piece.events ?? []) {
      if (event.kind === "header") header = event.header;
      else if (event.kind === "message") header = undefined;
    }
  }
  return {
    content: [remarks, text].filter((part) => part !== "").join("\n"),
    reasoning: joined(messages.filter(isThought)),
    reasoningTokens: said.thoughts,
    calls: messages.filter(isCall).map(({ recipient = "", content }) => ({
      name: recipient.replace(/^functions\./, ""),
      arguments: content,
    })),
    tokens: [...said.remarks, ...(isCutOff(answer, reading) ? upTo(said.text, text, reading) : said.text)],
  };
}
