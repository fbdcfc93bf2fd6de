/**
 * Runs requests on the lanes of one worker, and writes their answers.
 *
 * An iteration asks the scheduler what comes next (./scheduler.ts): chunks of prompts are prefilled, and each lane takes a
 * call of steps through the generation loop (../answers/generation-loop.ts).
 */
import { RuntimeFailure } from "../../dsl/index.ts";
import { isWorkerGone } from "../../runtime-bridge/index.ts";
import type { Answer } from "../answers/answer.ts";
import type { Chunk } from "../programs/buckets.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { EngineCounts, type EngineStatistics } from "./engine-statistics.ts";
import { LaneKeeper, type LaneOpener } from "./lane-keeper.ts";
import type { Request, RowNeeds } from "./request.ts";
import { type Decoding, type PlannedChunk, Scheduler } from "./scheduler.ts";
import type { WaitingLine } from "./waiting-line.ts";

// Public API

/** What the loop needs of its model. */
export interface LaneModel extends LaneOpener {
  /** The row in which an answer goes on from where it is. */
  rowFor(answer: Answer): RowNeeds;
  /** The error to report instead, with what is found out about it. Never rejects. */
  explain(error: unknown, request: Pick<Request, "answer" | "capacity">): Promise<unknown>;
}

export interface LoopSettings {
  /** The chunk of a prompt that begins at `start`. */
  readonly chunkAt: (promptTokens: number, start: number) => Chunk;
  /** Beginnings of prompts are shared up to a multiple of it. */
  readonly grid: number;
  /** How many tokens of rows and prompts one iteration takes. */
  readonly budget: number;
  /** How many bytes all lanes may take. */
  readonly cacheBytes: number;
  /**
   * For latency, running answers take steps while prompts are prefilled, one step in a call while requests wait. For
   * throughput, free rows are filled before a step, and a call goes on until an answer ends by its budget.
   */
  readonly favours: "latency" | "throughput";
  /** How many steps calls grow to; undefined for as many as save time. */
  readonly stepsPerCall: number | undefined;
}

export class EngineLoop {
  readonly #model: LaneModel;
  readonly #settings: LoopSettings;
  readonly #line: WaitingLine | undefined;
  readonly #scheduler: Scheduler<Request>;
  readonly #lanes: LaneKeeper;
  readonly #counts = new EngineCounts();
  readonly #explanations = new Set<Promise<void>>();
  readonly #run: Promise<void>;
  #failure: { readonly error: unknown } | undefined;
  #isClosing = false;
  #isAwake = false;
  #wakeLoop: (() => void) | undefined;

