/**
 * `npm run oracle`: makes tests/parity/fixtures anew with transformers, in an environment of its own.
 *
 * Options are forwarded to tests/parity/make_fixtures.py (`npm run oracle -- --only random`). The environment is
 * .oracle-venv (./oracle-environment.mjs).
 */
import { join } from "node:path";
import { argv } from "node:process";
import { oraclePython, root, run } from "./oracle-environment.mjs";

const parity = join(root, "tests", "parity");
const python = oraclePython({
  folder: ".oracle-venv",
  pins: [
    { file: join(parity, "oracle-requirements.txt") },
    { file: join(parity, "oracle-weights.txt"), how: ["--no-deps"] },
  ],
  note: "about 5 GB on Linux",
});
run(python, [join(parity, "make_fixtures.py"), ...argv.slice(2)]);
