/**
 * `npm run oracle:harmony`: openai-harmony against tsxla/harmony, on conversations made at random.
 *
 *     npm run oracle:harmony                    5000 conversations of a fresh seed, live
 *     npm run oracle:harmony -- 200 7           200 of seed 7
 *     npm run oracle:harmony -- fixture         makes tests/harmony/fixtures anew
 *
 * The environment is .oracle-harmony-venv (./oracle-environment.mjs); openai-harmony finds its ranks in a package that
 * tsxla has anyway, so nothing is fetched besides.
 */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { oraclePython, root, run } from "./oracle-environment.mjs";

const folder = join(root, "tests", "harmony");
const python = oraclePython({
  folder: ".oracle-harmony-venv",
  pins: [{ file: join(folder, "oracle-requirements.txt") }],
  note: "about 40 MB",
});
const ranks = dirname(createRequire(import.meta.url).resolve("gpt-tokenizer/data/o200k_base.tiktoken"));
const env = { TIKTOKEN_ENCODINGS_BASE: ranks, HARMONY_PYTHON: python };
const [what = "5000", seed = String(Date.now() % 1e6)] = argv.slice(2);
if (what === "fixture") run(python, [join(folder, "oracle.py"), "fixture"], env);
else {
  const loader = new URL("../bin/typescript-loader.mjs", import.meta.url).href;
  run(process.execPath, ["--import", loader, join(folder, "live.ts"), what, seed], env);
}
