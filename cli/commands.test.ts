import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "@jest/globals";
import { Command } from "commander";
import { importsOf } from "../tests/arrows.ts";
import { root, runCli } from "../tests/support/cli.ts";
import { commands } from "./commands.ts";

test("no command is loaded, and nothing of the library but errors, until one is asked for", () => {
  expect([...loadedWith("cli/main.ts")].toSorted()).toEqual([
    "cli/commands.ts",
    "cli/main.ts",
    "dsl/errors.ts",
    "dsl/location.ts",
  ]);
});

test.each(commands)(
  "$name, once it is loaded, is the command of that name, with what it can be told",
  async (listed) => {
    const fill = await listed.load();
    expect(fill.name).toBe(`${listed.name}Command`);
    const command = fill(new Command(listed.name), new AbortController().signal);
    expect(command.name()).toBe(listed.name);
    expect([...command.options, ...command.commands]).not.toEqual([]);
  },
);

test("help of all names each with its sentence; help of one is the same by both ways to ask, down to a part of it", async () => {
  const all = (await runCli(["help"])).stdout;
  expect(await runCli(["--help"])).toEqual({ code: 0, stdout: all, stderr: "" });
  const unwrapped = all.replaceAll(/\n {6,}/g, " ");
  for (const { name, description } of commands)
    expect(unwrapped).toMatch(new RegExp(`^ {2}${name} +${literal(description)}$`, "m"));
  const part = await runCli(["help", "golden", "check"]);
  expect(part).toEqual(await runCli(["golden", "check", "--help"]));
  expect(part).toMatchObject({ code: 0, stdout: expect.stringContaining("--execute") });
});

test("an unknown command is refused with the nearest known one", async () => {
  expect(await runCli(["prob"])).toEqual({
    code: 2,
    stdout: "",
    stderr: "error: unknown command 'prob'\n(Did you mean probe?)\n(--help says more)\n",
  });
});

/** The files that an import of one brings along. What `import()` brings comes later. */
function loadedWith(path: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const text = readFileSync(join(root, path), "utf8").replaceAll("import(", "later(");
  for (const { name, typeOnly } of importsOf(text)) {
    if (name.startsWith(".") && !typeOnly) loadedWith(relative(root, join(root, dirname(path), name)), seen);
  }
  return seen;
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
