/**
 * The package as somebody else has it: packed, installed into an empty folder, used from JavaScript and TypeScript.
 *
 * Example run: npm run jest -- tests/packed/
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import picomatch from "picomatch";
import { environmentFolder } from "../../runtime-bridge/launch/environment-paths.ts";
import { commandsOf, fileOf, walkPage } from "../docs/walk.ts";
import { environmentOf, readDockerfile, replayStage, type Stage } from "../support/dockerfile.ts";
import { exhaustive } from "../support/exhaustive.ts";
import "../support/needs-python.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;
let project: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tsxla-packed-"));
  project = join(folder, "project");
  // With its scripts: packing is what builds it.
  const packed = await run("npm", ["pack", "--pack-destination", folder], { npm_config_ignore_scripts: "false" }, root);
  expect(packed).toMatchObject({ code: 0 });
  await cp(new URL("project", import.meta.url), project, { recursive: true });
  const { beginning } = await readPage();
  await walkPage(beginning, { folder: project, env: cleanEnvironment() });
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** docs/golden.md: up to its first check, which installs the package and writes a layer, and the rest. */
async function readPage(): Promise<{ readonly beginning: string; readonly rest: string }> {
  const page = await readFile(join(root, "docs/golden.md"), "utf8");
  const at = page.search(/^```console\n\$ npx tsc/m);
  return { beginning: page.slice(0, at), rest: page.slice(at) };
}

test(exhaustive(
  "docs/golden.md, walked from an empty folder, says what happens: a layer is pinned, broken, told and mended",
), async () => {
  const { beginning, rest } = await readPage();
  expect(commandsOf(beginning)).toHaveLength(1);
  expect(commandsOf(rest)).toEqual(expect.arrayContaining(["npm test -- --ci", "npx tsxla golden check goldens"]));
  await walkPage(rest, { folder: project, env: cleanEnvironment() });
}, 240_000);

test("it carries no TypeScript but declarations, no test and nothing of the checkout's tools", async () => {
  const installed = join(project, "node_modules/tsxla");
  const files = (await readdir(installed, { recursive: true })).map(String);
  expect(files.filter((path) => /(?<!\.d)\.ts$|\.test\.|__pycache__|^tests|^bench/.test(path))).toEqual([]);
  const { scripts, exports: entries } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
    readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  };
  expect(Object.keys(scripts).filter((name) => /install/.test(name))).toEqual([]);
  for (const entry of Object.values(entries)) {
    for (const path of typeof entry === "string" ? [entry] : [entry.types, entry.default]) {
      expect(files).toContain(path.slice(2));
    }
  }
});

test("TypeScript checks a project that uses it, declarations of libraries included", async () => {
  await edit("tsconfig.json", '"strict": true', '"strict": true, "skipLibCheck": false');
  expect(await run("node", ["node_modules/typescript/bin/tsc", "-p", "."])).toEqual({ code: 0, output: "" });
  await edit("layer.ts", 'h.dot(w.gate, "embed")', 'h.dot(w.gate, "mlp")');
  const { code, output } = await run("node", ["node_modules/typescript/bin/tsc", "-p", "."]);
  expect(output).toMatch(
    /layer\.ts\(\d+,\d+\): error TS2345: .*'"mlp"' is not assignable to parameter of type '"embed"'/,
  );
  expect(code).not.toBe(0);
  await edit("layer.ts", 'h.dot(w.gate, "mlp")', 'h.dot(w.gate, "embed")');
});

test("an architecture from scratch, as its page has it, fits the declarations and compiles to text", async () => {
  const page = await readFile(join(root, "docs/an-architecture-from-scratch.md"), "utf8");
  for (const name of ["gpt2.ts", "config.json"]) await writeFile(join(project, name), fileOf(page, name));
  expect(await run("node", ["node_modules/typescript/bin/tsc", "-p", "."])).toEqual({ code: 0, output: "" });
  const words = ["compile", "--model", "config.json", "--arch", "gpt2.ts", "--length", "128", "--text-only"];
  const { code, output } = await run("npx", ["tsxla", ...words]);
  expect(output).toMatch(/^architecture +gpt2$/m);
  expect(code).toBe(0);
});

test("a program in plain JavaScript lowers a graph, and its mistakes name its own lines", async () => {
  const { code, output } = await run("node", ["plain.mjs"]);
  expect(output).toMatch(/^module @double \{\n {2}func\.func public @main\(%arg0: tensor<2x3xf32>\)/);
  expect(output).toMatch(/ShapeError AXIS_MISSING operand +x +f32 \[pos 2\] +\S*plain\.mjs:9:\d+\n$/);
  expect(code).toBe(0);
});

test("a program starts a worker in the environment that TSXLA_VENV names; without one it says what to run", async () => {
  expect(await run("node", ["worker.mjs"], { TSXLA_VENV: environmentFolder })).toEqual({ code: 0, output: "2 4 7\n" });
  const cache = { XDG_CACHE_HOME: join(folder, "cache"), TSXLA_VENV: "" };
  expect((await run("node", ["worker.mjs"], cache)).output).toMatch(
    /^SETUP_MISSING there is no Python at .*cache\/tsxla\/python-[0-9a-f]{12}\/bin\/python: run `npx tsxla setup`/,
  );
  const { code, output } = await run("npx", ["tsxla", "setup", "--check"], cache);
  expect(output).toMatch(/^Missing: the Python environment .*cache\/tsxla\/python-/);
  expect(code).toBe(1);
  const { output: found } = await run("npx", ["tsxla", "doctor"], { TSXLA_VENV: environmentFolder });
  expect(found).toMatch(/^ok {4}npm packages +\d+ in their pinned versions$/m);
  expect(found).toMatch(/^ok {4}python packages +\d+ in their pinned versions$/m);
  expect(found).toMatch(/^ok {4}made by set-up +/m);
  expect(found).toMatch(/^ok {4}a program /m);
}, 120_000);

test("deploy/tsxla makes of it a tsxla on the PATH, and a package that a program finds from any folder", async () => {
  const [context, imageRoot] = [join(folder, "context"), join(folder, "image")];
  const ignored = await readFile(join(root, "deploy/tsxla/Dockerfile.dockerignore"), "utf8");
  const seen = ignored.split("\n").flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
  const packed = (await readdir(folder)).filter((name) => picomatch.isMatch(name, seen));
  await mkdir(context);
  for (const name of packed) await cp(join(folder, name), join(context, name));
  for (const name of seen) if (existsSync(join(root, name))) await cp(join(root, name), join(context, name));

  const { stages } = await readDockerfile(join(root, "deploy/tsxla/Dockerfile"));
  const [packageStage, image] = stages as [Stage, Stage];
  await replayStage(packageStage, { context, imageRoot, env: cleanEnvironment() });
  const { PATH = "" } = environmentOf(image);
  const env = { PATH: `${imageRoot}${PATH.replace("$PATH", process.env.PATH ?? "")}`, TSXLA_VENV: environmentFolder };
  const work = join(imageRoot, "some/folder");
  await mkdir(work, { recursive: true });

  expect(await run("tsxla", ["--help"], env, work)).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^Usage: tsxla .*\n {2}pull +Fetches a model from the Hugging Face hub/s),
  });
  expect(await run("tsxla", ["pull", "--help"], env, work)).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^Usage: tsxla pull \[options\] <repository>/),
  });
  expect(await run("tsxla", ["setup", "--check"], env, work)).toMatchObject({ code: 0 });
  await writeFile(join(work, "where.mjs"), 'import { axes } from "tsxla";\nconsole.log(axes({ pos: 2 }).pos.size);\n');
  expect(await run("node", ["where.mjs"], env, work)).toEqual({ code: 0, output: "2\n" });
  const installed = await readdir(join(imageRoot, "node_modules/tsxla/node_modules"));
  expect(installed).toContain("commander");
  expect(installed).not.toContain("jest");
}, 120_000);

/** Not what this test run was told: colours, Jest's worker, npm's own variables. No package needs its install script. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|JEST_|FORCE_COLOR|NODE_OPTIONS|CI$)/.test(name));
  const npm = { npm_config_ignore_scripts: "true", npm_config_prefer_offline: "true", npm_config_audit: "false" };
  return { ...Object.fromEntries(kept), ...npm };
}

/** Runs a program in the project; what it says on both streams. */
function run(
  command: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = project,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(command, words, { cwd, env: { ...cleanEnvironment(), ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}

async function edit(file: string, from: string, to: string): Promise<void> {
  const path = join(project, file);
  const text = await readFile(path, "utf8");
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  await writeFile(path, text.replace(from, to));
}
