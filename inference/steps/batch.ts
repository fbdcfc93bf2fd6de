/**
 * Several texts under way at once: one program takes a token more of each, and reads the weights once for all.
 *
 * A prompt is prefilled alone, by the programs and to the bits of a text that has no neighbours, and its cache is then
 * copied into a row of the batch. So a row can be given away while the others go on, prompts of any lengths meet, and
 * only the step is compiled for each size of batch. A row that nobody has stands at position 0, is computed and is read
 * by nobody.
 */
import type { Session, SessionCall } from "../../runtime-bridge/index.ts";
import { hostTensor } from "../../runtime-bridge/index.ts";
import { largestChunk } from "../programs/buckets.ts";
import type { ModelPrograms } from "../programs/model-programs.ts";
import { type DeviceChoice, greedyChoice } from "../sampling/choose-on-device.ts";
import {
  type ChoosingCalls,
  defineChoosing,
  type StepsOptions,
  type StepsUnderWay,
  sendSteps,
  steadySteps,
} from "./choosing-steps.ts";
import { Sequence } from "./sequence.ts";
import type { ChoosingRow, NextLogits, StepRow } from "./step-call.ts";

// Public API

/** How many rows, and how many positions each. */
export interface BatchSizes {
  readonly rows: number;
  readonly capacity: number;
}

/** What several steps of a batch are asked for. */
export interface BatchStepsOptions extends StepsOptions {
  readonly choices?: ReadonlyMap<number, DeviceChoice>;
}

/** Rows on one worker. Close it to free their caches. */
export class Batch implements AsyncDisposable {
  readonly #programs: ModelPrograms;
  readonly #session: Session;
  /** Where prompts are prefilled; of a batch of one, the row itself. */
  readonly #prefill: Sequence;
  readonly #rows: Rows | undefined;
  readonly #capacity: number;
  /** How many positions each row holds; 0 where nobody has it. */
  readonly #lengths: number[];
  /** How often each row was taken or given away. */
  readonly #turns: number[];

  private constructor(
    programs: ModelPrograms,
    session: Session,
    prefill: Sequence,
    { rows, capacity }: { readonly rows: Rows | undefined; readonly capacity: number },
  ) {
    this.#programs = programs;
    this.#session = session;
    this.#prefill = prefill;
    this.#rows = rows;
    this.#capacity = capacity;
    this.#lengths = Array<number>(rows?.count ?? 1).fill(0);
    this.#turns = [...this.#lengths];
  }

  static async open(
    programs: ModelPrograms,
    { rows, capacity }: BatchSizes,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Batch> {
    const session = programs.worker.session();
    try {
      const prefill = await Sequence.open(programs, capacity, { ...options, session });
      const shared = rows === 1 ? undefined : await openRows(programs, session, { rows, capacity }, options);
      return new Batch(programs, session, prefill, { rows: shared, capacity });
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** Where a prompt is prefilled, to be adopted by a row. */
  get prefilled(): Sequence {
    return this.#prefill;
  }

  /** Gives a row to what was prefilled. */
  async adopt(row: number): Promise<void> {
    this.#turns[row]! += 1;
    this.#lengths[row] = this.#prefill.length;
    if (this.#rows !== undefined)
      await this.#session.step(this.#rows.adopt, [hostTensor("i32", [], Int32Array.of(row))]);
  }

  /** The session of all its calls. */
  get session(): Session {
    return this.#session;
  }

  /**
   * Appends a token to each row that has an entry and, in the same call, those that the device chooses after it; resolves
   * when all of it is sent. Each step gives the logits of the rows that still have room then. A row is as long as was
   * read. What was sent goes on for a row that is freed or given to another prompt meanwhile, and is told no more.
   *
   * @param options.choices  of each row; greedy where there is none
   */
  async steps(
    tokens: ReadonlyMap<number, number>,
    { choices, count, ...options }: BatchStepsOptions,
  ): Promise<StepsUnderWay<ReadonlyMap<number, NextLogits>>> {
    const turns = [...this.#turns];
    const lengths = [...this.#lengths];
    const tell = (row: number, next: NextLogits, n: number): readonly [number, NextLogits][] => {
      const start = lengths[row] as number;
      if (turns[row] !== this.#turns[row] || start + n >= this.#capacity) return [];
      this.#lengths[row] = start + n + 1;
      return [[row, next]];
    };
    if (this.#rows === undefined) {
      const [[row, token]] = tokens as unknown as [[number, number]];
      const steps = await this.#prefill.steps(token, { ...options, count, choice: choices?.get(row) });
      return steps.map((next, n) => new Map(tell(row, next, n)));
    }
    const given = lengths.map((held, row): ChoosingRow => {
      const token = tokens.get(row);
      if (token === undefined) return { ...idle, choice: greedyChoice };
      return { tokens: [token], start: held, total: held + 1, choice: choices?.get(row) ?? greedyChoice };
    });
    const active = given.filter((_, row) => tokens.has(row));
    const longest = Math.max(...active.map(({ start }) => this.#capacity - start));
    const steps = steadySteps(this.#programs, active, Math.max(1, Math.min(count, longest, largestChunk)));
    const calls = await this.#rows.choosing();
    const sent = sendSteps(this.#session, this.#programs, calls, given, { ...options, count: steps });
    return sent.map((all, n) => new Map([...tokens.keys()].flatMap((row) => tell(row, all[row] as NextLogits, n))));
  }

  /** Takes a row away from whoever has it. */
  free(row: number): void {
    this.#turns[row]! += 1;
    this.#lengths[row] = 0;
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

// Implementation

/** What several rows share. */
interface Rows {
  readonly count: number;
  /** Steps of which the device chooses the tokens. */
  choosing(): Promise<ChoosingCalls>;
  /** Copies what was prefilled into a row. */
  readonly adopt: SessionCall;
}

const idle: StepRow = { tokens: [0], start: 0, total: 1 };

async function openRows(
  programs: ModelPrograms,
  session: Session,
  { rows, capacity }: BatchSizes,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Rows> {
  // The cache of the prefill has the first slots.
  const firstSlot = programs.cacheNames.length;
  const buffers = await programs.emptyCaches(capacity, { batch: rows, ...options });
  for (const [n, buffer] of buffers.entries()) await session.store(firstSlot + n, buffer);
  const { executable, signature } = await programs.adopt({ rows, capacity });
  const slotOf = (name: string) => firstSlot + programs.cacheNames.indexOf(name);
  const adopt = session.define({
    executable,
    arguments: signature.arguments.map(({ name }) => {
      if (name === "row") return { input: 0 };
      return { slot: name.startsWith("from.") ? programs.cacheNames.indexOf(name.slice(5)) : slotOf(name) };
    }),
    results: signature.results.map(({ name }) => slotOf(name)),
  });
  // The slot after both caches holds the logits of the prefill.
  const slots = { firstSlot, logitsSlot: 2 * firstSlot + 1 };
  const define = async () => {
    const program = await programs.step({ batch: rows, pos: 1, capacity, outputs: "chosen" });
    return defineChoosing(session, programs, program, slots);
  };
  return { count: rows, choosing: once(define), adopt };
}

/** Does work when it is first asked for; again after it failed. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return async () => {
    done ??= work();
    try {
      return await done;
    } catch (error) {
      done = undefined;
      throw error;
    }
  };
}
