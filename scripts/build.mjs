/**
 * Makes `dist/`: what the package carries instead of TypeScript. `npm pack` runs it; a checkout needs none of it.
 *
 *     node scripts/build.mjs [FOLDER]
 *
 * tsc writes JavaScript, declarations and source maps. What it leaves to do: names of imports in declarations, which
 * keep their `.ts`; sources of the maps, which must lie beside the JavaScript, because traced operations tell their own
 * code from a user's by its folder; and Python, which is copied.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { root, runScript, SetupError, setup } from "./setup.mjs";

/** Builds into `folder`, which is replaced when everything went well. */
export async function build(folder) {
  const next = `${folder}.${process.pid}`;
  rmSync(next, { recursive: true, force: true });
  try {
    emit(next);
    for (const path of filesOf(next)) {
      if (path.endsWith(".d.ts")) rewrite(path, (text) => text.replaceAll(tsImport, "$1.js$2"));
      if (path.endsWith(".js.map")) {
        // The text of a source is inside its map.
        rewrite(path, (text) =>
          JSON.stringify({ ...JSON.parse(text), sources: [basename(path).replace(/js\.map$/, "ts")] }),
        );
      }
    }
    copyPython(next);
    rmSync(folder, { recursive: true, force: true });
    renameSync(next, folder);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

/** Runs tsc; with `declarations` alone it makes no JavaScript. */
export function emit(folder, { declarations = false } = {}) {
  const more = declarations ? ["--emitDeclarationOnly"] : [];
  const args = [
    join(root, "node_modules/typescript/bin/tsc"),
    "-p",
    join(root, "tsconfig.build.json"),
    "--outDir",
    folder,
    ...more,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new SetupError(`tsc could not build the package:\n${stdout}${stderr}`);
}

/** A relative import of TypeScript, in a declaration. */
const tsImport = /((?:from|import\(|module|import) ?"\.{1,2}\/[^"]*)\.ts("\)?)/g;

/** What `tsxla setup` runs. */
const setupScripts = [
  "find-python.mjs",
  "python-environment.mjs",
  "run-programs.mjs",
  "setup-installed.mjs",
  "setup-lock.mjs",
  "setup-progress.mjs",
].map((name) => `scripts/${name}`);

function copyPython(folder) {
  mkdirSync(join(folder, "python-worker"), { recursive: true });
  const plain = (path) => !/__pycache__|\.pyc$|\.stamp$/.test(path);
  for (const name of ["src/tsxla_worker", "generated"]) {
    cpSync(join(root, "python-worker", name), join(folder, "python-worker", name), { recursive: true, filter: plain });
  }
  const lists = readdirSync(join(root, "python-worker")).filter((name) => /^requirements-.*\.(txt|lock)$/.test(name));
  for (const name of [...lists.map((list) => `python-worker/${list}`), ...setupScripts]) {
    cpSync(join(root, name), join(folder, name));
  }
  cpSync(join(root, "runtime-bridge/launch/launcher.py"), join(folder, "runtime-bridge/launch/launcher.py"));
}

function filesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function rewrite(path, change) {
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    await setup();
    await build(resolve(process.argv[2] ?? join(root, "dist")));
  });
}
