/**
 * Which ops of the language tests have run, and how many texts they hold.
 *
 * A method of `Tensor` counts when a test file calls it itself, in a program that ran and whose numbers were right. The
 * reporter (coverage-reporter.mjs) adds the files up.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "../../dsl/graph.ts";
import { callOp } from "../../dsl/module.ts";
import * as ops from "../../dsl/ops/index.ts";
import { Tensor } from "../../dsl/tensor.ts";
import type { Graph } from "../../dsl/trace.ts";

/** Every method that ops add to tensors, and every op that is no method. */
export const allOps: ReadonlySet<string> = new Set([...methods(), ...opNames([ops, callOp])].sort());

/** What a body calls, by name, while it is traced. */
export function watch<R>(body: () => R): { readonly result: R; readonly called: ReadonlySet<string> } {
  const called = new Set<string>();
  watching = called;
  try {
    return { result: body(), called };
  } finally {
    watching = undefined;
  }
}

/** Notes a program that ran well. */
export function recordRun(graph: Graph, called: ReadonlySet<string>): void {
  const names = new Set(called);
  const visit = (scope: Scope) => {
    for (const node of scope.nodes) {
      if (node.location.file.endsWith(".test.ts") && !methodNames.has(node.op.name)) names.add(node.op.name);
      node.scopes.forEach(visit);
    }
  };
  visit(graph.scope);
  record({ covered: [...names].filter((name) => allOps.has(name)), programs: 1 });
}

/** Notes a text that a test compares with one that is written down. */
export function recordGolden(): void {
  record({ goldens: 1 });
}

let watching: Set<string> | undefined;
const methodNames = methods();

// A getter sees that a method is asked for and leaves no frame in the stack, which is where ops find their line.
for (const name of methodNames) {
  const { value } = Object.getOwnPropertyDescriptor(Tensor.prototype, name) as PropertyDescriptor;
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    get() {
      if (watching !== undefined && !watching.has(name) && askedByTest()) watching.add(name);
      return value;
    },
  });
}

/** Whether the line that reads the property stands in a test: ops use each other's methods. */
function askedByTest(): boolean {
  return (new Error().stack?.split("\n")[3] ?? "").includes(".test.ts");
}

function methods(): ReadonlySet<string> {
  return new Set(Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== "constructor"));
}

/** The names of ops among values: an op is what can be lowered. */
function opNames(among: unknown): string[] {
  if (typeof among !== "object" || among === null) return [];
  if ("lower" in among && "name" in among) return [among.name as string];
  return Object.values(among).flatMap(opNames);
}

function record(entry: { covered?: string[]; programs?: number; goldens?: number }): void {
  const folder = process.env.TSXLA_TEST_COVERAGE;
  if (folder === undefined) return;
  appendFileSync(join(folder, `${process.pid}.jsonl`), `${JSON.stringify({ ...entry, total: [...allOps] })}\n`);
}
