/**
 * Where the language's own code steps out of its types: all places, each with its reason.
 *
 * Public functions promise axes that only the trace knows; inside, tensors are untyped (`AnyTensor` in tensor.ts).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { parseSync } from "@swc/core";

const root = fileURLToPath(new URL(".", import.meta.url));

/** By file: how many escapes it has, and why they are sound. */
const escapes: Readonly<Record<string, readonly [count: number, reason: string]>> = {
  "for-chosen.ts": [2, "an entry lacks the axis that was picked along; the sum has the axes of what the body returns"],
  "graph.ts": [2, "an op reads attributes that its own method made, so a node need not know their type"],
  "loop-trip-count.ts": [1, "an op reads attributes that its own method made, so a node need not know their type"],
  "param.ts": [1, "a tree of declarations is walked node by node and keeps its form"],
  "trace.ts": [3, "inputs, weights and state have the axes that they are declared with"],
  "ops/barrier.ts": [1, "the result has the operand's axes"],
  "ops/control.ts": [5, "trees keep their form, and their leaves gain or lose the one axis that the signature says"],
  "ops/fp4.ts": [1, "the result has the operand's axes and the one given"],
  "ops/iota.ts": [3, "the result has the axes given"],
  "ops/random.ts": [1, "the result has the axes given, and those of the key but `key`"],
  "ops/raw.ts": [1, "the result has the axes that it is declared with"],
  "ops/whole.ts": [1, "the result has the operand's axes"],
};

test("the language's own code leaves its types only where this list says why", () => {
  const found = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(path))
    .map((path) => [path, escapesOf(readFileSync(join(root, path), "utf8")).length] as const)
    .filter(([, count]) => count > 0);
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(Object.entries(escapes).map(([path, [count]]) => [path, count])),
  );
  expect(found.reduce((all, [, count]) => all + count, 0)).toBeLessThanOrEqual(30);
});

test("every way out of the types is found, and none in comments, methods named any and assertions that keep the type", () => {
  expect(escapesOf("const a: any = 1; const b = x as never; const c = x as unknown as Tensor<string>;")).toEqual([
    "any",
    "as never",
    "as unknown as",
  ]);
  expect(escapesOf("function f<A>(x: unknown) { return [x as A, x as Tensor<A>, x as Without<A, 'b'>]; }")).toEqual([
    "as A",
    "as Tensor<…>",
    "as Without<…>",
  ]);
  expect(escapesOf("const f = (x) => <never>x; const g = list as any[];")).toEqual(["as never", "any"]);
  expect(
    escapesOf("// as never\n/* any */ const a = x.any('b'); const b = x as Value; const c = [x] as Tensor<string>[];"),
  ).toEqual([]);
});

/** The parts of a syntax tree that are looked at. */
interface Syntax {
  readonly type?: string;
  readonly kind?: string;
  readonly expression?: Syntax;
  readonly typeAnnotation?: Syntax;
  readonly typeName?: { readonly value?: string };
  readonly typeParams?: { readonly params: readonly Syntax[] } | null;
  readonly name?: { readonly value?: string };
}

/** Types with axes that an assertion can promise. */
const promises = ["Without", "With", "Loaded"];

function escapesOf(source: string): string[] {
  const found: string[] = [];
  const program = parseSync(source, { syntax: "typescript" });
  const parameters = new Set<string>();
  visit(program, (node) => {
    if (node.type === "TsTypeParameter") parameters.add(node.name?.value ?? "");
  });
  visit(program, (node) => {
    if (node.type === "TsKeywordType" && node.kind === "any") found.push("any");
    if (node.type !== "TsAsExpression" && node.type !== "TsTypeAssertion") return;
    const to = node.typeAnnotation;
    const from = node.expression;
    if (to?.kind === "never") found.push("as never");
    else if (from?.type === "TsAsExpression" && from.typeAnnotation?.kind === "unknown") found.push("as unknown as");
    else if (to?.type === "TsTypeReference") {
      const name = to.typeName?.value ?? "";
      const [argument] = to.typeParams?.params ?? [];
      if (parameters.has(name)) found.push(`as ${name}`);
      else if (promises.includes(name) || (name === "Tensor" && argument?.kind !== "string"))
        found.push(`as ${name}<…>`);
    }
  });
  return found;
}

function visit(node: unknown, see: (node: Syntax) => void): void {
  if (typeof node !== "object" || node === null) return;
  see(node as Syntax);
  for (const each of Object.values(node)) visit(each, see);
}
