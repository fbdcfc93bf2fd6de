/**
 * Says what a set-up is doing: a line that moves on a terminal, one line a step elsewhere. Writes to stderr, so that
 * a command's own output can be piped.
 */
const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

export class Progress {
  #running = new Map();
  #start = performance.now();
  #timer;
  #frame = 0;
  #live = process.stderr.isTTY && !process.env.CI;

  /** A line that stays. */
  say(line) {
    this.#clear();
    process.stderr.write(`${line}\n`);
    this.#draw();
  }

  /** Runs `work(detail)` as the step `label`; `detail(text)` says what it is at. */
  async step(label, work) {
    const begun = performance.now();
    const task = { label, begun, detail: "" };
    this.#running.set(label, task);
    if (this.#live) this.#timer ??= setInterval(() => this.#tick(), 100);
    else this.say(`… ${label}`);
    let done = false;
    try {
      const result = await work((text) => {
        task.detail = text;
      });
      done = true;
      return result;
    } finally {
      this.#running.delete(label);
      this.say(`${done ? "✓" : "✗"} ${label}  ${seconds(performance.now() - begun)}`);
      if (this.#running.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  /** The time since the beginning. */
  get elapsed() {
    return seconds(performance.now() - this.#start);
  }

  #tick() {
    this.#frame = (this.#frame + 1) % frames.length;
    this.#clear();
    this.#draw();
  }

  #clear() {
    if (this.#live) process.stderr.write("\r\x1b[K");
  }

  #draw() {
    if (!this.#live || this.#running.size === 0) return;
    const tasks = [...this.#running.values()].map(
      ({ label, begun, detail }) => `${label} ${seconds(performance.now() - begun)}${detail && ` · ${detail}`}`,
    );
    process.stderr.write(`${frames[this.#frame]} ${tasks.join("   ")}`.slice(0, (process.stderr.columns ?? 80) - 1));
  }
}

const seconds = (ms) => (ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);
