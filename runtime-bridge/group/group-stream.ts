/**
 * A session on all hosts of a group, as one stream: what is written goes to all, and an answer comes when all have it.
 */
import { EventEmitter } from "node:events";
import { type ClientDuplexStream, status } from "@grpc/grpc-js";
import type { SessionRequest, SessionResponse } from "../../proto/generated/worker.ts";
import { WorkerLost } from "../errors.ts";
import type { SessionStream, WithoutOrdinal } from "../link/link.ts";
import { aloneText, type GatherJudge, lateText, patienceMs } from "./gathering.ts";

// Public API

/** What a stream needs of its group. */
export interface StreamOwner extends GatherJudge {
  /** Turns what a host's stream failed with into the error that its caller gets. */
  explainOf(index: number, error: unknown): Promise<unknown>;
}

export class GroupStream extends EventEmitter implements SessionStream {
  readonly #owner: StreamOwner;
  readonly #streams: readonly ClientDuplexStream<SessionRequest, SessionResponse>[];
  readonly #nextOrdinal: () => number;
  /** Answers that came and wait for the other hosts', in the order of the requests. */
  readonly #answers: readonly SessionResponse[][];
  readonly #stopListening: () => void;
  #straggling: NodeJS.Timeout | undefined;
  /** How many answers are to come, and since when they are worked at. */
  #outstanding = 0;
  #since = 0;
  #full = 0;
  #ended = 0;
  #failed = false;

  /** @param nextOrdinal  gives the place of the next request in the order that all hosts keep */
  constructor(
    owner: StreamOwner,
    streams: readonly ClientDuplexStream<SessionRequest, SessionResponse>[],
    nextOrdinal: () => number,
  ) {
    super();
    this.#owner = owner;
    this.#streams = streams;
    this.#nextOrdinal = nextOrdinal;
    this.#answers = streams.map(() => []);
    this.#stopListening = owner.whenLost((error) => this.#fail(error));
    for (const [index, stream] of streams.entries()) {
      stream.on("data", (response: SessionResponse) => this.#receive(index, response));
      stream.on("status", ({ code }: { readonly code: number }) => {
        if (code === status.OK) this.#end();
      });
      stream.on("error", (error) => {
        if (this.#failed) return;
        owner.explainOf(index, error).then((explained) => {
          if (explained instanceof WorkerLost) owner.onLost(index, explained);
          else this.#fail(explained);
        });
      });
      stream.on("drain", () => {
        this.#full -= 1;
        if (this.#full === 0) this.emit("drain");
      });
    }
  }

  write(request: WithoutOrdinal<SessionRequest>): boolean {
    const runs = request.step !== undefined || request.fetch !== undefined;
    // Only what runs has its place in the order.
    const sent = { launch: runs ? this.#nextOrdinal() : 0, ...request };
    if (runs && this.#outstanding === 0) this.#since = performance.now();
    if (runs) this.#outstanding += request.step?.repeat ?? 1;
    for (const stream of this.#streams) if (!stream.write(sent)) this.#full += 1;
    return this.#full === 0;
  }

  end(): void {
    for (const stream of this.#streams) stream.end();
  }

  /** What was sent is done on every host, so that all stay in step; only nobody hears of it. */
  cancel(): void {
    this.end();
    for (const stream of this.#streams) stream.resume();
    this.#fail(new Error("the session was cancelled"));
  }

  /** Does nothing: a host that waits for its reader would hold up the launches of other sessions. */
  pause(): void {}

  resume(): void {}

  isPaused(): boolean {
    return false;
  }

  // Implementation

  #receive(index: number, response: SessionResponse): void {
    if (this.#failed) return;
    // A store or a define that was refused ends the session, whichever host says so first.
    if (response.error !== undefined && response.sequence === 0) {
      this.emit("data", response);
      return;
    }
    this.#answers[index]?.push(response);
    while (this.#answers.every(({ length }) => length > 0)) {
      clearTimeout(this.#straggling);
      this.#straggling = undefined;
      this.#merge(this.#answers.map((each) => each.shift() as SessionResponse));
    }
    if (this.#answers.some(({ length }) => length > 0)) {
      this.#straggling ??= setTimeout(() => this.#late(), patienceMs(this.#since));
    }
  }

  #merge(responses: readonly SessionResponse[]): void {
    this.#outstanding -= 1;
    this.#since = performance.now();
    const failed = responses.findIndex(({ error }) => error !== undefined);
    if (failed < 0 || responses.every(({ error }) => error !== undefined)) {
      this.emit("data", responses[0]);
    } else {
      this.#owner.onDiverged(failed, aloneText({ error: responses[failed]?.error?.message }));
    }
  }

  #late(): void {
    const failed = this.#answers.findIndex(([first]) => first?.error !== undefined);
    if (failed >= 0) this.#owner.onDiverged(failed, aloneText({ error: this.#answers[failed]?.[0]?.error?.message }));
    else
      this.#owner.onDiverged(
        this.#answers.findIndex(({ length }) => length === 0),
        lateText,
      );
  }

  #end(): void {
    this.#ended += 1;
    if (this.#ended < this.#streams.length || this.#failed) return;
    this.#stopListening();
    clearTimeout(this.#straggling);
    this.emit("status", { code: status.OK });
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#stopListening();
    clearTimeout(this.#straggling);
    this.emit("error", error);
  }
}
