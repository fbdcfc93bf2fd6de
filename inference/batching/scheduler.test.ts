/** Who runs when: nobody waits for ever, nobody runs twice, and budgets are kept, whatever comes and goes. */
import { describe, expect, test } from "@jest/globals";
import { uniform } from "../sampling/random.ts";
import { gridChunk } from "./chunk-grid.ts";
import { type LaneSize, Scheduler } from "./scheduler.ts";

interface Job {
  readonly id: number;
  readonly capacity: number;
  readonly promptTokens: number;
}

let ids = 0;
const job = (promptTokens: number, capacity = 256): Job => ({ id: ids++, capacity, promptTokens });

function scheduler(
  options: { readonly budget?: number; readonly bytes?: number; readonly sizeOf?: (capacity: number) => LaneSize } = {},
) {
  const { budget = 32, bytes = 1000, sizeOf = (capacity) => ({ rows: 2, bytes: capacity }) } = options;
  return new Scheduler<Job>({
    chunkAt: (promptTokens, start) => gridChunk(promptTokens, start, 16),
    budget,
    bytes,
    sizeOf,
  });
}

/** Takes those in line in, opening lanes at once. */
function settle(of: Scheduler<Job>): void {
  for (;;) {
    const { open, close } = of.admit();
    for (const each of close) of.closed(each);
    for (const each of open) of.opened(each);
    if (open.length + close.length === 0) return;
  }
}

const running = (of: Scheduler<Job>) => of.decoding().flatMap(({ rows }) => rows.map(({ request }) => request.id));
const walk = (of: Scheduler<Job>, begin: (job: Job) => number = () => 0) =>
  Array.from(of.chunks(begin), ({ request, start, length, bucket }) => [request.id, start, length, bucket]);

describe("an iteration", () => {
  test("cuts prompts on the grid, in turn, as far as the budget goes", () => {
    const of = scheduler();
    const [long, short, next] = [job(44), job(5), job(20)];
    for (const each of [long, short, next]) of.enqueue(each);
    settle(of);
    expect(of.waiting).toEqual(new Set([next]));
    expect(walk(of)).toEqual([
      [long.id, 0, 16, 16],
      [long.id, 16, 16, 16],
    ]);
    expect(walk(of)).toEqual([
      [long.id, 32, 12, 16],
      [short.id, 0, 5, 16],
    ]);
    expect(running(of)).toEqual([long.id, short.id]);
  });

  test("begins where what is held ends", () => {
    const of = scheduler();
    const only = job(40);
    of.enqueue(only);
    settle(of);
    const chunks = Array.from(of.chunks(() => 32));
    expect(chunks).toEqual([{ request: only, row: 0, start: 32, length: 8, bucket: 16, isFirst: true, isLast: true }]);
  });

  test("has one chunk even where the steps take the whole budget, and lanes take turns", () => {
    const of = scheduler({ budget: 2 });
    const first = [job(1), job(1)];
    for (const each of first) of.enqueue(each);
    settle(of);
    walk(of);
    walk(of);
    expect(running(of)).toEqual(first.map(({ id }) => id));
    const [one, two] = [job(48, 512), job(32, 128)];
    of.enqueue(one);
    of.enqueue(two);
    settle(of);
    expect([walk(of), walk(of), walk(of), walk(of), walk(of)].map((chunks) => chunks.map(([id]) => id))).toEqual([
      [one.id],
      [two.id],
      [one.id],
      [two.id],
      [one.id],
    ]);
  });

  test("goes on without a request that is taken away in the middle", () => {
    const of = scheduler({ budget: 64 });
    const [gone, other] = [job(48), job(16)];
    of.enqueue(gone);
    of.enqueue(other);
    settle(of);
    const seen: number[] = [];
    for (const { request } of of.chunks(() => 0)) {
      seen.push(request.id);
      if (request === gone) expect(of.remove(gone)).toEqual({ row: 0, isPrefilling: true });
    }
    expect(seen).toEqual([gone.id, other.id]);
    expect(of.remove(gone)).toBeUndefined();
    expect(of.remove(other)).toEqual({ row: 1, isPrefilling: false });
  });
});

