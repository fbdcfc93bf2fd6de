/**
 * Tools as the model reads them: TypeScript-like signatures made of JSON Schema.
 *
 * What is printed is what openai-harmony prints, character for character, its oddities too, since the models were
 * trained on it: `default: celsius` of an enum without quotes at a property and with them in a top-level `oneOf`, a
 * description before the brace of an object, `anyOf` and `$ref` as `any`.
 * Source: openai/harmony, src/encoding.rs (`json_schema_to_typescript`, `template_tools_section`).
 */

import { jsonText } from "./json-text.ts";
import type { ToolNamespace } from "./messages.ts";

// Public API

/** The section `# Tools`, namespaces in the order of their names' bytes. */
export function toolsSection(namespaces: readonly ToolNamespace[]): string {
  const sorted = [...namespaces].sort((a, b) => compareCodePoints(a.name, b.name));
  return ["# Tools", ...sorted.map(namespaceSection)].join("\n\n");
}

/** The type that a JSON Schema describes. */
export function typeOf(schema: unknown, indent = ""): string {
  const oneOf = get(schema, "oneOf");
  if (Array.isArray(oneOf)) return oneOf.map((variant) => topVariant(variant, indent)).join("");
  const type = get(schema, "type");
  if (Array.isArray(type)) {
    const names = type.filter((each) => typeof each === "string").map((name) => (name === "integer" ? "number" : name));
    return names.length > 0 ? names.join(" | ") : "any";
  }
  switch (type) {
    case "object":
      return objectType(schema, indent);
    case "string": {
      const values = asList(get(schema, "enum")).filter((value) => typeof value === "string");
      return values.length > 0 ? values.map((value) => `"${value}"`).join(" | ") : "string";
    }
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array": {
      const items = get(schema, "items");
      return items === undefined ? "Array<any>" : `${typeOf(items, indent)}[]`;
    }
    default:
      return "any";
  }
}

// Implementation

function namespaceSection({ name, description, tools }: ToolNamespace): string {
  const lines = [`## ${name}\n`];
  for (const line of linesOf(description ?? "")) lines.push(tools.length > 0 ? `// ${line}` : line);
  if (tools.length > 0) {
    lines.push(`namespace ${name} {\n`);
    for (const tool of tools) {
      for (const line of linesOf(tool.description)) lines.push(`// ${line}`);
      const given = tool.parameters == null ? "" : `_: ${typeOf(tool.parameters)}`;
      lines.push(`type ${tool.name} = (${given}) => any;\n`);
    }
    lines.push(`} // namespace ${name}`);
  }
  return lines.join("\n");
}

function objectType(schema: unknown, indent: string): string {
  const description = get(schema, "description");
  let out = typeof description === "string" ? `${indent}// ${description}\n` : "";
  out += "{\n";
  const properties = get(schema, "properties");
  const required = new Set(asList(get(schema, "required")));
  for (const [key, value] of isRecord(properties) ? Object.entries(properties) : []) {
    if (value !== undefined) out += property(key, value, required.has(key), indent);
  }
  return `${out}${indent}}`;
}

function property(key: string, schema: unknown, required: boolean, indent: string): string {
  const [title, description, oneOf] = [get(schema, "title"), get(schema, "description"), get(schema, "oneOf")];
  let out = typeof title === "string" ? `${indent}// ${title}\n${indent}//\n` : "";
  if (oneOf === undefined && typeof description === "string") out += `${indent}// ${description}\n`;
  const examples = asList(get(schema, "examples"));
  if (examples.length > 0) {
    out += `${indent}// Examples:\n`;
    for (const example of examples) if (typeof example === "string") out += `${indent}// - "${example}"\n`;
  }
  const name = `${indent}${key}${required ? "" : "?"}:`;
  if (Array.isArray(oneOf)) return out + choice(name, schema, oneOf, indent);
  out += `${name} ${nullable(schema, typeOf(schema, `${indent}    `))},`;
  if (oneOf === undefined) out += trailing(defaultOf(schema, true));
  return `${out}\n`;
}

/** A property of several types, each on a line. */
function choice(name: string, schema: unknown, variants: readonly unknown[], indent: string): string {
  const description = get(schema, "description");
  const own = typeof description === "string" ? description : undefined;
  const above = own !== undefined && get(variants[0], "description") !== own;
  let out = above ? `${indent}// ${own}\n` : "";
  const standard = defaultOf(schema, true);
  if (standard !== undefined) out += `${indent}// ${standard}\n`;
  out += `${name}\n`;
  for (const [at, variant] of variants.entries()) {
    const said = get(variant, "description");
    const tells = typeof said === "string" && said !== own && !(at === 0 && above);
    const type = nullable(variant, typeOf(variant, `${indent}   `));
    out += `${indent} | ${type}${trailing(tells ? said : undefined, defaultOf(variant, true))}\n`;
  }
  return `${out}${indent},\n`;
}

/** One of several types that stand for a whole schema. */
function topVariant(variant: unknown, indent: string): string {
  const description = get(variant, "description");
  const type = nullable(variant, typeOf(variant, `${indent}   `));
  const said = typeof description === "string" ? description : undefined;
  return `\n${indent} | ${type}${trailing(said, defaultOf(variant, false))}`;
}

/** `default: …`. Texts stand in quotes, but for those of an enum where `bareEnums` says so. */
function defaultOf(schema: unknown, bareEnums: boolean): string | undefined {
  const value = get(schema, "default");
  if (value === undefined) return undefined;
  if (typeof value !== "string") return `default: ${jsonText(value)}`;
  const isEnum = asList(get(schema, "enum")).length > 0;
  if (!isEnum) return `default: "${value}"`;
  return `default: ${bareEnums ? value : jsonText(value)}`;
}

const nullable = (schema: unknown, type: string): string =>
  get(schema, "nullable") === true && !type.includes("null") ? `${type} | null` : type;

/** Comments behind a type. */
function trailing(...comments: readonly (string | undefined)[]): string {
  const given = comments.filter((each) => each !== undefined);
  return given.length > 0 ? ` // ${given.join(" ")}` : "";
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function get(schema: unknown, key: string): unknown {
  return isRecord(schema) && Object.hasOwn(schema, key) ? schema[key] : undefined;
}

/** Lines as Rust counts them: the last line break ends a line and begins none. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop()!;
  const ended = lines.map((line) => line.replace(/\r$/, ""));
  return last === "" ? ended : [...ended, last];
}

/** Order of UTF-8 bytes, which is that of code points and not that of JavaScript's units. */
function compareCodePoints(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let at = 0; at < Math.min(x.length, y.length); at++) {
    const difference = x[at]!.codePointAt(0)! - y[at]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}
