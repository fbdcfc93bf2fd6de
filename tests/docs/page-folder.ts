/** Walks a page of docs/ in a folder of its own inside the checkout, and holds its TypeScript to tsc at the end. */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { environmentFolder } from "../../runtime-bridge/launch/environment-paths.ts";
import { root } from "../support/cli.ts";
import { walkPage } from "./walk.ts";

// Public API

/** What the words of a page mean in a checkout. */
export const checkoutCommands: Readonly<Record<string, string>> = {
  "npx tsxla": `node ${join(root, "bin/tsxla.mjs")}`,
  "npx tsc": `node ${join(root, "node_modules/typescript/bin/tsc")}`,
  python: join(environmentFolder, "bin/python"),
};

export function readPage(name: string): Promise<string> {
  return readFile(join(root, `docs/${name}.md`), "utf8");
}

/** @returns the folder, with what the page's commands left there */
export async function walkInCheckout(name: string, page: string): Promise<string> {
  const folder = join(root, ".cache/docs", name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const tsconfig = { extends: "../../../tsconfig.json", include: ["*.ts"], exclude: [] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  await walkPage(page, { folder, commands: checkoutCommands, env: process.env });
  await promisify(execFile)("sh", ["-c", `${checkoutCommands["npx tsc"]} -p .`], { cwd: folder });
  return folder;
}
