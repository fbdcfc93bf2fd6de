/**
 * What is wrong with a request, in the words of OpenAI's API: a code, the parameter, a sentence.
 *
 * Codes are those that its servers answer with; a schema's own messages are read as "what was wanted"
 * (../parse-input.ts).
 */
import type { z } from "zod";
import { InputError } from "../dsl/errors.ts";
import { describe, keyText } from "../models/parse-input.ts";

// Public API

/** A request that cannot be taken. `fields.param` names the field of the body, or of the line. */
export function requestError(code: string, param: string | null, sentence: string, cause?: unknown): InputError {
  return new InputError(code, sentence, { param }, cause === undefined ? {} : { cause });
}

/** `value`, checked. @throws InputError with a code and the `param` that is wrong */
export function parseRequest<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { within }: { readonly within?: string } = {},
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = innermost(parsed.error.issues[0] as z.core.$ZodIssue);
  const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const path = [...issue.path, ...unknown];
  const param = keyText(path) || null;
  const where = [within, param].filter(Boolean).join(".") || "the line";
  const found = describe(path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown>)?.[part], value));
  if (unknown.length > 0) throw requestError("unknown_parameter", param, `${where} is not known`);
  const { code, sentence } = meaningOf(issue, { where, found });
  throw requestError(code, param, sentence);
}

// Implementation

/** Of a value that may be of several kinds the fault of the kind that it is nearly: of which most was right. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const near = issue.errors
    .flatMap(([first]) => (first === undefined || isOtherKind(first) ? [] : [first]))
    .reduce<z.core.$ZodIssue | undefined>(
      (far, each) => (far === undefined || isFarther(each, far) ? each : far),
      undefined,
    );
  return near === undefined ? issue : innermost({ ...near, path: [...issue.path, ...near.path] });
}

const isOtherKind = ({ code, path }: z.core.$ZodIssue): boolean => code === "invalid_type" && path.length === 0;

function isFarther({ path }: z.core.$ZodIssue, { path: other }: z.core.$ZodIssue): boolean {
  const at = path.findIndex((part, n) => part !== other[n]);
  if (at < 0 || at >= other.length) return path.length > other.length;
  return Number(path[at]) > Number(other[at]);
}

interface Place {
  readonly where: string;
  readonly found: string;
}

function meaningOf(issue: z.core.$ZodIssue, { where, found }: Place): { code: string; sentence: string } {
  const wanted = /^Invalid input: expected (.*), received /.exec(issue.message)?.[1] ?? issue.message;
  const sentence = `${where} is ${found}; wanted ${wanted}`;
  switch (issue.code) {
    case "invalid_type":
    case "invalid_union":
      if (found === "missing") return { code: "missing_required_parameter", sentence };
      return {
        code: issue.code === "invalid_union" && issue.errors.length === 0 ? "invalid_value" : "invalid_type",
        sentence,
      };
    case "too_small":
    case "too_big":
      return { code: boundCode(issue), sentence };
    case "invalid_key":
      return { code: "invalid_value", sentence: `${where} is no key; wanted ${issue.issues[0]?.message}` };
    case "custom": {
      const code = issue.params?.code as string | undefined;
      if (code?.startsWith("unsupported")) return { code, sentence: `${where} is ${found}: ${wanted}` };
      return { code: code ?? "invalid_value", sentence };
    }
    default:
      return { code: found === "missing" ? "missing_required_parameter" : "invalid_value", sentence };
  }
}

/** The names that OpenAI's servers give to values out of range. */
function boundCode({ code, origin }: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const isSmall = code === "too_small";
  if (origin === "array" || origin === "string") return isSmall ? `empty_${origin}` : `${origin}_above_max_length`;

  return `${origin === "int" ? "integer" : "decimal"}_${isSmall ? "below_min_value" : "above_max_value"}`;
}
