/**
 * Continuous batching on one worker: requests of any length come and go between the steps of those that run.
 *
 * The loop asks the scheduler what an iteration does, does it on the lanes, and tells what came of it. An answer's bits
 * depend on its request alone: rows do not touch, and the programs that compute it are chosen by its own capacity
 * (docs/decisions/2026-11-24-continuous-batching.md).
 */
import { RuntimeFailure } from "../../dsl/index.ts";
import { WorkerLost, WorkerUnavailable } from "../../runtime-bridge/index.ts";
import type { Answer, Piece } from "../answers/answer.ts";
import type { Summary } from "../answers/generate.ts";
import type { ChatOptions, Prompt } from "../answers/prompt.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { AnswerStream } from "./answer-stream.ts";
import { type LaneInputs, LaneKeeper } from "./lane-keeper.ts";
import { Request } from "./request.ts";
import { type Decoding, type PlannedChunk, Scheduler } from "./scheduler.ts";

// Public API

/** How busy an engine is. */
export interface EngineLoad {
  /** How many requests of one capacity run at once. */
  readonly rows: number;
  readonly running: number;
  readonly waiting: number;
}

/** What an engine has done so far. */
export interface EngineStatistics {
  /** Requests that were taken in. */
  readonly requests: number;
  readonly finished: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly promptTokens: number;
  /** How many of them were held already. */
  readonly reusedTokens: number;
  readonly answerTokens: number;
  /** How many prompts found their beginning held, among those that were begun; NaN before the first. */
  readonly hitRate: number;
  /** How often an answer outgrew its row and went on in a longer one. */
  readonly moves: number;
  readonly iterations: number;
  /** Rows that took a step, of those that steps computed; NaN before the first. */
  readonly occupancy: number;
  readonly lanes: readonly {
    readonly capacity: number;
    readonly rows: number;
    readonly running: number;
    /** Beginnings of prompts that are kept. */
    readonly prefixes: number;
    readonly bytes: number;
  }[];
}

/** What an engine needs of its model. */
export interface EngineInputs extends LaneInputs {
  /** @throws InputError for a prompt or an option that cannot be taken */
  prepare(prompt: Prompt, options: ChatOptions): Answer;
  /** How many positions the row has in which an answer goes on from where it is; at least one more than are held. */
  capacityOf(answer: Answer): number;
  /** How many it may come to have. */
  largestCapacityOf(answer: Answer): number;
  /** Which prompts share their beginnings: those that are given the same but for their tokens. */
  familyOf(answer: Answer): string;
  /** The failure with what is found out about it. Never rejects. */
  explain(failure: RuntimeFailure, answer: Answer, capacity: number): Promise<RuntimeFailure>;
}

export class Engine implements AsyncDisposable {
  readonly #inputs: EngineInputs;
  readonly #scheduler: Scheduler<Request>;
  readonly #lanes: LaneKeeper;
  readonly #explanations = new Set<Promise<void>>();
  readonly #callers: (() => void)[] = [];
  /** Places in line that callers of `ready` were given and have not taken yet. */
  readonly #promised = new Set<object>();
  readonly #loop: Promise<void>;
  readonly #count = { requests: 0, finished: 0, failed: 0, cancelled: 0 };
  readonly #tokens = { prompt: 0, reused: 0, answer: 0 };
  readonly #work = { begun: 0, hits: 0, moves: 0, iterations: 0, rowSteps: 0, rowsTaken: 0 };
  #failure: { readonly error: unknown } | undefined;
  #closing = false;
  #wake: (() => void) | undefined;
  #nudged = false;

