/**
 * What stands before `<|message|>`: whose message it is, for whom, in which channel, and what its content is.
 *
 * Well-formed headers mean what openai-harmony takes them to mean, in whichever order their parts stand. Others are read
 * as far as they go, and what is wrong with them is said. Two readings differ on purpose: a content type marked with
 * `<|constrain|>` is one also where there is no recipient, or a space after the mark (openai-harmony takes the mark for
 * the recipient), and `user:ada` is a user called ada, which is what rendering makes of one.
 * Source: openai/harmony, src/encoding.rs (`parse_header_from_string`).
 */

import { FORMAT_SPELLINGS } from "./format.ts";
import { ROLES, type Role } from "./messages.ts";

// Public API

/** A header, understood. */
export interface MessageHeader {
  readonly role: Role;
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  /** As written, `<|constrain|>json`. */
  readonly contentType?: string;
}

/** A piece of a header: the text after a special token, or before the first. */
export interface HeaderPart {
  readonly marker: "channel" | "constrain" | undefined;
  readonly text: string;
}

/** Told of everything that is not as it should be. */
export type Report = (code: "role" | "channel" | "header", text: string) => void;

/** Whose message it is. */
export type Author = Pick<MessageHeader, "role" | "name">;

/** @param given  where the prompt named it: `<|start|>assistant` */
export function parseHeader(parts: readonly HeaderPart[], given: Author | undefined, report: Report): MessageHeader {
  const { words, channel, constraint } = partsOf(parts, report);
  const author = authorOf(words, given, constraint !== undefined, report);
  const rest = restOf(words, constraint, report);
  return { ...author, ...rest, ...(channel === undefined ? {} : { channel }) };
}

/** A message without `<|message|>`: the part of its text that was a header, and the rest, which is its content. */
export interface Headless {
  readonly header: MessageHeader;
  readonly source: string;
  readonly content: string;
}

/**
 * Reads what should have been a header and was ended as a message: text between its parts is content.
 *
 * Gives one message, or several where a channel begins after text.
 */
export function parseHeadless(parts: readonly HeaderPart[], given: Author | undefined): Headless[] {
  const found: Headless[] = [];
  let header: MessageHeader = given ?? { role: "assistant" };
  let source = "";
  let content = "";
  let text = "";
  const take = (pattern: RegExp): string | undefined => {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    source += match[0];
    text = text.slice(match[0].length);
    return match[1];
  };
  const takeRecipient = (): void => {
    const recipient = take(/^\s*to=(\S+)/);
    if (recipient !== undefined) header = { ...header, recipient };
  };
  for (const part of parts) {
    const { marker } = part;
    text = part.text;
    if (marker === "channel") {
      if (content !== "") {
        found.push({ header, source, content });
        header = header.name === undefined ? { role: header.role } : { role: header.role, name: header.name };
        source = content = "";
      }
      const channel = take(/^\s*([^\s<]+)/);
      if (channel !== undefined) header = { ...header, channel };
      takeRecipient();
    } else if (marker === "constrain") {
      const type = content === "" ? take(/^\s*([\w./+-]+)/) : undefined;
      if (type !== undefined) header = { ...header, contentType: FORMAT_SPELLINGS.constrain + type };
    } else {
      const named = take(given === undefined ? ROLE_WORD : new RegExp(`^\\s*(${given.role})(?=\\s|$)`));
      if (named !== undefined) header = { ...header, role: named as Role };
      takeRecipient();
    }
    if (content === "") take(/^\s+/);
    content += text;
  }
  found.push({ header, source, content });
  return found;
}

// Implementation

const ROLE_WORD = /^\s*(system|developer|user|assistant)(?=\s|$)/;

/** Of each marker, what it says; of everything else, the words. */
function partsOf(parts: readonly HeaderPart[], report: Report) {
  const words: string[] = [];
  let channel: string | undefined;
  let constraint: string | undefined;
  for (const { marker, text } of parts) {
    if (marker === undefined) words.push(...wordsOf(text));
    else if (marker === "channel") {
      // Up to white space as Rust has it, or to what may be the spelling of a token.
      const [name = ""] = /^[^\p{White_Space}<]*/u.exec(text) ?? [];
      const [first, ...rest] = wordsOf(name === "" ? text : text.slice(name.length));
      const said = name === "" ? first : name;
      if (name === "") report("channel", "no channel stands after <|channel|>");
      if (channel !== undefined && said !== undefined) report("channel", `a second channel, ${said} after ${channel}`);
      channel = said ?? channel;
      words.push(...(name === "" || first === undefined ? [] : [first]), ...rest);
    } else {
      const said = wordsOf(text);
      const isTo = (word: string): boolean => word.startsWith("to=");
      words.push(...said.filter(isTo));
      const [type = "", ...rest] = said.filter((word) => !isTo(word));
      if (constraint !== undefined) report("header", `a second content type, ${type} after ${constraint}`);
      constraint = FORMAT_SPELLINGS.constrain + type;
      if (rest.length > 0) report("header", `words after the content type: ${rest.join(" ")}`);
    }
  }
  return { words, channel, constraint };
}

/** Takes the words that say whose message it is. */
function authorOf(words: string[], given: Author | undefined, constrained: boolean, report: Report): Author {
  const [first] = words;
  const named = first === undefined ? undefined : roleOf(first);
  if (given !== undefined) {
    if (named?.role !== given.role) return given;
    words.shift();
    return { ...given, ...named };
  }
  if (first === undefined || first.startsWith("to=")) {
    report("role", "the header names no role");
    return { role: "assistant" };
  }
  words.shift();
  if (named !== undefined) return named;
  // A tool that says that it is one.
  if (words[0] === "tool") {
    words.shift();
    return { role: "tool", name: first };
  }
  if (words.length > 0 || constrained || first.includes(".")) return { role: "tool", name: first };
  report("role", `${first} is no role, and as a tool it would name a recipient`);
  return { role: "assistant" };
}

function roleOf(word: string): Author | undefined {
  const [, role = "", name] = /^([a-z]+)(?::(.+))?$/s.exec(word) ?? [];
  if (!(ROLES as readonly string[]).includes(role)) return undefined;
  if (role === "tool") return { role, name: name ?? role };
  return name === undefined ? { role: role as Role } : { role: role as Role, name };
}

/** Takes the words that say for whom it is and what it holds. */
function restOf(
  words: readonly string[],
  constraint: string | undefined,
  report: Report,
): Pick<MessageHeader, "recipient" | "contentType"> {
  const to = words.findLastIndex((word) => word.startsWith("to="));
  // Without `to=`, a lone word is the recipient; of more the last is the type, if nothing else is.
  const at = to >= 0 ? to : words.length - (constraint === undefined && words.length > 1 ? 2 : 1);
  const type = constraint ?? words[at + 1];
  const used = new Set([at, ...(constraint === undefined ? [at + 1] : [])]);
  const left = words.filter((_, index) => !used.has(index));
  if (left.length > 0) report("header", `words that mean nothing here: ${left.join(" ")}`);
  const recipient = words[at]?.replace(/^to=/, "");
  if (recipient === "") report("header", "no recipient stands after to=");
  return {
    ...(recipient === undefined || recipient === "" ? {} : { recipient }),
    ...(type === undefined ? {} : { contentType: type }),
  };
}

/** As Rust's `split_ascii_whitespace`, after `trim`, which knows the other white space too. */
function wordsOf(text: string): string[] {
  return text
    .replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "")
    .split(/[\t\n\f\r ]+/)
    .filter((word) => word !== "");
}
