/**
 * The public face: every name that the package exports, with its signature, is written down in docs/api-report.txt.
 *
 * After an intended change: npm run api:update, and read the difference.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { apiReport, reportPath } = (await import(new URL("../../scripts/api-report.mjs", import.meta.url).href)) as {
  apiReport(): string;
  readonly reportPath: string;
};
const report = apiReport();

test("the report is the one that is written down", async () => {
  expect(report).toBe(await readFile(reportPath, "utf8"));
});

test("every value that an export has at run time is in it, and nothing private is", async () => {
  const { exports: entries } = JSON.parse(await readFile(`${root}package.json`, "utf8")) as {
    readonly exports: Readonly<Record<string, string | { readonly "tsxla-source": string }>>;
  };
  const sections = new Map(
    report.split(/^(tsxla\S*)\n=+$/m).flatMap((text, n, all) => (n % 2 === 1 ? [[text, all[n + 1] as string]] : [])),
  );
  let values = 0;
  for (const [entry, target] of Object.entries(entries)) {
    if (typeof target === "string") continue;
    const module = (await import(`${root}${target["tsxla-source"]}`)) as object;
    const own = sections.get(entry.replace(/^\./, "tsxla")) as string;
    // An entry that is re-exported whole has a section of its own.
    const whole = [...own.matchAll(/^export \* from "([^"]+)";$/gm)].map(
      ([, name = ""]) => sections.get(name) as string,
    );
    const section = [own, ...whole].join("\n");
    for (const name of Object.keys(module)) {
      values++;
      expect(section).toMatch(new RegExp(`^(?:function|class|const|abstract class) ${name}\\b`, "m"));
    }
  }
  expect(values).toBeGreaterThan(100);
  expect(report).not.toMatch(/#private|\bprivate\b|import\(/);
  // Methods that ops add stand with the tensor.
  expect(report).toMatch(/interface Tensor<in out A extends string> \{\n {2}cumSum\(along: A\): Tensor<A>;\n\}/);
});
