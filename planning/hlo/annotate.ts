/** A source file with what each of its lines costs. */

import type { Chip } from "../../chips/chip.ts";
import { InputError } from "../../dsl/errors.ts";
import { type AttributedLine, attribute, type LineCost } from "./attribution.ts";
import { modelTime, type TimeOptions } from "./model-time.ts";
import type { HloModule } from "./module.ts";

// Public API

/** A file as its operations' locations name it, such as `models/gpt-oss.ts`, and what it holds. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/**
 * The file with the model time, HBM traffic and collectives of each line beside it. Below stand the lines of other files,
 * what belongs to no line, and the sum, which is the whole program's; ./attribution.ts has the rules.
 *
 * @param chip  what one device has: `perDevice(chip)`
 * @throws InputError when no operation of the module comes from the file, with the files from which some do
 */
export function annotate(source: Source, module: HloModule, chip: Chip, options: TimeOptions = {}): string {
  const time = modelTime(module, chip, options);
  const { lines, unattributed, waitingSeconds, total } = attribute(module, time);
  const own = new Map(lines.filter(({ file }) => file === source.path).map((each) => [each.line, each]));
  if (own.size === 0) throw foreign(source.path, lines);
  const text = source.text.replace(/\n$/, "").split("\n");
  // A line behind the end is the file's, but of another version of it.
  const beyond = [...own.values()].filter(({ line }) => line > text.length);
  const others = [...lines.filter(({ file }) => file !== source.path), ...beyond];
  const rest: readonly (readonly [LineCost, string])[] = [
    ...others.map((each) => [each, `${each.file}:${each.line}`] as const),
    [unattributed, "no line: made by the compiler"],
    [{ seconds: waitingSeconds, bytes: 0, collectives: new Map() }, "no line: waiting for asynchronous copies"],
  ];
  const table = new Columns([...lines, unattributed, total], total);
  const digits = String(text.length).length;
  return [
    `${table.heading}  ${" ".repeat(digits)}  ${source.path}, model time on one device of a ${chip.name}`,
    ...text.map((line, n) => `${table.row(own.get(n + 1))}  ${String(n + 1).padStart(digits)}  ${line}`.trimEnd()),
    "",
    ...rest
      .filter(([cost]) => cost.seconds > 0 || cost.bytes > 0)
      .map(([cost, label]) => `${table.row(cost)}  ${label}`),
    `${table.row(total)}  in all`,
    "",
  ].join("\n");
}

// Implementation

class Columns {
  readonly heading: string;
  readonly #width: number;
  readonly #total: LineCost;

  constructor(costs: readonly LineCost[], total: LineCost) {
    this.#total = total;
    this.#width = Math.max("collectives".length, ...costs.map((each) => listOf(each).length));
    this.heading = this.#cells("ms", "share", "HBM MB", "collectives");
  }

  /** Blank for a line that costs nothing. */
  row(cost: LineCost | undefined): string {
    if (cost === undefined) return " ".repeat(this.heading.length);
    const share = `${((100 * cost.seconds) / this.#total.seconds || 0).toFixed(1)}%`;
    return this.#cells((cost.seconds * 1e3).toFixed(3), share, (cost.bytes / 1e6).toFixed(3), listOf(cost));
  }

  #cells(milliseconds: string, share: string, megabytes: string, collectives: string): string {
    return `${milliseconds.padStart(9)} ${share.padStart(7)} ${megabytes.padStart(11)}  ${collectives.padEnd(this.#width)}`;
  }
}

function listOf({ collectives }: LineCost): string {
  return [...collectives].map(([kind, runs]) => `${runs} ${kind}`).join(", ");
}

function foreign(path: string, lines: readonly AttributedLine[]): InputError {
  const files = [...new Set(lines.map(({ file }) => file))];
  const found = files.length === 0 ? "the module names no source lines" : `operations come from ${files.join(", ")}`;
  return new InputError("ANNOTATE_SOURCE", `no operation of the module comes from '${path}'; ${found}`, {
    path,
    files,
  });
}
