/**
 * `npm run oracle:jobs`: makes tests/jobs/fixtures anew with OpenAI's client, transformers and openai-harmony.
 *
 * The environment is .oracle-jobs-venv (./oracle-environment.mjs).
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { oraclePython, root, run } from "./oracle-environment.mjs";

const folder = join(root, "tests", "jobs");
const python = oraclePython({
  folder: ".oracle-jobs-venv",
  pins: [{ file: join(folder, "oracle-requirements.txt") }],
  note: "about 200 MB",
});
const ranks = dirname(createRequire(import.meta.url).resolve("gpt-tokenizer/data/o200k_base.tiktoken"));
run(python, [join(folder, "make_fixtures.py")], { TIKTOKEN_ENCODINGS_BASE: ranks });