  /** Made by `Model.serve()`. */
  constructor(inputs: EngineInputs) {
    this.#inputs = inputs;
    const { grid, budget, cacheBytes } = inputs.settings;
    this.#lanes = new LaneKeeper(inputs, {
      onOpened: (capacity) => {
        this.#scheduler.opened(capacity);
        this.#nudge();
      },
      onFailed: (capacity, error) => this.#notOpened(capacity, error),
      onClosed: (capacity) => {
        this.#scheduler.closed(capacity);
        this.#nudge();
      },
    });
    const sizeOf = (capacity: number) => this.#lanes.planOf(capacity);
    this.#scheduler = new Scheduler({ grid, budget, bytes: cacheBytes, sizeOf });
    this.#loop = this.#run();
  }

  /** How busy it is. */
  get load(): EngineLoad {
    const { running, waiting } = this.#scheduler;
    return { rows: this.#inputs.settings.rows, running, waiting: waiting.size };
  }

  /** What it has done so far. */
  get statistics(): EngineStatistics {
    const { begun, hits, moves, iterations, rowSteps, rowsTaken } = this.#work;
    return {
      ...this.#count,
      promptTokens: this.#tokens.prompt,
      reusedTokens: this.#tokens.reused,
      answerTokens: this.#tokens.answer,
      hitRate: hits / begun,
      moves,
      iterations,
      occupancy: rowsTaken / rowSteps,
      lanes: this.#scheduler.lanes.map(({ capacity, size, running }) => ({
        capacity,
        rows: size.rows,
        running,
        prefixes: this.#lanes.find(capacity)?.prefixes?.size ?? 0,
        bytes: size.bytes,
      })),
    };
  }

  /**
   * Generates an answer, as `Model.generate` does, beside all others. The request is in line when this returns, and its
   * answer is written whether it is read or not. Leaving the loop, or the signal, takes it away at once.
   *
   * The first `next` rejects with an InputError for a prompt or an option that cannot be taken, and with a RuntimeFailure
   * (`QUEUE_FULL`) when too many wait already: see `ready`.
   */
  generate(prompt: Prompt, options: ChatOptions = {}): AsyncGenerator<Piece, Summary> {
    const [place] = this.#promised;
    if (place !== undefined) this.#promised.delete(place);
    const stream: AnswerStream = new AnswerStream(() => this.#cancel(request));
    let request: Request | undefined;
    try {
      request = this.#admit(prompt, options, stream);
    } catch (error) {
      stream.fail(error);
    }
    return stream;
  }

  /** Resolves when the line has room for another request: `await engine.ready()`, then `generate` at once. */
  async ready(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#closing) throw closed();
      if (this.#free > 0) return this.#promise();
      await new Promise<void>((resolve) => this.#callers.push(resolve));
    }
  }

  /** Ends what runs and what waits with an error, and frees everything. Never rejects. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#endAll(closed());
    await this.#loop;
    await Promise.all(this.#explanations);
    await this.#lanes.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation: requests

  #admit(prompt: Prompt, options: ChatOptions, stream: AnswerStream): Request {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#closing) throw closed();
    const answer = this.#inputs.prepare(prompt, options);
    const capacity = this.#inputs.capacityOf(answer);
    const request = new Request(answer, capacity, this.#inputs.familyOf(answer), stream);
    if (answer.finished !== undefined) {
      this.#count.requests++;
      this.#finish(request);
      return request;
    }
    // No room for it shows at once.
    this.#lanes.planOf(this.#inputs.largestCapacityOf(answer));
    if (this.#free <= 0) throw this.#full();
    this.#count.requests++;
    if (signal !== undefined) {
      const abort = () => {
        stream.fail(signal.reason, { now: true });
        this.#cancel(request);
      };
      signal.addEventListener("abort", abort, { once: true });
      request.onOver = () => signal.removeEventListener("abort", abort);
    }
    this.#scheduler.enqueue(request);
    this.#nudge();
    return request;
  }

  #finish(request: Request): void {
    this.#remove(request);
    this.#count.finished++;
    this.#tokens.prompt += request.answer.prompt.length;
    this.#tokens.reused += request.reused;
    this.#tokens.answer += request.answer.count;
    request.finish();
  }

  /** Its reader wants no more. */
  #cancel(request: Request | undefined): void {
    if (request === undefined || request.over) return;
    this.#count.cancelled++;
    this.#giveUp(request);
    this.#nudge();
  }

  #fail(request: Request, error: unknown): void {
    if (request.over) return;
    this.#count.failed++;
    this.#giveUp(request);
    if (!(error instanceof RuntimeFailure) || error.code !== "LOGITS_INVALID") {
      request.stream.fail(error);
      return;
    }
    // The others go on while it is run again.
    const told = this.#inputs
      .explain(error, request.answer, request.capacity)
      .then((explained) => request.stream.fail(explained));
    this.#explanations.add(told);
    told.finally(() => this.#explanations.delete(told));
  }

  /** Takes it out before its end. */
  #giveUp(request: Request): void {
    const open = this.#lanes.find(request.capacity);
    if (this.#remove(request)?.isPrefilling && open !== undefined) open.spoilt = true;
  }

  /** Takes it out, and frees its row. */
  #remove(request: Request) {
    request.end();
    const place = this.#scheduler.remove(request);
    if (place !== undefined) this.#lanes.find(request.capacity)?.lane.free(place.row);
    return place;
  }

  #endAll(error: unknown): void {
    for (const request of this.#scheduler.waiting) this.#fail(request, error);
    for (const { capacity } of this.#scheduler.lanes) {
      for (const request of this.#scheduler.abandon(capacity)) this.#fail(request, error);
    }
    for (const caller of this.#callers.splice(0)) caller();
    this.#nudge();
  }

  // Implementation: the loop

  async #run(): Promise<void> {
    while (!this.#closing) {
      this.#changeLanes();
      this.#callThose();
      const decoding = this.#scheduler.decoding();
      const steps = decoding.map((each) => this.#guard(each.capacity, () => this.#decode(each)));
      const prefilled = await this.#prefill();
      await Promise.all(steps);
      if (steps.length > 0 || prefilled) this.#work.iterations++;
      else if (!this.#closing) await this.#sleep();
    }
  }

  async #decode({ capacity, rows }: Decoding<Request>): Promise<void> {
    const { lane } = this.#lanes.get(capacity);
    const given = rows.map(
      ({ row, request: { token, answer } }) => [row, { token, choice: answer.deviceChoice }] as const,
    );
    const wanted = rows.every(({ request }) => request.wanted === "full") ? "full" : "candidates";
    const isHere = (request: Request) => !request.over && request.capacity === capacity;
    for await (const next of lane.steps(new Map(given), { wanted, most: this.#mostSteps(rows) })) {
      const active = rows.filter(({ request }) => isHere(request));
      this.#work.rowSteps += this.#lanes.planOf(capacity).rows;
      this.#work.rowsTaken += active.length;
      await Promise.all(active.map(({ row, request }) => this.#take(request, next.get(row) as NextLogits)));
      // The rest of the call is for nobody.
      if (!rows.some(({ request }) => isHere(request))) break;
    }
  }

  /** How many steps a call may make: several where the device may choose for all, and nobody waits to get in. */
  #mostSteps(rows: Decoding<Request>["rows"]): number {
    const answers = rows.map(({ request }) => request.answer);
    const wanted = new Set(answers.map((answer) => answer.wanted));
    const mayChoose = answers.every(({ deviceChoice }) => deviceChoice !== undefined);
    if (!mayChoose || wanted.size > 1 || !this.#scheduler.isSettled) return 1;
    const asked = answers.map(({ stepsPerCall }) => stepsPerCall ?? Number.POSITIVE_INFINITY);
    return Math.min(...asked, Math.max(...answers.map(({ room, count }) => room - count)));
  }

  /** Prefills as far as the budget goes. Whether there was anything to prefill. */
  async #prefill(): Promise<boolean> {
    let any = false;
    for (const chunk of this.#scheduler.chunks((request) => this.#lookUp(request))) {
      any = true;
      await this.#guard(chunk.request.capacity, () => this.#prefillChunk(chunk));
      if (this.#closing) break;
    }
    return any;
  }

  /** How many positions of a prompt are held; notes where a snapshot of it is worth while. */
  #lookUp(request: Request): number {
    request.begin();
    const { prefixes } = this.#lanes.get(request.capacity);
    // What counts is what is saved of prompts, not of what was said already.
    const isPrompt = request.answer.count === 0;
    if (isPrompt) this.#work.begun++;
    if (prefixes === undefined) return 0;
    request.held = prefixes.find(request);
    const held = request.held?.length ?? 0;
    if (isPrompt) request.reused = held;
    if (isPrompt && held > 0) this.#work.hits++;
    const others = this.#scheduler.upcoming(request.capacity, lookedAt);
    request.keepAt = prefixes.worthKeeping(request, others, held);
    return held;
  }

  async #prefillChunk({ request, row, start, length, bucket, isFirst, isLast }: PlannedChunk<Request>): Promise<void> {
    const open = this.#lanes.get(request.capacity);
    const { lane, prefixes } = open;
    if (isFirst) {
      if (open.spoilt) await lane.clear();
      open.spoilt = false;
    }
    // What is copied comes before the chunk because it is sent before it.
    const begun = isFirst ? lane.begin(request.held) : undefined;
    const end = start + length;
    const sizes = { bucket, total: request.promptTokens };
    const tokens = request.tokens.slice(start, end);
    const [next] = await Promise.all([lane.chunk(tokens, sizes, isLast ? request.wanted : undefined), begun]);
    if (request.over) return;
    if (end === request.keepAt && prefixes !== undefined) {
      request.kept = prefixes.keep(request, end);
      await lane.keep(request.kept);
    }
    if (!isLast || request.over) return;
    await lane.adopt(row);
    const wasTaken = await this.#take(request, next as NextLogits);
    if (wasTaken) return;
    // It may hold what made this prompt fail.
    if (request.kept !== undefined) prefixes?.drop(request.kept);
  }

  /** Chooses a request's next token. Whether that went well; if not, the request alone has failed. */
  async #take(request: Request, next: NextLogits): Promise<boolean> {
    if (request.over) return true;
    try {
      const isComplete = await request.take(next);
      if (request.over) return true;
      if (isComplete) this.#finish(request);
      else if (request.hasOutgrown) this.#move(request);
      return true;
    } catch (error) {
      this.#fail(request, error);
      return false;
    }
  }

  /** Sends a request to a longer lane. What it has said is prefilled there, so it depends on itself alone when that is. */
  #move(request: Request): void {
    const place = this.#scheduler.remove(request);
    if (place !== undefined) this.#lanes.find(request.capacity)?.lane.free(place.row);
    request.grow(this.#inputs.capacityOf(request.answer));
    this.#scheduler.enqueueFirst(request);
    this.#work.moves++;
  }

  // Implementation: lanes

  #changeLanes(): void {
    const { open, close } = this.#scheduler.admit();
    for (const capacity of close) this.#lanes.close(capacity);
    for (const capacity of open) this.#lanes.open(capacity);
  }

  #notOpened(capacity: number, error: unknown): void {
    this.#scheduler.closed(capacity);
    if (isLoss(error)) this.#lose(error);
    for (const request of this.#scheduler.waiting) if (request.capacity === capacity) this.#fail(request, error);
    this.#nudge();
  }

  /** Does something on a lane. When it fails, so do all who are there, and the lane is opened anew for the next. */
  async #guard(capacity: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isLoss(error)) return this.#lose(error);
      for (const request of this.#scheduler.abandon(capacity)) this.#fail(request, error);
      // Both a step and a chunk may tell.
      this.#lanes.close(capacity);
    }
  }

  #lose(error: unknown): void {
    this.#failure ??= { error };
    this.#endAll(this.#failure.error);
  }

  // Implementation: waiting

  /** How many more may wait. Those for whom there are rows are only on their way. */
  get #free(): number {
    const { rows, queue } = this.#inputs.settings;
    const { waiting, running } = this.#scheduler;
    return Math.max(0, rows - running) + queue - waiting.size - this.#promised.size;
  }

  #full(): RuntimeFailure {
    const { running, waiting } = this.load;
    const { queue } = this.#inputs.settings;
    return new RuntimeFailure(
      "QUEUE_FULL",
      `${running} requests run and ${waiting} wait, and the engine's queue holds ${queue}; ` +
        "`await engine.ready()` before each, or give `serve` a longer `queue`",
      { running, waiting, queue },
    );
  }

  /** Keeps a place for whoever is about to take it. */
  #promise(): void {
    const place = {};
    this.#promised.add(place);
    // Whoever does not come at once has lost it.
    setImmediate(() => {
      if (this.#promised.delete(place)) this.#nudge();
    });
  }

  /** Calls as many of those that wait to put a request in line as there is room for. */
  #callThose(): void {
    for (let free = this.#free; free > 0 && this.#callers.length > 0; free--) (this.#callers.shift() as () => void)();
  }

  #nudge(): void {
    this.#nudged = true;
    this.#wake?.();
  }

  async #sleep(): Promise<void> {
    if (!this.#nudged) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#nudged = false;
  }
}

// Implementation

/** With how many of those that come next a prompt is compared. */
const lookedAt = 64;

function isLoss(error: unknown): boolean {
  return error instanceof WorkerLost || error instanceof WorkerUnavailable;
}

function closed(): RuntimeFailure {
  return new RuntimeFailure("ENGINE_CLOSED", "the engine is closed; `model.serve()` gives another");
}
