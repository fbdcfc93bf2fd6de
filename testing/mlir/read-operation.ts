/** One line of a block, taken apart: `%0 = stablehlo.add %arg0, %arg1 : tensor<2xf32>`. */
import { placesOf, split, stringPattern } from "./scan.ts";

// Public API

/** What a line says before names mean anything. */
export interface LineParts {
  /** Names of the results, such as `%3#0` and `%3#1`. */
  readonly results: readonly string[];
  readonly kind: string;
  readonly form: string;
  /** Names of the operands. */
  readonly operands: readonly string[];
  readonly types: string;
  readonly resultTypes: readonly string[];
}

/** Takes a line apart; nothing when it is no operation. */
export function readLine(text: string): LineParts | undefined {
  const match = linePattern.exec(text);
  if (match === null) return undefined;
  const [, base, count, quoted, bare, rest = ""] = match;
  const results = base === undefined ? [] : resultNames(base, Number(count ?? 1));
  const cut = placesOf(" : ", rest).at(-1) ?? (rest.startsWith(": ") ? 0 : rest.length);
  const [written, types] = [rest.slice(0, cut), rest.slice(cut).replace(/^ ?: /, "")];
  const operands: string[] = [];
  const form = written.replaceAll(valueOrString, (found, value?: string) => {
    if (value === undefined) return found;
    operands.push(value);
    return "_";
  });
  const kind = quoted ?? (bare as string);
  return { results, kind, form: form.trim(), operands, types, resultTypes: typesOfResults(types, results.length) };
}

/** The types that a function or an operation gives: one as it is, several in parentheses. */
export function listTypes(text: string): string[] {
  const trimmed = text.trim();
  return split(trimmed.startsWith("(") ? trimmed.slice(1, -1) : trimmed, ", ");
}

// Implementation

const linePattern = /^(?:(%[\w$.-]+)(?::(\d+))? = )?(?:"([\w$.]+)"|([a-z_][\w$.]*))(?=$|[ (:])(.*)$/;
const valueOrString = new RegExp(`${stringPattern}|(%[\\w$.-]+(?:#\\d+)?)`, "g");

function resultNames(base: string, count: number): string[] {
  return count === 1 ? [base] : Array.from({ length: count }, (_, n) => `${base}#${n}`);
}

/** After an arrow they are written out. Before one stand the operands' types, the last of which is the result's too. */
function typesOfResults(types: string, count: number): string[] {
  const [arrow] = placesOf(" -> ", types);
  const listed = listTypes(arrow === undefined ? types : types.slice(arrow + 4));
  if (listed.length === count) return listed;
  return Array.from({ length: count }, () => listed.at(-1) ?? "");
}
