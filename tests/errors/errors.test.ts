/**
 * docs/errors.md lists every code that the code throws, with its class, and no other.
 *
 * Example run: npm run jest -- tests/errors
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { arrows } from "../arrows.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** `CODE Class`, for every error that is made with a literal code. */
function thrown(): Set<string> {
  const folders = Object.keys(arrows).filter((room) => !room.includes("/"));
  const made =
    /new (InputError|RuntimeFailure|ShapeError|WorkerUnavailable)\(\s*"([A-Z][A-Z_]+)"|\b(shapeError)\(\s*"([A-Z][A-Z_]+)"/g;
  const found = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(path))
      .flatMap((path) => [...readFileSync(join(root, folder, path), "utf8").matchAll(made)])
      .map(([, type, code, shape, shapeCode]) => (shape === undefined ? `${code} ${type}` : `${shapeCode} ShapeError`)),
  );
  return new Set(found);
}

/** The same, as the page has it. */
function documented(): Set<string> {
  const rows = readFileSync(join(root, "docs/errors.md"), "utf8").matchAll(/^\| (`[A-Z_`, ]+`) \| ([A-Za-z, ]+) \|/gm);
  return new Set(
    [...rows].flatMap(([, codes = "", classes = ""]) =>
      codes.split(", ").flatMap((code) => classes.split(", ").map((type) => `${code.replaceAll("`", "")} ${type}`)),
    ),
  );
}

test("every code that is thrown stands on the page of errors with its class", () => {
  const found = thrown();
  expect(found.size).toBeGreaterThan(100);
  expect([...found].filter((each) => !documented().has(each)).toSorted()).toEqual([]);
});

test("every code on the page is one that the code can throw", () => {
  const sources = Object.keys(arrows)
    .filter((room) => !room.includes("/"))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(path))
        .map((path) => readFileSync(join(root, folder, path), "utf8")),
    )
    .join("\n");
  const codes = new Set([...documented()].map((each) => each.split(" ")[0] as string));
  expect([...codes].filter((code) => !sources.includes(`"${code}"`))).toEqual([]);
});
