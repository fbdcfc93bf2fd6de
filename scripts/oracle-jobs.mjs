/**
 * `npm run oracle:jobs`: OpenAI's client, transformers and openai-harmony on the batch format.
 *
 *     npm run oracle:jobs                         makes tests/jobs/fixtures anew
 *     npm run oracle:jobs -- templates FOLDER     compares chats by all the templates (*.jinja) of a folder, live
 *
 * The environment is .oracle-jobs-venv (./oracle-environment.mjs).
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { oraclePython, root, run } from "./oracle-environment.mjs";

const folder = join(root, "tests", "jobs");
const python = oraclePython({
  folder: ".oracle-jobs-venv",
  pins: [{ file: join(folder, "oracle-requirements.txt") }],
  note: "about 200 MB",
});
const ranks = dirname(createRequire(import.meta.url).resolve("gpt-tokenizer/data/o200k_base.tiktoken"));
const env = { TIKTOKEN_ENCODINGS_BASE: ranks, JOBS_PYTHON: python };
if (argv[2] === "templates") {
  const loader = new URL("../bin/typescript-loader.mjs", import.meta.url).href;
  run(process.execPath, ["--import", loader, join(folder, "live-templates.ts"), argv[3] ?? "."], env);
} else run(python, [join(folder, "make_fixtures.py")], env);
