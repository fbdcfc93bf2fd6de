import { expect, test } from "@jest/globals";
import { lower } from "../../compiler/index.ts";
import { InputError } from "../../dsl/index.ts";
import goldens from "../../tests/golden/parts.golden.ts";
import { sampleProgram } from "../../tests/support/sample-program.ts";
import { walk } from "../difference/walk.ts";
import { lowerIt } from "../lowerable.ts";
import { withoutLocations } from "./locations.ts";
import type { FunctionText, Operation } from "./module.ts";
import { readModule } from "./read-module.ts";

test.each(Object.entries(goldens))("%s is read with all that its lines say", (name, golden) => {
  const { text, plainText } = lowerIt(golden, name);
  const module = readModule(plainText, name);
  const lines = plainText.trimEnd().split("\n");
  const told = new Set<number>();
  for (const func of module.functions) {
    for (const { operation } of walk(func).steps) {
      told.add(operation.line);
      expect(squeezed(lines[operation.line - 1] as string)).toContain(squeezed(rewritten(operation)));
    }
  }
  // What is left are the lines of modules, functions and regions.
  const rest = lines.filter((_, n) => !told.has(n + 1)).map((line) => line.trim());
  expect(rest.filter((line) => !/^(module|func\.func|\}|\^bb0|cond \{)/.test(line))).toEqual([]);
  // With locations it says the same, and where from.
  const located = readModule(text, name);
  expect(JSON.stringify(located, forComparison)).toBe(JSON.stringify(module, forComparison));
  expect(withoutLocations(text)).toBe(plainText);
  const places = located.functions.flatMap((func) => walk(func).steps.map(({ operation }) => operation.place));
  expect(places.filter((place) => place?.line !== undefined).length).toBeGreaterThan(places.length / 2);
});

test("values are found by who makes them, in regions as well", () => {
  const module = readModule(
    `module @"two words" {
  func.func public @main(%arg0: tensor<2xf32> {tf.aliasing_output = 0 : i32} loc("x, (y)")) -> (tensor<2xf32>, tensor<i32>) {
    %0:2 = "stablehlo.sort"(%arg0, %arg0) <{dimension = 0 : i64, is_stable = true}> ({
    ^bb0(%arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<f32>, %arg4: tensor<f32>):
      %1 = stablehlo.compare LT, %arg1, %arg2, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %1 : tensor<i1>
    }) : (tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
    %c = stablehlo.constant dense<7> : tensor<i32>
    return %0#1, %c : tensor<2xf32>, tensor<i32>
  }
}
`,
    "a text",
  );
  const [main] = module.functions;
  expect(module.name).toBe("two words");
  expect(main?.arguments).toMatchObject([
    { attributes: "tf.aliasing_output = 0 : i32", place: { name: "x, (y)" }, value: { type: "tensor<2xf32>" } },
  ]);
  const [sort, constant] = (main as FunctionText).body.operations as [Operation, Operation];
  expect(main?.body.terminator.operands.map(({ maker, index }) => [maker?.kind, index])).toEqual([
    ["stablehlo.sort", 1],
    ["stablehlo.constant", 0],
  ]);
  expect(sort.regions[0]?.operations[0]?.operands).toEqual(sort.regions[0]?.arguments.slice(0, 2));
  expect(constant).toMatchObject({ form: "dense<7>", types: "tensor<i32>", line: 8 });
});

test("names of modules, arguments and composites may be any text", () => {
  const program = lower(sampleProgram());
  expect(readModule(program.text, "sample").functions[0]?.name).toBe("main");
});

test.each([
  ["", "a module begins with"],
  ["module @a {\n  func.func @f() {\n", "the text ends inside the module"],
  [
    "module @a {\n  func.func @f() {\n    %0 = stablehlo.add %1, %1 : tensor<f32>\n    return\n  }\n}\n",
    "%1 is used before it is made",
  ],
  [
    "module @a {\n  func.func @f() {\n    <<<<<<< ours\n    return\n  }\n}\n",
    "this is no operation as MLIR prints one",
  ],
  ["module @a {\n  func.func @f() {\n    return\n  }\n}\nmodule @b {\n}\n", "nothing stands below the module"],
])("a text that cannot be read is refused with its line: %j", (text, wanted) => {
  expect(() => readModule(text, "file.mlir")).toThrow(InputError);
  expect(() => readModule(text, "file.mlir")).toThrow(wanted);
  expect(() => readModule(text, "file.mlir")).toThrow(/^file\.mlir:\d+: /);
});

/** An operation's line, made again of what was read. */
function rewritten({ kind, form, operands, types, results }: Operation): string {
  let next = 0;
  const filled = form.replaceAll(/"(?:[^"\\]|\\.)*"|_(?![\w])/g, (found) =>
    found === "_" ? (operands[next++]?.name ?? "?") : found,
  );
  expect(next).toBe(operands.length);
  expect(results.every(({ type }) => types.includes(type))).toBe(true);
  if (kind === "stablehlo.while") return types;
  if (form.startsWith("(_") && kind === "stablehlo.sort") return `${kind}"${filled}`;
  return `${kind} ${filled}`;
}

/** Quotes around a kind, and spaces, are MLIR's way of writing. */
const squeezed = (text: string): string => text.replaceAll(/[\s"]/g, "");

/** Locations make lines longer and more. */
const forComparison = (key: string, value: unknown) =>
  ["place", "line", "maker", "operands", "results"].includes(key) && typeof value !== "string" ? undefined : value;
