/**
 * Lets Node import this project's TypeScript, and a user's, as it stands: SWC turns each file into JavaScript.
 *
 * Outputs are kept under `.cache/typescript/`, or in the user's cache where the package is installed, by the hash of their
 * source, so a warm start reads files only and never loads SWC. Each output carries its source map, which is how traced
 * ops name their TypeScript line.
 *
 * Why not type stripping in Node itself: `using` is syntax that Node 20 and 22 don't know.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { register } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";
import "./suppressed-error.mjs";

const root = new URL("../", import.meta.url);

/** In a checkout the package's own name means its TypeScript; an installed package has JavaScript alone. */
const isCheckout = existsSync(new URL("dsl/index.ts", root));
const cacheDir = isCheckout
  ? fileURLToPath(new URL(".cache/typescript/", root))
  : join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tsxla/typescript/");
const options = JSON.parse(readFileSync(new URL(".swcrc", root), "utf8"));
const version = JSON.parse(readFileSync(new URL("package.json", root), "utf8")).dependencies["@swc/core"];

/** Node's `resolve` hook (https://nodejs.org/api/module.html#resolvespecifier-context-nextresolve). */
export function resolve(specifier, context, nextResolve) {
  if (!isCheckout || !/^tsxla(\/|$)/.test(specifier)) return nextResolve(specifier, context);
  return nextResolve(specifier, { ...context, conditions: [...context.conditions, "tsxla-source"] });
}

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
