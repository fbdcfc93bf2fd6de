/**
 * The life of a group: its hosts are driven and watched, and the first that fails alone or falls silent ends it.
 *
 * From then on every call gets one error, which names the host that is to blame.
 */
import { RuntimeFailure } from "../../dsl/errors.ts";
import { type Loss, WorkerError, WorkerLost } from "../errors.ts";
import type { Connection } from "../link/connection.ts";
import type { GatherJudge } from "./gathering.ts";
import { GroupWatch, silenceMs } from "./group-watch.ts";
import { causeOfLoss } from "./host-loss.ts";

// Public API

/** One host of a group, and what is known of its process where it was started here. */
export interface GroupHost {
  readonly connection: Connection;
  readonly address: string;
  /** What is known of its end, if it ends within the time. */
  readonly ending?: ((withinMs: number) => Promise<Loss | undefined>) | undefined;
  readonly about?: Pick<Loss, "processId" | "logFile"> | undefined;
  /** Called when this host is why the group was lost: its log says how. */
  readonly onBlamed?: (() => void) | undefined;
}

export class GroupLife implements GatherJudge {
  readonly hosts: readonly GroupHost[];
  readonly #listeners = new Set<(error: WorkerLost) => void>();
  #watch: GroupWatch | undefined;
  #losing = false;
  #lost: WorkerLost | undefined;
  #closed = false;

  /** @param hosts  in the order of their indices */
  constructor(hosts: readonly GroupHost[]) {
    this.hosts = hosts;
  }

  /**
   * Begins to drive the hosts. A group that another client has just left is free a moment later, so a group that is
   * busy is asked again until `until`, in `performance.now()`.
   *
   * @throws WorkerError when another client still drives the group
   */
  async drive(until: number, signal: AbortSignal | undefined): Promise<void> {
    const connections = this.hosts.map(({ connection }) => connection);
    for (;;) {
      try {
        this.#watch = await GroupWatch.start(connections, {
          onEnd: (index, error) => {
            if (this.#closed) return;
            if (error instanceof WorkerLost) this.onLost(index, error);
            else
              this.onDiverged(
                index,
                `it ended the call that drives it (${error instanceof Error ? error.message : error})`,
              );
          },
          onSilent: (index) => void this.#lose(index, this.#silence(index)),
        });
        return;
      } catch (error) {
        const isBusy = error instanceof WorkerError && error.reason === "GROUP_BUSY";
        if (!isBusy || performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        signal?.throwIfAborted();
      }
    }
  }

  /** Whether the group is neither lost nor closed. */
  get alive(): boolean {
    return this.#lost === undefined && !this.#closed;
  }

  /** What the group was lost to. */
  get lost(): WorkerLost | undefined {
    return this.#lost;
  }

  /** Throws when a call cannot succeed any more. */
  check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#lost) throw this.#lost;
    if (this.#closed) throw new RuntimeFailure("WORKER_CLOSED", "the group was closed by this program");
  }

  close(): void {
    this.#closed = true;
    this.#watch?.stop();
    for (const { connection } of this.hosts) connection.close();
  }

  whenLost(lose: (error: WorkerLost) => void): () => void {
    if (this.#lost) lose(this.#lost);
    else this.#listeners.add(lose);
    return () => this.#listeners.delete(lose);
  }

  onLost(index: number, error: WorkerLost): void {
    void this.#lose(index, error.fields as unknown as Loss);
  }

  onDiverged(index: number, how: string): void {
    void this.#lose(index, { ...this.#about(index), how });
  }

  describe(index: number): string {
    return `host ${index} of the group of ${this.hosts.length} (${this.hosts[index]?.address})`;
  }

  explainOf(index: number, error: unknown): Promise<unknown> {
    return this.hosts[index]!.connection.explain(error);
  }

  // Implementation

  /** Ends the group, once, with the host that is to blame. */
  async #lose(index: number, loss: Loss): Promise<void> {
    if (this.#losing || this.#closed) return;
    this.#losing = true;
    const suspects = this.hosts.map(({ ending }, at) => ({
      index: at,
      ending: async () => await ending?.(endingMs),
      silentMs: () => this.#watch?.silentMs(at) ?? 0,
      silence: () => this.#silence(at),
    }));
    const cause = await causeOfLoss({ index, loss }, suspects);
    this.hosts[cause.index]?.onBlamed?.();
    const host = { index: cause.index, count: this.hosts.length };
    this.#lost = new WorkerLost({ ...this.#about(cause.index), ...cause.loss, host });
    this.#watch?.stop();
    for (const lose of this.#listeners) lose(this.#lost);
    this.#listeners.clear();
    // The others may sit in a collective that will not end: nothing more is asked of them.
    for (const { connection } of this.hosts) connection.close();
  }

  #silence(index: number): Loss {
    const seconds = Math.round((this.#watch?.silentMs(index) ?? silenceMs) / 1000);
    return { ...this.#about(index), how: `it has given no sign of life for ${seconds} s` };
  }

  #about(index: number): Pick<Loss, "address" | "processId" | "logFile"> {
    const { address, about } = this.hosts[index] as GroupHost;
    return { address, ...about };
  }
}

// Implementation

const retryMs = 300;
/** How long a process may take to be seen ended, when another was. */
const endingMs = 1_500;
