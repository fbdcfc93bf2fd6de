/**
 * Progress on stderr: bars that move on a terminal, one plain line a stage elsewhere.
 *
 * Stages have names, so that lines of a log can be told apart and a bar can be taken up again.
 */
import { formatBytes } from "../planning/format-bytes.ts";

// Public API

/** A bar of known or unknown length. */
export interface Bar {
  update(done: number, total: number): void;
  /** Completes the bar's line. */
  finish(note?: string): void;
  /** Takes the bar away: something failed, and an error follows. */
  stop(): void;
}

/** A line that changes while something runs; elsewhere than on a terminal one is written now and then. */
export interface Count {
  update(text: string): void;
  /** Takes the line away, so that something else can be written. */
  clear(): void;
}

/** Times that were taken, in seconds, for a summary. */
export interface Taken {
  readonly name: string;
  readonly seconds: number;
  readonly note: string;
}

export class Progress {
  readonly taken: Taken[] = [];
  readonly #stream: NodeJS.WriteStream;
  readonly #moving: boolean;
  readonly #running = new Map<string, { started: number; timer: NodeJS.Timeout | undefined }>();

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
    this.#moving = stream.isTTY === true && process.env.TERM !== "dumb" && process.env.CI === undefined;
  }

  /** Runs something that has a beginning and an end. */
  async stage<T>(name: string, body: () => Promise<T>): Promise<T> {
    this.begin(name);
    const started = performance.now();
    try {
      const result = await body();
      this.end(name, (performance.now() - started) / 1000, "");
      return result;
    } catch (error) {
      this.#clear(name);
      throw error;
    }
  }

  /** Shows that something of unknown length has begun. */
  begin(name: string): void {
    const started = performance.now();
    const draw = () =>
      this.#draw(`${spinner(performance.now())} ${name} ${((performance.now() - started) / 1000).toFixed(1)} s`);
    this.#running.set(name, { started, timer: this.#moving ? setInterval(draw, 100).unref() : undefined });
    if (this.#moving) draw();
  }

  /** Shows that it has ended. */
  end(name: string, seconds: number, note: string): void {
    this.#clear(name);
    this.taken.push({ name, seconds, note });
    this.#line(name, seconds, note);
  }

  /** A bar for bytes. */
  bar(name: string): Bar {
    const started = performance.now();
    let total = 0;
    const seconds = () => (performance.now() - started) / 1000;
    return {
      update: (done, all) => {
        total = all;
        if (!this.#moving || all === 0) return;
        const filled = Math.round((done / all) * barWidth);
        const rate = done / 1e9 / Math.max(seconds(), 1e-3);
        const marks = "█".repeat(filled) + "░".repeat(barWidth - filled);
        this.#draw(`${name} ${marks} ${formatBytes(done)} of ${formatBytes(all)}, ${rate.toFixed(2)} GB/s`);
      },
      finish: (note) => {
        this.#wipe();
        const rate = total / 1e9 / Math.max(seconds(), 1e-3);
        const said = note ?? (total === 0 ? "" : `${formatBytes(total)}, ${rate.toFixed(2)} GB/s`);
        this.taken.push({ name, seconds: seconds(), note: said });
        this.#line(name, seconds(), said);
      },
      stop: () => this.#wipe(),
    };
  }

  /** Something that is counted while it runs. */
  count(name: string): Count {
    let written: number | undefined;
    return {
      update: (text) => {
        if (this.#moving) this.#draw(`${spinner(performance.now())} ${name}: ${text}`);
        else if (performance.now() - (written ??= performance.now()) > plainMs) {
          written = performance.now();
          this.#stream.write(`${name}: ${text}\n`);
        }
      },
      clear: () => this.#wipe(),
    };
  }

  /** A line for people. */
  say(text: string): void {
    this.#wipe();
    this.#stream.write(`${text}\n`);
  }

  // Implementation

  #clear(name: string): void {
    clearInterval(this.#running.get(name)?.timer);
    this.#running.delete(name);
    this.#wipe();
  }

  #line(name: string, seconds: number, note: string): void {
    this.#stream.write(`${name.padEnd(24)} ${seconds.toFixed(2).padStart(6)} s${note === "" ? "" : `  ${note}`}\n`);
  }

  #draw(text: string): void {
    const width = this.#stream.columns ?? 80;
    this.#stream.write(`\r\x1b[K${text.slice(0, width - 1)}`);
  }

  #wipe(): void {
    if (this.#moving) this.#stream.write("\r\x1b[K");
  }
}

// Implementation

const barWidth = 24;
/** How often a log hears of something that is counted. */
const plainMs = 10_000;

function spinner(now: number): string {
  return "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"[Math.floor(now / 100) % 10] as string;
}
