/**
 * Where the values of a JSON text stand, read with Microsoft's jsonc-parser.
 *
 * `JSON.parse` reports neither where a value ends nor how it was written. Both matter where a model writes JSON amid text.
 */
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

// Public API

/** A value, and where it stands: from `start` up to `end`. */
export type JsonSpan = { readonly start: number; readonly end: number } & (
  | { readonly kind: "object"; readonly members: ReadonlyMap<string, JsonSpan> }
  | { readonly kind: "array"; readonly items: readonly JsonSpan[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "other" }
);

/** The value that begins at `at`, after white space. Undefined where no valid value begins, or it is nested too deeply. */
export function readJson(text: string, at: number): JsonSpan | undefined {
  const errors: ParseError[] = [];
  const tree = parsedTree(text.slice(at), errors);
  if (tree === undefined) return undefined;
  const end = tree.offset + tree.length;
  return errors.some((each) => isInside(each, end)) ? undefined : spanOf(tree, at);
}

// Implementation

function parsedTree(text: string, errors: ParseError[]): Node | undefined {
  try {
    return parseTree(text, errors, { disallowComments: true });
  } catch (error) {
    // The parser recurses once a level.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Whether an error means that the value is not JSON. Text after the value is the caller's: the parser reports that the end
 * was expected, or a token that it does not know. A bracket that was never closed is reported there, too.
 */
function isInside({ error, offset }: ParseError, end: number): boolean {
  const code = printParseErrorCode(error);
  return offset < end || (code.endsWith("Expected") && code !== "EndOfFileExpected");
}

function spanOf(node: Node, at: number): JsonSpan {
  const span = { start: at + node.offset, end: at + node.offset + node.length };
  const children = node.children ?? [];
  switch (node.type) {
    case "object":
      // Of two members with one name the last counts, as in JSON.parse.
      return {
        ...span,
        kind: "object",
        members: new Map(
          children.map(({ children: [key, value] = [] }) => [key?.value as string, spanOf(value as Node, at)]),
        ),
      };
    case "array":
      return { ...span, kind: "array", items: children.map((item) => spanOf(item, at)) };
    case "string":
      return { ...span, kind: "string", value: node.value as string };
    default:
      return { ...span, kind: "other" };
  }
}