  /** @param line  of callers that wait to submit a request; an iteration lets them in */
  constructor(model: LaneModel, settings: LoopSettings, line?: WaitingLine) {
    this.#model = model;
    this.#settings = settings;
    this.#line = line;
    this.#lanes = new LaneKeeper(model, settings, {
      onOpened: (capacity) => {
        this.#scheduler.opened(capacity);
        this.wake();
      },
      onFailed: (capacity, error) => this.#notOpened(capacity, error),
      onClosed: (capacity) => {
        this.#scheduler.closed(capacity);
        this.wake();
      },
    });
    const { chunkAt, budget, cacheBytes } = settings;
    const sizeOf = (capacity: number) => this.#lanes.planOf(capacity);
    this.#scheduler = new Scheduler({ chunkAt, budget, bytes: cacheBytes, sizeOf });
    this.#run = this.#iterate();
  }

  /** How many requests have a row. */
  get running(): number {
    return this.#scheduler.running;
  }

  /** How many requests wait for a row. */
  get waiting(): number {
    return this.#scheduler.waiting.size;
  }

  /** How long it has prefilled and decoded. Where it favours latency, the two overlap. */
  get seconds(): { readonly prefill: number; readonly decode: number } {
    return { prefill: this.#counts.prefillMs / 1000, decode: this.#counts.decodeMs / 1000 };
  }

  get statistics(): EngineStatistics {
    return this.#counts.report(
      this.#scheduler.lanes.map(({ capacity, size, running }) => ({
        capacity,
        rows: size.rows,
        running,
        prefixes: this.#lanes.find(capacity)?.prefixes?.size ?? 0,
        bytes: size.bytes,
      })),
    );
  }

  /** @throws the error of a lost worker, or RuntimeFailure (`ENGINE_CLOSED`) after `close` */
  requireOpen(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#isClosing) throw closed();
  }

  /** @throws InputError when no lane of that capacity fits into memory */
  requireFit(capacity: number): void {
    this.#lanes.planOf(capacity);
  }

  /** Puts a request at the end of the line. */
  submit(request: Request): void {
    this.#counts.requests++;
    if (request.answer.finished !== undefined) {
      this.#finish(request);
      return;
    }
    this.#scheduler.enqueue(request);
    this.wake();
  }

  /** Takes a request away: nobody reads its answer. */
  cancel(request: Request): void {
    if (request.hasEnded) return;
    this.#counts.cancelled++;
    this.#abandon(request);
    this.wake();
  }

  /** Looks again at what there is to do. */
  wake(): void {
    this.#isAwake = true;
    this.#wakeLoop?.();
  }

  /** Ends all requests with an error, and frees everything. Never rejects. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#endAll(closed());
    this.#lanes.stopOpening(closed());
    await this.#run;
    await Promise.all(this.#explanations);
    await this.#lanes.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation: requests

  #finish(request: Request): void {
    this.#remove(request);
    this.#counts.noteFinished(request);
    request.sink.finish(request.summarize());
  }

  #fail(request: Request, error: unknown): void {
    if (request.hasEnded) return;
    this.#counts.failed++;
    this.#abandon(request);
    // The others go on while it is explained.
    const reported = this.#model.explain(error, request).then((explained) => request.sink.fail(explained));
    this.#explanations.add(reported);
    reported.finally(() => this.#explanations.delete(reported));
  }

  /** Takes a request out before its end. */
  #abandon(request: Request): void {
    const open = this.#lanes.find(request.capacity);
    // Half a prompt is left where prompts are prefilled, and it may hold NaN.
    if (this.#remove(request)?.isPrefilling && open !== undefined) open.needsClearing = true;
  }

  /** Takes a request out, and frees its row. */
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
    this.#line?.releaseCallers();
    this.wake();
  }

  // Implementation: iterations

  async #iterate(): Promise<void> {
    const fillsFirst = this.#settings.favours === "throughput";
    while (!this.#isClosing) {
      let worked = false;
      this.#admit();
      // Again and again: an answer of one token ends with its prefill, and leaves its row to another prompt.
      while (fillsFirst && (await this.#prefill())) {
        worked = true;
        this.#admit();
      }
      const started = performance.now();
      const steps = this.#scheduler.decoding().map((each) => this.#guard(each.capacity, () => this.#decode(each)));
      // The steps are sent already, so they run before these chunks.
      if (!fillsFirst) worked = await this.#prefill();
      await Promise.all(steps);
      if (steps.length > 0) this.#counts.decodeMs += performance.now() - started;
      if (steps.length > 0 || worked) this.#counts.iterations++;
      else if (!this.#isClosing) await this.#sleep();
    }
  }

  /** Gives rows to requests, and opens and closes lanes for them. */
  #admit(): void {
    const { open, close } = this.#scheduler.admit();
    for (const capacity of close) this.#lanes.close(capacity);
    for (const capacity of open) this.#lanes.open(capacity);
    this.#line?.admitCallers(this);
  }

  async #sleep(): Promise<void> {
    if (!this.#isAwake) {
      await new Promise<void>((resolve) => {
        this.#wakeLoop = resolve;
      });
    }
    this.#wakeLoop = undefined;
    this.#isAwake = false;
  }

  async #decode({ capacity, rows }: Decoding<Request>): Promise<void> {
    const { loop } = this.#lanes.get(capacity);
    const computed = this.#lanes.planOf(capacity).rows;
    const requests = new Map(rows.map(({ row, request }) => [row, request]));
    for await (const step of loop.send(requests, { most: this.#mostSteps(requests.values()) })) {
      this.#counts.noteStep(computed, step.size);
      await Promise.all(Array.from(step, ([request, next]) => this.#take(request, next)));
    }
  }

  /** How many steps the next call may make. */
  #mostSteps(requests: Iterable<Request>): number {
    if (this.#scheduler.isSettled) return Number.POSITIVE_INFINITY;
    if (this.#settings.favours === "latency") return 1;
    // The first answer that uses up its budget leaves its row to the next prompt.
    return Math.min(...Array.from(requests, ({ answer }) => answer.room - answer.count));
  }

  /** Chooses a request's next token. Whether that went well; if not, this request alone has failed. */
  async #take(request: Request, next: NextLogits): Promise<boolean> {
    if (request.hasEnded) return true;
    try {
      await request.take(next);
      if (request.hasEnded) return true;
      if (request.answer.finished !== undefined) this.#finish(request);
      else if (request.hasOutgrown) this.#move(request);
      return true;
    } catch (error) {
      this.#fail(request, error);
      return false;
    }
  }

  /** Sends a request to a longer lane. Its tokens so far are prefilled there, always at the same token of the answer. */
  #move(request: Request): void {
    const place = this.#scheduler.remove(request);
    if (place !== undefined) this.#lanes.find(request.capacity)?.lane.free(place.row);
    request.grow(this.#model.rowFor(request.answer).capacity);
    this.#scheduler.enqueueFirst(request);
    this.#counts.moves++;
  }

  // Implementation: prefills

  /** Prefills as far as the budget goes. Whether there was anything to prefill. */
  async #prefill(): Promise<boolean> {
    const started = performance.now();
    let any = false;
    for (const chunk of this.#scheduler.chunks((request) => this.#beginPrompt(request))) {
      any = true;
      await this.#guard(chunk.request.capacity, () => this.#prefillChunk(chunk));
      if (this.#isClosing) break;
    }
    if (any) this.#counts.prefillMs += performance.now() - started;
    return any;
  }

  /** How many positions of a prompt are held; notes where a snapshot of it is worth while. */
  #beginPrompt(request: Request): number {
    request.beginPrefill();
    const { prefixes } = this.#lanes.get(request.capacity);
    request.held = prefixes?.find(request);
    const held = request.held?.length ?? 0;
    // Statistics count prompts, and not the answers that moved.
    if (request.answer.count === 0) {
      this.#counts.notePrompt(held);
      request.reused = held;
    }
    const others = this.#scheduler.upcoming(request.capacity, comparedPrompts);
    request.keepAt = prefixes?.worthKeeping(request, others, held);
    return held;
  }

  async #prefillChunk({ request, row, start, length, bucket, isFirst, isLast }: PlannedChunk<Request>): Promise<void> {
    const open = this.#lanes.get(request.capacity);
    const { lane, prefixes } = open;
    if (isFirst) {
      if (open.needsClearing) await lane.clear();
      open.needsClearing = false;
    }
    // Sent before the chunk, so that the copy is there when the chunk is computed.
    const begun = isFirst ? lane.begin(request.held) : undefined;
    const end = start + length;
    const sizes = { bucket, total: request.promptTokens };
    const wanted = isLast ? request.answer.wanted : undefined;
    const [next] = await Promise.all([lane.chunk(request.tokens.slice(start, end), sizes, wanted), begun]);
    if (request.hasEnded) return;
    if (end === request.keepAt && prefixes !== undefined) {
      request.kept = prefixes.keep(request, end);
      await lane.keep(request.kept);
    }
    if (!isLast || request.hasEnded) return;
    await lane.adopt(row);
    request.enterRow();
    const isTaken = await this.#take(request, next as NextLogits);
    // A snapshot of a prompt that failed may hold what made it fail.
    if (!isTaken && request.kept !== undefined) prefixes?.drop(request.kept);
  }

  // Implementation: failures of lanes

  #notOpened(capacity: number, error: unknown): void {
    this.#scheduler.closed(capacity);
    if (isWorkerGone(error)) this.#lose(error);
    for (const request of this.#scheduler.waiting) if (request.capacity === capacity) this.#fail(request, error);
    this.wake();
  }

  /** Works on a lane. When that fails, its requests fail, and the lane is opened anew for the next ones. */
  async #guard(capacity: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isWorkerGone(error)) return this.#lose(error);
      for (const request of this.#scheduler.abandon(capacity)) this.#fail(request, error);
      // A step and a chunk may fail together: a lane that closes already stays so.
      this.#lanes.close(capacity);
    }
  }

  #lose(error: unknown): void {
    this.#failure ??= { error };
    this.#endAll(this.#failure.error);
  }
}

// Implementation

/** With how many of the next prompts a prompt is compared. */
const comparedPrompts = 64;

function closed(): RuntimeFailure {
  return new RuntimeFailure("ENGINE_CLOSED", "the engine is closed; `model.serve()` gives another");
}
