/** What tsxla makes of openai-harmony's cases, in the form in which tests/harmony/oracle.py tells what it makes of them. */
import { createHash } from "node:crypto";
import type { Harmony, Message, Role } from "../../inference/harmony/index.ts";
import { messageFrom, type OpenAiMessage } from "./from-openai.ts";

// Public API

/** After each token: role, channel, recipient, content type, and the text that became certain. */
export type Step = readonly (string | null)[];

/** What a streaming parser knew, and the messages that it read. */
export interface Trace {
  readonly steps: readonly Step[];
  readonly messages: readonly OpenAiMessage[];
}

/** Sixteen hexadecimal digits of its JSON's SHA-256. */
export function digest(given: unknown): string {
  return createHash("sha256").update(JSON.stringify(given)).digest("hex").slice(0, 16);
}

/** The tokens of a conversation in each way to render it. */
export function renderings(harmony: Harmony, conversation: readonly OpenAiMessage[]) {
  const messages = conversation.map(messageFrom);
  return {
    completion: harmony.renderForCompletion(messages),
    keeping: harmony.render(messages, { dropAnalysis: false }),
    training: harmony.renderForTraining(messages),
  };
}

/** @throws Error when the parser finds something malformed: openai-harmony did not */
export function trace(harmony: Harmony, tokens: readonly number[], role?: Role): Trace {
  const parser = harmony.parser({ role });
  const steps = tokens.map((token): Step => {
    const events = parser.push(token);
    const delta = events.find((event) => event.kind === "delta");
    const current = parser.current;
    const known = current && [current.role, current.channel, current.recipient, current.contentType];
    return [...(known ?? Array(4).fill(null)), delta?.text ?? null].map((each) => each ?? null);
  });
  parser.end();
  const [problem] = parser.problems;
  if (problem !== undefined) throw new Error(`token ${problem.position}: ${problem.text}`);
  return { steps, messages: parser.messages.map(asOpenAi) };
}

/** In the order of openai-harmony's JSON, in which absent fields are left out. */
export function asOpenAi(message: Message): OpenAiMessage {
  const { role, name, recipient, channel, contentType, content } = message;
  return JSON.parse(JSON.stringify({ role, name, recipient, content, channel, content_type: contentType }));
}
