/**
 * Watches the hosts of a group: each gives a sign of life every second, in the answers to the call that drives it.
 *
 * A process that was stopped, or a machine that is gone, breaks no connection; silence is all that tells. Silence that
 * this process itself has caused, by not coming round to read, does not count.
 */
import { WorkerService } from "../../proto/generated/worker.ts";
import type { Connection } from "../link/connection.ts";

// Public API

/** How a watch tells of what it sees. */
export interface WatchEvents {
  /** The call that drives a host has failed or ended. */
  onEnd(index: number, error: unknown): void;
  onSilent(index: number): void;
}

/** How long a host may be silent. Python answers late while it parses a module of many megabytes. */
export const silenceMs = 8_000;

export class GroupWatch {
  readonly #beats: number[];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** Begins to drive the hosts. Resolves when each has answered; rejects when one refuses. */
  static async start(connections: readonly Connection[], events: WatchEvents): Promise<GroupWatch> {
    const watch = new GroupWatch(connections.length);
    try {
      await Promise.all(connections.map((connection, index) => watch.#drive(connection, index, events)));
    } catch (error) {
      watch.stop();
      throw error;
    }
    watch.#look(events);
    return watch;
  }

  private constructor(hosts: number) {
    this.#beats = Array.from({ length: hosts }, () => performance.now());
  }

  /** How long a host has been silent. */
  silentMs(index: number): number {
    return performance.now() - (this.#beats[index] as number);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  // Implementation

  #drive(connection: Connection, index: number, events: WatchEvents): Promise<void> {
    return new Promise((resolve, reject) => {
      let begun = false;
      const read = async (): Promise<void> => {
        for await (const _ of connection.receive(WorkerService.drive, {}, {})) {
          this.#beats[index] = performance.now();
          begun = true;
          resolve();
          if (this.#stopped) return;
        }
      };
      const end = (error?: unknown): void => {
        if (!begun) reject(error ?? new Error("a host ended the call that drives it before it began"));
        else if (!this.#stopped) events.onEnd(index, error);
      };
      read().then(() => end(), end);
    });
  }

  #look(events: WatchEvents): void {
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      // This process slept: what the hosts said in the meantime is still to be read.
      if (now - last > 3 * lookMs) this.#beats.fill(now);
      last = now;
      const silent = this.#beats.findIndex((beat) => now - beat > silenceMs);
      if (silent >= 0) events.onSilent(silent);
    }, lookMs);
  }
}

// Implementation

const lookMs = 500;
