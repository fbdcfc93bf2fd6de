/**
 * What of a conversation the model sees again.
 *
 * Source: openai/harmony, src/encoding.rs (`render_conversation_into`), docs/format.md, "Handling reasoning output in
 * subsequent sampling".
 */

import type { Message } from "./messages.ts";

// Public API

/**
 * The conversation without the thoughts that led to an answer which has been given.
 *
 * Once the assistant's last message is in the channel `final`, what it thought before its first final message is
 * dropped. While it is still at work, calling tools, everything stays: its thoughts are what it goes on from.
 */
export function withoutOldAnalysis(messages: readonly Message[]): Message[] {
  return keptIndices(messages).map((at) => messages[at]!);
}

/** The places of the messages that stay. */
export function keptIndices(messages: readonly Message[]): number[] {
  const all = [...messages.keys()];
  const last = messages.findLast(({ role }) => role === "assistant");
  if (last?.channel !== "final") return all;
  const firstFinal = messages.findIndex(({ channel }) => channel === "final");
  return all.filter((at) => at >= firstFinal || messages[at]!.channel !== "analysis");
}
