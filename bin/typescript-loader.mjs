/**
 * Lets Node import this project's TypeScript, and a user's, as it stands: SWC turns each file into JavaScript.
 *
 * Outputs are kept under `.cache/typescript/` by the hash of their source, so a warm start reads files only and
 * never loads SWC. Each output carries its source map, which is how traced ops name their TypeScript line.
 *
 * Why not type stripping in Node itself: `using` is syntax that Node 20 and 22 don't know.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";
import "./suppressed-error.mjs";

const root = new URL("../", import.meta.url);
const cacheDir = fileURLToPath(new URL(".cache/typescript/", root));
const options = JSON.parse(readFileSync(new URL(".swcrc", root), "utf8"));
const version = JSON.parse(readFileSync(new URL("package.json", root), "utf8")).dependencies["@swc/core"];

/** Node's `load` hook (https://nodejs.org/api/module.html#loadurl-context-nextload). */
export async function load(url, context, nextLoad) {
  if (!url.startsWith("file:") || !/\.m?ts(\?|$)/.test(url)) return nextLoad(url, context);
  const path = fileURLToPath(url.split("?")[0]);
  const source = readFileSync(path, "utf8");
  const key = createHash("sha256")
    .update(JSON.stringify([version, options, path, source]))
    .digest("hex")
    .slice(0, 32);
  const cached = `${cacheDir}${key}.mjs`;
  let code;
  try {
    code = readFileSync(cached, "utf8");
  } catch {
    const { transformSync } = await import("@swc/core");
    code = transformSync(source, {
      ...options,
      swcrc: false,
      configFile: false,
      filename: path,
      sourceFileName: pathToFileURL(path).href,
      sourceMaps: "inline",
    }).code;
    try {
      mkdirSync(cacheDir, { recursive: true });
      // Written aside and renamed, so that two processes that start together never read half a file.
      writeFileSync(`${cached}.${process.pid}`, code);
      renameSync(`${cached}.${process.pid}`, cached);
    } catch {
      // A read-only checkout only loses the cache.
    }
  }
  return { format: "module", source: code, shortCircuit: true };
}

if (isMainThread) {
  process.setSourceMapsEnabled(true);
  register(import.meta.url);
}
