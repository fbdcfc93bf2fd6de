/** `tsxla compare`: two traces, value by value, and the first that departs. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { InputError } from "../dsl/index.ts";
import { type Comparison, type ComparisonRow, compareTraces, type NameMap } from "../inference/index.ts";
import { number } from "./options.ts";
import { openTrace } from "./trace-file.ts";

// Public API

/** How to compare. */
export interface CompareOptions {
  readonly tolerance?: number;
  readonly names?: string;
  readonly json?: true;
}

export function compareCommand(command: Command): Command {
  return withComparison(command)
    .argument("<mine>", "a trace, safetensors")
    .argument("<reference>", "the trace to hold it against")
    .option("--json", "print one JSON object when done")
    .action((mine: string, reference: string, options: CompareOptions) => compareFiles(mine, reference, options));
}

/** Adds the options of a comparison. */
export function withComparison(command: Command): Command {
  return command
    .option(
      "--tolerance <t>",
      "how far a value may be off, in standard deviations of the reference's (0.001; with bf16 or f16, 0.25 for 99 % of it)",
      number,
    )
    .option("--names <file>", 'JSON, {"layers.{n}.attn": "NAME OF THE REFERENCE"}: what its values are called');
}

/** Prints a comparison. The exit code becomes 1 when a value departs. @throws InputError when nothing can be compared */
export async function compareFiles(mine: string, reference: string, options: CompareOptions): Promise<void> {
  const names = options.names === undefined ? undefined : await readNames(options.names);
  await using here = await openTrace(mine);
  await using there = await openTrace(reference);
  if (here.tokens !== undefined && there.tokens !== undefined && here.tokens !== there.tokens) {
    throw new InputError(
      "TRACE",
      `the traces are of different texts\n  ${mine}  ${here.tokens}\n  ${reference}  ${there.tokens}`,
      {
        mine: here.tokens,
        reference: there.tokens,
      },
    );
  }
  const width = Math.max(10, ...here.entries.map(({ name }) => name.length));
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  if (options.json === undefined) print(heading(width));
  const comparison = await compareTraces(here, there, {
    tolerance: options.tolerance,
    names,
    ...(options.json === undefined ? { onRow: (row: ComparisonRow) => print(line(row, width)) } : {}),
  });
  if (comparison.rows.length === 0) {
    const [own, other] = [here, there].map(({ entries }) =>
      entries
        .slice(0, 4)
        .map(({ name }) => name)
        .join(", "),
    );
    throw new InputError(
      "TRACE",
      `the traces have no value in common\n  ${mine}  ${own}, …\n  ${reference}  ${other}, …\n  hint  --names FILE says what is called how`,
    );
  }
  if (options.json === undefined) for (const each of conclusion(comparison)) print(each);
  else print(JSON.stringify({ mine, reference, ...comparison, first: comparison.first?.name ?? null }));
  if (comparison.first !== undefined) process.exitCode = 1;
}

// Implementation

function heading(width: number): string {
  const columns = ["max", "mean", "p50", "p90", "p99"].map((name) => name.padStart(8));
  return ` ${" activation".padEnd(width + 1)}  ${columns.join(" ")}  ${"cosine".padStart(9)}  shape`;
}

/** `!` marks what departs. */
function line({ name, departs, shape, axes, cosine, ...row }: ComparisonRow, width: number): string {
  const figures = [row.max, row.mean, row.p50, row.p90, row.p99].map((value) => short(value).padStart(8));
  const sizes = shape.map((size, n) => (axes?.[n] === undefined ? `${size}` : `${axes[n]} ${size}`));
  return `${departs ? "!" : " "} ${name.padEnd(width)}  ${figures.join(" ")}  ${cosine.toFixed(6).padStart(9)}  [${sizes.join(", ")}]`;
}

function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value).slice(0, 8);
  return value >= 0.01 && value < 10_000 ? value.toPrecision(3) : value.toExponential(1);
}

function conclusion({ rows, first, onlyHere, onlyReference, unlike }: Comparison): readonly string[] {
  const lines = [""];
  for (const { name, reference, reason } of unlike) lines.push(`not comparable: ${name} and ${reference}, ${reason}`);
  if (onlyHere.length > 0) lines.push(`only in mine (${onlyHere.length}): ${someOf(onlyHere)}`);
  if (onlyReference.length > 0) lines.push(`only in the reference (${onlyReference.length}): ${someOf(onlyReference)}`);
  if (first === undefined) {
    const worst = rows.reduce((most, row) => (row[row.measure] > most[most.measure] ? row : most));
    lines.push(
      `all ${rows.length} values agree; the largest difference is ${short(worst[worst.measure])} deviations, in ${worst.name}`,
    );
    return lines;
  }
  const before = rows.slice(0, rows.indexOf(first));
  const last = before.at(-1);
  const agree =
    last === undefined ? "nothing before it" : `the ${before.length} before it agree, the last is ${last.name}`;
  const place = first.worst.map((at, n) => `${first.axes?.[n] ?? "axis"} ${at}`).join(", ");
  const { here, reference } = first.notFinite;
  lines.push(
    `first to depart: ${first.name}${first.at === undefined ? "" : ` (${first.at})`}, by ${short(first[first.measure])} deviations, most at ${place}; ${agree}`,
  );
  if (here + reference > 0) lines.push(`  no numbers: ${here} of its elements in mine, ${reference} in the reference`);
  return lines;
}

function someOf(names: readonly string[]): string {
  return `${names.slice(0, 6).join(", ")}${names.length > 6 ? ", …" : ""}`;
}

async function readNames(path: string): Promise<NameMap> {
  const refuse = (reason: string, cause: unknown): never => {
    throw new InputError("NAMES", `${path} is no list of names: ${reason}`, { path }, { cause });
  };
  const text = await readFile(path, "utf8").catch((cause: Error) => refuse(cause.message, cause));
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch (cause) {
    return refuse(
      'it is to be JSON such as {"layers.{n}.attn": "model.layers.{n}.post_attention_layernorm.input"}',
      cause,
    );
  }
}
