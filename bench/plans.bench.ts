/**
 * The best plan for GPT-OSS-20B and 120B on slices of every chip that is known: what fits, what bounds it, and on TPUs how long a
 * step should take by XLA's own estimates. Makes docs/plans.md; no chip is needed.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Progress } from "../cli/progress.ts";
import { parseTarget } from "../compiler/index.ts";
import { compileRequested, declareModel, ensurePlugin, stepRequest, Worker } from "../inference/index.ts";
import { formatBytes } from "../planning/format-bytes.ts";
import { type Plan, plan } from "../planning/plan.ts";
import { readOptions } from "./support/options.ts";

export const description = "the best plan for GPT-OSS on every chip, as docs/plans.md has it";

export async function bench(given: readonly string[]): Promise<void> {
  const options = { batch: 16, context: 2048, compiled: 2, only: "" };
  const { batch, context, compiled, only } = readOptions(given, options);
  const wanted = models.flatMap((model) => targets.map((spec) => ({ model, spec })));
  const isMade = ({ model, spec }: { readonly model: string; readonly spec: string }) =>
    `${model} ${spec}`.includes(only);
  const progress = new Progress();
  for (const name of ["tpu", "cuda"] as const) await ensurePlugin(name, (text) => progress.say(text));
  await using worker = await Worker.launch();
  const made = new Map<string, string>();
  for (const { model, spec } of wanted.filter(isMade)) {
    const target = parseTarget(spec);
    const request = stepRequest({ batch, length: context });
    const plans = await plan({
      target,
      request,
      declare: (own) => declareModel(model, own, { worker }),
      compile: (declared, own, lowered) => compileRequested(worker, declared, own, request, lowered),
      compiled,
      progress,
      signal: new AbortController().signal,
    });
    const row = rowOf(model, spec, plans[0] as Plan);
    made.set(`${model} ${spec}`, row);
    progress.say(row);
  }
  // With --only the other rows stay as they are in the page, which is read late, so that several runs can make it.
  const known = await rowsOf(page);
  const rows = wanted.flatMap(({ model, spec }) => made.get(`${model} ${spec}`) ?? known.get(`${model} ${spec}`) ?? []);
  const heading =
    "| model | chips | weights | mesh | held on each device | collectives | bound, ms | exchanges, ms | estimate, ms | model, ms | tokens/s |";
  const table = [heading, heading.replace(/[^|]+/g, " --- "), ...rows].join("\n");
  const text = `# Plans

A decode step of ${batch} texts with ${context} positions behind them: the best of the ${compiled} most promising plans, made by
\`npm run bench -- plans --batch ${batch} --context ${context} --compiled ${compiled}\`. Nothing of it has run on a chip.

- The **bound** is what memory or arithmetic can't be faster than.
- **Exchanges** are the collectives that the graph needs on the mesh, by their number and bytes (planning/predicted-collectives.ts).
- The **estimate**, by which plans are chosen for compiling, is both, and the trips of loops over experts (chips/shared-figures.ts).
- The **model** time is what XLA's cycle estimates and the traffic of its program come to (TPU only,
  planning/hlo/model-time.ts). Tokens a second follow from it, else from the estimate.

A row of several devices without collectives was not compiled, and is an estimate alone. One plan of each form
of weights is compiled before a second of any; \`tsxla compile --plan 8\` tries more for one slice.

${table}
`;
  await writeFile(page, text);
  console.log(table);
}

const page = fileURLToPath(new URL("../docs/plans.md", import.meta.url));

const models = ["gpt-oss-20b", "gpt-oss-120b"];

/** Small slices: what holds the smaller model, or an eighth of the larger. */
const targets = [
  "tpu:v3:2x2",
  "tpu:v4:2x2x1",
  "tpu:v4:2x2x2",
  "tpu:v5e:2x2",
  "tpu:v5e:2x4",
  "tpu:v5e:4x4",
  "tpu:v5p:2x2x1",
  "tpu:v6e:2x2",
  "tpu:v6e:2x4",
  "cuda:a100:1",
  "cuda:a100:4",
  "cuda:h100:1",
  "cuda:h100:4",
  "cuda:h100:8",
];

/** The rows of a page that was made before, by model and chips. */
async function rowsOf(path: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => /^\| gpt-oss/.test(line));
  return new Map(lines.map((line) => [line.split("|", 3).slice(1).join("").trim().replace(/ +/g, " "), line]));
}

function rowOf(model: string, spec: string, best: Plan): string {
  const collectives = Object.entries(best.collectives ?? {}).map(([kind, runs]) => `${runs} ${kind}`);
  const cells = best.fits
    ? [
        best.weights,
        best.mesh,
        formatBytes(best.held_bytes),
        collectives.join(", "),
        `${best.roofline_ms.toFixed(2)} (${best.bound_by})`,
        best.exchange_ms.toFixed(2),
        best.estimate_ms.toFixed(2),
        best.model_ms?.toFixed(2) ?? "",
        best.tokens_per_second.toFixed(0),
      ]
    : ["", "does not fit", formatBytes(best.held_bytes), "", "", "", "", "", ""];
  return `| ${[model, spec, ...cells].join(" | ")} |`;
}
