import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";

const here = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(here).filter((name) => name.endsWith(".ts"));
const sources = files.filter((name) => !/\.test(-d)?\.ts$/.test(name) && name !== "index.ts");

describe("every op", () => {
  test.each(sources)("of %s has its test beside it", (name) => {
    expect(files).toContain(`${basename(name, ".ts")}.test.ts`);
  });

  test.each(sources)("of %s is listed in the index", (name) => {
    expect(readFileSync(join(here, "index.ts"), "utf8")).toContain(`from "./${name}"`);
  });
});
