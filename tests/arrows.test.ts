import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { arrows, findBroken, importsOf } from "./arrows.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function sourcesBelow(folders: readonly string[]): Map<string, string> {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

test("every import follows an arrow, and no files import each other in a circle", () => {
  const sources = sourcesBelow(Object.keys(arrows));
  expect(sources.size).toBeGreaterThan(20);
  expect(findBroken(sources)).toEqual([]);
});

test("each rule, broken in a made-up tree, is reported with the file that breaks it", () => {
  const broken = new Map([
    ["dsl/a.ts", 'import { b } from "./b.ts";\n'],
    ["dsl/b.ts", 'export { c } from "./c.ts";\n'],
    ["dsl/c.ts", 'const a = await import("./a.ts");\n'],
    ["dsl/up.ts", 'import { emit } from "../compiler/emit.ts";\n'],
    ["dsl/pure.ts", 'import { readFileSync } from "node:fs";\nconst home = process.env.HOME;\n'],
    ["compiler/emit.ts", 'import type { Worker } from "../runtime-bridge/worker.ts";\n'],
    ["models/llama.ts", 'import { axes } from "tsxla";\nimport { lower } from "tsxla/compiler";\n'],
    [
      "runtime-bridge/worker.ts",
      'import { dtypes } from "../dsl/dtype.ts";\nimport { helper } from "./worker.test.ts";\n',
    ],
    ["proto/generated/worker.ts", 'import "../../dsl/a.ts";\n'],
    ["inference/text/tokenizer.ts", 'import type { Model } from "../model.ts";\n'],
    ["inference/index.ts", 'export { runJob } from "../jobs/run-job.ts";\n'],
    ["inference/model.ts", 'import { runJob } from "../jobs/run-job.ts";\n'],
    ["inference/answers/generate.ts", 'import { show } from "../../bench/show.ts";\n'],
  ]);
  expect(findBroken(broken)).toEqual([
    "dsl/up.ts imports compiler/emit.ts: no arrow leads from dsl/ to compiler/",
    "dsl/pure.ts imports node:fs: dsl/ knows no Node",
    "dsl/pure.ts uses process: dsl/ knows no Node",
    "compiler/emit.ts imports runtime-bridge/worker.ts: no arrow leads from compiler/ to runtime-bridge/",
    "models/llama.ts imports compiler/index.ts: no arrow leads from models/ to compiler/",
    "runtime-bridge/worker.ts imports runtime-bridge/worker.test.ts: a test is imported by tests only",
    "proto/generated/worker.ts imports dsl/a.ts: no arrow leads from proto/ to dsl/",
    "inference/text/tokenizer.ts imports inference/model.ts: no arrow leads from inference/text/ to inference/",
    "inference/model.ts imports jobs/run-job.ts: no arrow leads from inference/ to jobs/",
    "inference/answers/generate.ts imports bench/show.ts: no arrow leads from inference/answers/ to bench/",
    "a circle of imports: dsl/a.ts → dsl/b.ts → dsl/c.ts → dsl/a.ts",
  ]);
});

test("arrows are transitive, and tests are exempt", () => {
  const good = new Map([
    ["cli/main.ts", 'import { dtypes } from "../dsl/dtype.ts";\n'],
    ["dsl/add.test.ts", 'import { lower } from "../compiler/lower.ts";\nimport "node:fs";\n'],
    ["dsl/b.ts", 'import { a } from "./a.ts";\n'],
  ]);
  expect(findBroken(good)).toEqual([]);
});

test("a circle that only types close is reported", () => {
  const circle = new Map([
    ["dsl/a.ts", 'import type { B } from "./b.ts";\n'],
    ["dsl/b.ts", 'import { a } from "./a.ts";\n'],
  ]);
  expect(findBroken(circle)).toEqual(["a circle of imports: dsl/a.ts → dsl/b.ts → dsl/a.ts"]);
});

test("imports are found in every form, and not in comments or in words that look like them", () => {
  const source = `
    /* import "./comment.ts" */ // import "./line.ts"
    import fs, { type Stats } from 'node:fs';
    import type { T } from "./t.ts";
    import "./side.ts";
    export * from "./all.ts";
    export { a, b as c } from "./some.ts";
    export type { U } from "./u.ts";
    const url = "https://x//"; const text = 'import "./no.ts"'; const lazy = import("./lazy.ts");
    import {
      d,
      e,
    } from "./lines.ts";
  `;
  expect(importsOf(source).map(({ name, typeOnly }) => (typeOnly ? `type ${name}` : name))).toEqual([
    "node:fs",
    "type ./t.ts",
    "./side.ts",
    "./all.ts",
    "./some.ts",
    "type ./u.ts",
    "./lines.ts",
    "./lazy.ts",
  ]);
});
