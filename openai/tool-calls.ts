/**
 * Calls of tools in a text: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, one or a list of them in a block.
 *
 * Hermes, Qwen and others write one call in a block, SmolLM2 a list. What is malformed stays text. Arguments are told as
 * the model wrote them: numbers that JavaScript cannot hold stay what they are.
 * Source: NousResearch/Hermes-Function-Calling, README; the model card of SmolLM2-1.7B-Instruct.
 */
import { readJson } from "./json-spans.ts";

// Public API

/** A call. */
export interface TextCall {
  readonly name: string;
  /** JSON, as the model wrote it, which may be none. */
  readonly arguments: string;
}

/** The calls of a text, and what it says besides. */
export function readToolCalls(text: string): { readonly content: string; readonly calls: readonly TextCall[] } {
  const calls: TextCall[] = [];
  const parts: string[] = [];
  let rest = 0;
  for (let at = text.indexOf(OPEN); at >= 0; at = text.indexOf(OPEN, at + 1)) {
    const block = readBlock(text, at);
    if (block === undefined) continue;
    parts.push(text.slice(rest, at).trim());
    calls.push(...block.calls);
    rest = block.end;
    at = rest - 1;
  }
  if (calls.length === 0) return { content: text, calls };
  parts.push(text.slice(rest).trim());
  return { content: parts.filter((part) => part !== "").join("\n"), calls };
}

// Implementation

const OPEN = "<tool_call>";

/** A block that begins at `start`. The last one of a text may lack its end: models stop there. */
function readBlock(text: string, start: number): { calls: TextCall[]; end: number } | undefined {
  const value = readJson(text, start + OPEN.length);
  if (value === undefined) return undefined;
  const after = text.slice(value.end);
  const closed = /^\s*<\/tool_call>/.exec(after);
  if (closed === null && after.trim() !== "") return undefined;
  const items = value.kind === "array" ? value.items : [value];
  const calls = items.map((item) => {
    if (item.kind !== "object") return undefined;
    const name = item.members.get("name");
    const given = item.members.get("arguments");
    if (name?.kind !== "string" || (given !== undefined && given.kind !== "object")) return undefined;
    return { name: name.value, arguments: given === undefined ? "{}" : text.slice(given.start, given.end) };
  });
  if (calls.length === 0 || calls.includes(undefined)) return undefined;
  return { calls: calls as TextCall[], end: value.end + (closed === null ? after.length : closed[0].length) };
}