describe("lanes", () => {
  test("a full lane holds up its own requests only", () => {
    const of = scheduler();
    const small = [job(1), job(1), job(1)];
    const large = job(1, 512);
    for (const each of [...small, large]) of.enqueue(each);
    settle(of);
    expect([...of.waiting]).toEqual([small[2]]);
    expect(of.running).toBe(3);
  });

  test("an idle lane is closed for one that is wanted, the longest idle first", () => {
    const of = scheduler({ bytes: 1000 });
    const [a, b] = [job(1, 300), job(1, 400)];
    of.enqueue(a);
    of.enqueue(b);
    settle(of);
    walk(of);
    of.remove(a);
    of.remove(b);
    of.enqueue(job(1, 500));
    expect(of.admit()).toEqual({ open: [], close: [300] });
    expect(of.admit()).toEqual({ open: [], close: [] }); // Not a second one, while the first is closing.
    of.closed(300);
    expect(of.admit()).toEqual({ open: [500], close: [] });
    expect(of.lanes.map(({ capacity }) => capacity)).toEqual([400, 500]);
  });

  test("no request passes the first one that waits for memory", () => {
    const of = scheduler({ bytes: 1000 });
    const busy = job(1, 600);
    of.enqueue(busy);
    settle(of);
    const [large, small, same] = [job(1, 900), job(1, 128), job(1, 600)];
    for (const each of [large, small, same]) of.enqueue(each);
    settle(of);
    expect([...of.waiting]).toEqual([large, small, same]);
    of.remove(busy);
    settle(of);
    expect(of.lanes.map(({ capacity, running }) => [capacity, running])).toEqual([[900, 1]]);
  });

  test("what is abandoned is gone, and its lane opens again for the next", () => {
    const of = scheduler();
    const [one, two, three] = [job(1), job(40), job(1)];
    for (const each of [one, two, three]) of.enqueue(each);
    settle(of);
    expect(of.abandon(256)).toEqual([one, two]);
    expect(of.admit()).toEqual({ open: [], close: [] });
    expect(walk(of)).toEqual([]);
    of.closed(256);
    settle(of);
    expect(of.running).toBe(1);
  });
});

test.each([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n])(
  "everybody is answered once, in turn and within every bound (%d)",
  (seed) => {
    let drawn = 0;
    const next = (below: number) => Math.floor(uniform(seed, drawn++) * below);
    const budget = 8 + next(60);
    const [bytes, sizes] = [1000, [100, 250, 480, 1000]];
    const of = scheduler({ budget, bytes, sizeOf: (capacity) => ({ rows: 1 + (capacity % 3), bytes: capacity }) });
    const total = 150;
    const left = new Map<number, number>(); // Tokens of its answer.
    const fed = new Map<number, number>();
    const entered: Job[] = [];
    const opening: number[] = [];
    const [done, cancelled, all] = [new Set<number>(), new Set<number>(), [] as Job[]];
    for (let round = 0; done.size + cancelled.size < total; round++) {
      expect(round).toBeLessThan(5000);
      for (let n = next(4); n > 0 && all.length < total; n--) {
        const each = job(1 + next(100), sizes[next(sizes.length)]);
        all.push(each);
        left.set(each.id, 1 + next(12));
        of.enqueue(each);
      }
      const before = new Set(of.waiting);
      const { open, close } = of.admit();
      for (const each of before) if (!of.waiting.has(each)) entered.push(each);
      for (const each of close) {
        expect(of.lanes.find(({ capacity }) => capacity === each)?.running).toBe(0);
        of.closed(each);
      }
      opening.push(...open);
      // Some take their time.
      if (next(3) > 0) for (const each of opening.splice(0)) of.opened(each);
      expect(of.lanes.reduce((sum, { size }) => sum + size.bytes, 0)).toBeLessThanOrEqual(bytes);
      const decoding = of.decoding();
      const rows = decoding.flatMap((lane) => lane.rows.map(({ row }) => `${lane.capacity} ${row}`));
      expect(new Set(rows).size).toBe(rows.length);
      const steps = decoding.flatMap((lane) => lane.rows);
      const chunks: number[] = [];
      for (const { request, start, length, bucket, isFirst, isLast } of of.chunks(
        (each) => 16 * next(Math.ceil(each.promptTokens / 16)),
      )) {
        chunks.push(bucket);
        if (isFirst) expect(fed.has(request.id)).toBe(false);
        else expect(start).toBe(fed.get(request.id));
        expect(start % 16).toBe(0);
        fed.set(request.id, start + length);
        expect(isLast).toBe(start + length === request.promptTokens);
        if (next(20) === 0) {
          cancelled.add(request.id);
          of.remove(request);
        }
      }
      if (chunks.length > 1) expect(chunks.reduce((sum, each) => sum + each, steps.length)).toBeLessThanOrEqual(budget);
      for (const { request } of steps) {
        expect(fed.get(request.id)).toBe(request.promptTokens);
        left.set(request.id, (left.get(request.id) as number) - 1);
        if (left.get(request.id) !== 0) continue;
        expect(done.has(request.id)).toBe(false);
        done.add(request.id);
        of.remove(request);
      }
    }
    expect(of.running + of.waiting.size).toBe(0);
    // First come, first served, among those of one size.
    for (const size of sizes) {
      const order = entered.filter(({ capacity }) => capacity === size).map(({ id }) => id);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  },
);
