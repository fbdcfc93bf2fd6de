/**
 * Two traces of one model, value by value: where they differ, by how much, and which value is the first that departs.
 *
 * A value is found in the other trace by any of its names; a program's own order says what comes first. Differences are
 * told in standard deviations of the other's value, so that one tolerance serves values of any size.
 *
 * Not here: files (cli/trace-file.ts), the order of axes (./align-axes.ts).
 */
import type { DType } from "../../dsl/index.ts";
import { type HostTensor, toNumbers } from "../../runtime-bridge/index.ts";
import { align } from "./align-axes.ts";

// Public API

/** A named value of a trace. */
export interface TraceEntry {
  readonly name: string;
  readonly also: readonly string[];
  /** Axis names, outermost first, where the trace tells them. */
  readonly axes: readonly string[] | undefined;
  /** The line that made it, where the trace tells it. */
  readonly at: string | undefined;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The named values of a run, in the order in which they were made. */
export interface Trace {
  readonly entries: readonly TraceEntry[];
  /** The values themselves. @param name  the `name` of an entry */
  read(name: string): Promise<HostTensor>;
}

/** Names of one trace for names of the other; `{n}` on both sides stands for any one word between dots. */
export type NameMap = Readonly<Record<string, string>>;

export interface ComparisonOptions {
  /**
   * How far a value may be off, in standard deviations. Default: 1e-3 for its largest difference. Where a trace holds
   * bf16 or f16, rounding alone moves single large elements far, so there it is 0.25 for 99 % of them.
   */
  readonly tolerance?: number | undefined;
  /** Names of the other trace by names of this one. */
  readonly names?: NameMap | undefined;
  /** Told of each row as it comes. */
  readonly onRow?: ((row: ComparisonRow) => void) | undefined;
}

/** One value of both. All differences are absolute ones, in standard deviations of the reference's value. */
export interface ComparisonRow {
  readonly name: string;
  readonly reference: string;
  readonly at: string | undefined;
  /** Axis names of this side, where they are known. */
  readonly axes: readonly string[] | undefined;
  readonly shape: readonly number[];
  /** The standard deviation of the reference's value. */
  readonly deviation: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** Between both values as vectors. */
  readonly cosine: number;
  /** Where the largest difference is, by axis of this side. */
  readonly worst: readonly number[];
  /** How many elements are NaN or infinite. */
  readonly notFinite: { readonly here: number; readonly reference: number };
  /** What is held against the tolerance. */
  readonly measure: "max" | "p99";
  readonly tolerance: number;
  readonly departs: boolean;
}

export interface Comparison {
  /** In the order of this trace. */
  readonly rows: readonly ComparisonRow[];
  /** The first row that departs. */
  readonly first: ComparisonRow | undefined;
  /** Names of this trace that the reference lacks, and the other way round. */
  readonly onlyHere: readonly string[];
  readonly onlyReference: readonly string[];
  /** Found by name, but of a shape that can't be brought into the other. */
  readonly unlike: readonly { readonly name: string; readonly reference: string; readonly reason: string }[];
}

/** Compares a trace with a reference. */
export async function compareTraces(
  here: Trace,
  reference: Trace,
  { tolerance, names = {}, onRow }: ComparisonOptions = {},
): Promise<Comparison> {
  const known = new Map<string, TraceEntry>();
  for (const entry of reference.entries)
    for (const name of [entry.name, ...entry.also]) if (!known.has(name)) known.set(name, entry);
  const translate = translator(names);
  const isCoarse = [...here.entries, ...reference.entries].some(({ dtype }) => coarse.has(dtype));
  const limit = { measure: isCoarse ? "p99" : "max", tolerance: tolerance ?? (isCoarse ? 0.25 : 1e-3) } as const;
  const rows: ComparisonRow[] = [];
  const onlyHere: string[] = [];
  const unlike: Comparison["unlike"][number][] = [];
  const used = new Set<TraceEntry>();
  for (const entry of here.entries) {
    const own = [entry.name, ...entry.also];
    const found = [...own.flatMap(translate), ...own].map((name) => known.get(name)).find((each) => each !== undefined);
    if (found === undefined) {
      onlyHere.push(entry.name);
      continue;
    }
    used.add(found);
    const aligned = align(entry, found);
    if ("reason" in aligned) {
      unlike.push({ name: entry.name, reference: found.name, reason: aligned.reason });
      continue;
    }
    const [x, y] = [await here.read(entry.name), await reference.read(found.name)];
    const row = compare(entry, found, { x: toNumbers(x), y: toNumbers(y), places: aligned.places }, limit);
    rows.push(row);
    onRow?.(row);
  }
  return {
    rows,
    first: rows.find(({ departs }) => departs),
    onlyHere,
    onlyReference: reference.entries.filter((entry) => !used.has(entry)).map(({ name }) => name),
    unlike,
  };
}

// Implementation

/** What a name is called in the other trace, if the map says so. */
function translator(names: NameMap): (name: string) => readonly string[] {
  const rules = Object.entries(names).map(([from, to]) => {
    const pattern = from.split(/(\{\w+\})/).map((part) => {
      const [, word] = /^\{(\w+)\}$/.exec(part) ?? [];
      return word === undefined ? part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&") : `(?<${word}>[^.]+)`;
    });
    return { pattern: new RegExp(`^${pattern.join("")}$`), to };
  });
  return (name) =>
    rules.flatMap(({ pattern, to }) => {
      const match = pattern.exec(name);
      return match === null ? [] : [to.replaceAll(/\{(\w+)\}/g, (all, word) => match.groups?.[word] ?? all)];
    });
}

const coarse: ReadonlySet<DType> = new Set(["bf16", "f16"]);

/** @param places  for each element of `y`, in order, where it is in `x` */
function compare(
  entry: TraceEntry,
  reference: TraceEntry,
  {
    x,
    y,
    places,
  }: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number>; readonly places: (n: number) => number },
  limit: Pick<ComparisonRow, "measure" | "tolerance">,
): ComparisonRow {
  const count = y.length;
  const differences = new Float64Array(count);
  const notFinite = { here: 0, reference: 0 };
  let [sum, squares, finite] = [0, 0, 0];
  let [dot, ofX, ofY] = [0, 0, 0];
  let worst = 0;
  for (let n = 0; n < count; n++) {
    const [a, b] = [x[places(n)] as number, y[n] as number];
    if (!Number.isFinite(a)) notFinite.here++;
    if (!Number.isFinite(b)) notFinite.reference++;
    else {
      sum += b;
      squares += b * b;
      finite++;
    }
    // Infinities of one sign are equal; whatever else is no number differs from everything but its like.
    const difference = Object.is(a, b) || a === b ? 0 : Math.abs(a - b);
    differences[n] = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    if ((differences[n] as number) > (differences[worst] as number)) worst = n;
    if (Number.isFinite(a) && Number.isFinite(b)) {
      dot += a * b;
      ofX += a * a;
      ofY += b * b;
    }
  }
  const mean = finite === 0 ? 0 : sum / finite;
  const spread = finite === 0 ? 0 : Math.sqrt(Math.max(squares / finite - mean * mean, 0));
  // Of a value that is the same everywhere, its size.
  const deviation = spread > Math.abs(mean) * 1e-6 ? spread : Math.abs(mean) || 1;
  const place = count === 0 ? 0 : places(worst);
  const whole = differences.reduce((all, each) => all + each, 0) / Math.max(count, 1);
  differences.sort();
  const quantile = (q: number) =>
    count === 0 ? 0 : (differences[Math.min(count - 1, Math.floor(q * count))] as number) / deviation;
  const [max, p99] = [quantile(1), quantile(0.99)];
  return {
    name: entry.name,
    reference: reference.name,
    at: entry.at,
    axes: entry.axes,
    shape: entry.shape,
    deviation,
    max,
    p99,
    mean: whole / deviation,
    p50: quantile(0.5),
    p90: quantile(0.9),
    cosine: ofX === 0 || ofY === 0 ? (ofX === ofY ? 1 : 0) : dot / Math.sqrt(ofX * ofY),
    worst: indicesOf(place, entry.shape),
    notFinite,
    ...limit,
    departs: !((limit.measure === "max" ? max : p99) <= limit.tolerance) || notFinite.here !== notFinite.reference,
  };
}

function indicesOf(place: number, shape: readonly number[]): readonly number[] {
  let rest = place;
  return shape.reduceRight<number[]>((indices, size) => {
    indices.unshift(size === 0 ? 0 : rest % size);
    rest = size === 0 ? 0 : Math.floor(rest / size);
    return indices;
  }, []);
}
