/** Locations of MLIR text: `loc("attn.dot"("models/llama.ts":41:12))`, mostly through aliases such as `#loc7`. */
import type { Place } from "./module.ts";
import { endOfBracket, stringPattern, unquote } from "./scan.ts";

// Public API

/** A text's aliases. */
export type Aliases = ReadonlyMap<string, string>;

/** The aliases that a text defines, above its module or below. */
export function readAliases(lines: readonly string[]): Aliases {
  const found = lines.flatMap((line) => {
    const match = /^(#loc\d*) = loc\((.*)\)$/.exec(line);
    return match === null ? [] : [[match[1] as string, match[2] as string] as const];
  });
  return new Map(found);
}

/** The place that a location says; nothing for one that is unknown, or of a form that tsxla does not print. */
export function placeOf(location: string | undefined, aliases: Aliases): Place | undefined {
  if (location === undefined) return undefined;
  if (location.startsWith("#")) {
    const meant = aliases.get(location);
    return meant === undefined || meant === location ? undefined : placeOf(meant, aliases);
  }
  const line = linePattern.exec(location);
  if (line !== null) return { file: unquote(line[1] as string), line: Number(line[2]), column: Number(line[3]) };
  const named = namePattern.exec(location);
  if (named === null) return undefined;
  return { name: unquote(named[1] as string), ...placeOf(named[2], aliases) };
}

/** Takes a location off the end of a line. */
export function cutLocation(line: string): { readonly text: string; readonly location: string | undefined } {
  const start = line.lastIndexOf(" loc(");
  if (start < 0 || endOfBracket(line, start + 4) !== line.length) return { text: line, location: undefined };
  return { text: line.slice(0, start), location: line.slice(start + 5, -1) };
}

/** A text without its locations: as MLIR prints it when it is not asked for them. */
export function withoutLocations(text: string): string {
  const lines = text.split("\n").filter((line) => !/^#loc\d* = loc\(/.test(line));
  return lines.map(stripLine).join("\n");
}

// Implementation

const linePattern = new RegExp(`^(${stringPattern}):(\\d+):(\\d+)$`);
const namePattern = new RegExp(`^(${stringPattern})(?:\\((.*)\\))?$`);

/** Also arguments carry locations, in the middle of their line. */
function stripLine(line: string): string {
  let kept = "";
  let rest = line;
  for (;;) {
    const match = nextLocation.exec(rest);
    if (match === null) return kept + rest;
    if (match[1] !== undefined) {
      kept += rest.slice(0, match.index + match[0].length);
      rest = rest.slice(match.index + match[0].length);
      continue;
    }
    const end = endOfBracket(rest, match.index + 4);
    if (end < 0) return kept + rest;
    kept += rest.slice(0, match.index);
    rest = rest.slice(end);
  }
}

const nextLocation = new RegExp(`(${stringPattern})| loc\\(`);
