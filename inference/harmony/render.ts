/**
 * Messages to token ids.
 *
 * Every part of a message is encoded by itself, so that no token spans two of them, and no text ever becomes a special
 * token. Ids are those of openai-harmony. Source: openai/harmony, src/encoding.rs (`Render`), docs/format.md.
 */

import { InputError } from "../../dsl/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { FORMAT_SPELLINGS, type Format, type FormatTokens } from "./format.ts";
import { jsonText } from "./json-text.ts";
import {
  type Content,
  type DeveloperContent,
  type Message,
  REASONING_EFFORTS,
  type ResponseFormat,
  ROLES,
  type SystemContent,
} from "./messages.ts";
import { toolsSection } from "./signatures.ts";

// Public API

/** Appends messages to ids. */
export class Renderer {
  readonly #tokenizer: Tokenizer;
  readonly #tokens: FormatTokens;

  constructor({ tokenizer, tokens }: Format) {
    this.#tokenizer = tokenizer;
    this.#tokens = tokens;
  }

  /**
   * @param hasFunctions  whether some developer message of the conversation declares functions, which the system message
   *   then mentions
   * @throws InputError (`HARMONY_MESSAGE`) naming the message and its field
   */
  message(message: Message, ids: number[], { hasFunctions, at }: { hasFunctions: boolean; at?: number }): void {
    const where = at === undefined ? "message" : `messages[${at}]`;
    checkMessage(message, where);
    const { role, name, recipient, channel, contentType, content } = message;
    ids.push(this.#tokens.start);
    if (role === "tool") this.text(name!, ids);
    else {
      this.text(role, ids);
      if (name !== undefined) this.text(`:${name}`, ids);
    }
    if (recipient !== undefined && recipient !== "all") this.text(` to=${recipient}`, ids);
    if (channel !== undefined) {
      ids.push(this.#tokens.channel);
      this.text(channel, ids);
    }
    if (contentType !== undefined) this.#contentType(contentType, ids);
    ids.push(this.#tokens.message);
    const parts = [content].flat() as readonly Content[];
    for (const part of parts) this.text(textOf(part, hasFunctions), ids);
    ids.push(role === "assistant" && recipient !== undefined ? this.#tokens.call : this.#tokens.end);
  }

  /** Appends a text; the spelling of a special token in it stays text. */
  text(text: string, ids: number[]): void {
    for (const id of this.#tokenizer.encode(text, { addSpecial: false })) ids.push(id);
  }

  #contentType(contentType: string, ids: number[]): void {
    if (!contentType.startsWith(FORMAT_SPELLINGS.constrain)) {
      this.text(` ${contentType}`, ids);
      return;
    }
    this.text(" ", ids);
    ids.push(this.#tokens.constrain);
    this.text(contentType.slice(FORMAT_SPELLINGS.constrain.length), ids);
  }
}

/** Whether some developer message declares functions. */
export function declaresFunctions(messages: readonly Message[]): boolean {
  const parts = messages.flatMap(({ content }) => content as Content | Content[]);
  return parts.some(
    (part) =>
      typeof part !== "string" &&
      part?.kind === "developer" &&
      (part.tools ?? []).some(({ name, tools }) => name === "functions" && tools.length > 0),
  );
}

/** The text of a system message. */
export function systemText(content: SystemContent, hasFunctions: boolean): string {
  const {
    modelIdentity = "You are ChatGPT, a large language model trained by OpenAI.",
    knowledgeCutoff = "2024-06",
    conversationStartDate,
    reasoning = "medium",
    tools = [],
    channels = { valid: ["analysis", "commentary", "final"], required: true },
  } = content;
  const top = [
    ...(modelIdentity === null ? [] : [modelIdentity]),
    ...(knowledgeCutoff === null ? [] : [`Knowledge cutoff: ${knowledgeCutoff}`]),
    ...(conversationStartDate == null ? [] : [`Current date: ${conversationStartDate}`]),
  ];
  const sections: string[] = [];
  if (top.length > 0) sections.push(top.join("\n"));
  if (reasoning !== null) sections.push(`Reasoning: ${reasoning}`);
  if (tools.length > 0) sections.push(toolsSection(tools));
  if (channels !== null && channels.valid.length > 0) {
    const required = channels.required ? " Channel must be included for every message." : "";
    const functions = hasFunctions ? "\nCalls to these tools must go to the commentary channel: 'functions'." : "";
    sections.push(`# Valid channels: ${channels.valid.join(", ")}.${required}${functions}`);
  }
  return sections.join("\n\n");
}

/** The text of a developer message. */
export function developerText({ instructions, tools = [], responseFormats = [] }: DeveloperContent): string {
  const sections: string[] = [];
  if (instructions !== undefined) sections.push("# Instructions", instructions);
  if (tools.length > 0) sections.push(toolsSection(tools));
  if (responseFormats.length > 0) sections.push("# Response Formats", ...responseFormats.map(formatSection));
  return sections.join("\n\n");
}

// Implementation

/** Source: openai/harmony, docs/format.md, "Structured output". */
function formatSection({ name, description, schema }: ResponseFormat): string {
  const comment = description === undefined ? "" : `${description.replace(/^/gm, "// ")}\n`;
  return `## ${name}\n\n${comment}${jsonText(schema)}`;
}

function textOf(content: Content, hasFunctions: boolean): string {
  if (typeof content === "string") return content;
  return content.kind === "system" ? systemText(content, hasFunctions) : developerText(content);
}

function checkMessage(message: Message, where: string): void {
  const { role, name, content } = message;
  if (!ROLES.includes(role)) throw invalid(`${where}.role`, role, ROLES.join(", "));
  if (role === "tool" && (name === undefined || name === "")) {
    throw invalid(`${where}.name`, name, "the name of the tool, such as functions.get_weather");
  }
  for (const field of ["name", "recipient", "channel", "contentType"] as const) {
    const found = message[field];
    if (found !== undefined && typeof found !== "string") throw invalid(`${where}.${field}`, found, "a text");
  }
  const parts: readonly unknown[] = [content].flat();
  for (const [at, part] of parts.entries()) {
    const key = Array.isArray(content) ? `${where}.content[${at}]` : `${where}.content`;
    if (typeof part !== "string") checkContent(part as Exclude<Content, string>, message, key);
  }
}

function checkContent(part: Exclude<Content, string>, { role }: Message, where: string): void {
  if (part?.kind !== "system" && part?.kind !== "developer") {
    throw invalid(where, part, "a text, or content of the kind system or developer");
  }
  if (part.kind !== role) {
    throw invalid(where, `what a ${part.kind} message says, in one of the role ${role}`, "text");
  }
  const names = (part.tools ?? []).map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw invalid(`${where}.tools`, `two namespaces called ${twice}`, "one of each name");
  if (part.kind === "system" && part.reasoning != null && !REASONING_EFFORTS.includes(part.reasoning)) {
    throw invalid(`${where}.reasoning`, part.reasoning, REASONING_EFFORTS.join(", "));
  }
}

function invalid(key: string, found: unknown, wanted: string): InputError {
  const said = found === undefined ? "missing" : typeof found === "string" ? found : JSON.stringify(found);
  return new InputError("HARMONY_MESSAGE", `${key} is ${said}; wanted ${wanted}`, { key, found, wanted });
}
