/**
 * What the types cost: how many tsc instantiates, and how long it checks, for copies of a GPT-OSS layer.
 *
 * Counts are exact for a version of tsc and of the language, so they are the figures to track; times are tsc's own. The
 * layer is the one of dsl/types.test.ts. The first row, the language alone, is what nobody can go below.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { printTable, range } from "./support/table.ts";

export const description = "count what tsc instantiates for 0 to 100 copies of a GPT-OSS layer";

export async function bench(given: readonly string[]): Promise<void> {
  const { rounds } = readOptions(given, { rounds: 3 });
  const noise = watchNoise();
  const rows = [0, 1, 10, 50, 100].map((copies) => {
    const runs = Array.from({ length: rounds }, () => check(copies));
    const seconds = (of: (run: Check) => number) => range(runs.map(of), 2);
    return [
      copies === 0 ? "the language alone" : `and ${copies} ${copies === 1 ? "layer" : "layers"}`,
      String(runs[0]?.instantiations),
      seconds((run) => run.checkSeconds),
      seconds((run) => run.totalSeconds),
    ];
  });
  printTable(["", "instantiations", "check s", "total s"], rows);
  console.log(`\n${noise.report()}`);
}

interface Check {
  readonly instantiations: number;
  readonly checkSeconds: number;
  readonly totalSeconds: number;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs tsc on so many layers. */
function check(copies: number): Check {
  const folder = join(root, ".cache/type-bench", String(process.pid));
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, "layers.ts"), layers(copies));
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: "../../../tsconfig.json",
        compilerOptions: { noUnusedLocals: false },
        include: [],
        files: ["layers.ts"],
      }),
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", folder, "--extendedDiagnostics"], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stdout);
    const figure = (name: string) => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, "m").exec(stdout)?.[1]);
    return {
      instantiations: figure("Instantiations"),
      checkSeconds: figure("Check time"),
      totalSeconds: figure("Total time"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The layer of dsl/types.test.ts, so many times over, each in a block of its own. */
function layers(copies: number): string {
  const source = readFileSync(join(root, "dsl/types.test.ts"), "utf8");
  const imports = /^import \{[^}]*\} from "\.\/index\.ts";/m.exec(source)?.[0].replace("./", "../../../dsl/");
  const layer = source.slice(source.indexOf("const gptOssAxes"), source.indexOf('describe("a layer of GPT-OSS'));
  const blocks = Array.from({ length: copies }, () => `{\n${layer}\nvoid [attention, moe];\n}\n`);
  return [imports, "void axes;", ...blocks].join("\n");
}
