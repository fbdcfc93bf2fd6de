import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { Tensor } from "../tensor.ts";
import * as ops from "./index.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(here).filter((name) => name.endsWith(".ts"));
const sources = files.filter((name) => !/\.test(-d)?\.ts$/.test(name) && name !== "index.ts");
const tests = files
  .filter((name) => name.endsWith(".test.ts") && name !== "index.test.ts")
  .map((name) => readFileSync(join(here, name), "utf8"));

describe("every op", () => {
  test.each(sources)("of %s has its test beside it", (name) => {
    expect(files).toContain(`${basename(name, ".ts")}.test.ts`);
  });

  test.each(sources)("of %s is listed in the index", (name) => {
    expect(readFileSync(join(here, "index.ts"), "utf8")).toContain(`from "./${name}"`);
  });

  test.each(Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== "constructor"))(
    "is called by a test: .%s()",
    (name) => {
      expect(tests.some((text) => text.includes(`.${name}(`))).toBe(true);
    },
  );

  test.each(
    Object.entries(ops)
      .filter(([, value]) => typeof value === "function")
      .map(([name]) => name),
  )("that is a function is called by a test: %s()", (name) => {
    expect(tests.some((text) => text.includes(`${name}(`))).toBe(true);
  });
});
