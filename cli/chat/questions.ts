/** Where questions come from: a terminal, with editing and a history; or lines of a pipe or a file. */
import { createInterface, type Interface } from "node:readline";

// Public API

/** Gives one question after the other. A line `"""` begins a question of several lines and ends it. */
export interface QuestionSource {
  /** Whether somebody sits there. */
  readonly isTerminal: boolean;
  /** The next one; `undefined` when there are no more, or `signal` aborts where none is begun. Empty ones are left out. */
  next(signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

export function questionsFrom(input: NodeJS.ReadStream, output: NodeJS.WriteStream): QuestionSource {
  const isTerminal = input.isTTY === true && output.isTTY === true;
  const lines = isTerminal ? new TerminalLines(input, output) : new PipedLines(input);
  return {
    isTerminal,
    async next(signal) {
      for (;;) {
        const line = await lines.next("> ", signal);
        if (line === undefined) return undefined;
        const question = line.trim() === fence ? await block(lines, signal) : line;
        if (question.trim() !== "") return question;
      }
    },
    close: () => lines.close(),
  };
}

// Implementation

const fence = '"""';

interface Lines {
  next(prompt: string, signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

/** The lines up to the next fence, or to the end. */
async function block(lines: Lines, signal: AbortSignal): Promise<string> {
  const found: string[] = [];
  for (;;) {
    const line = await lines.next("… ", signal);
    if (line === undefined || line.trim() === fence) return found.join("\n");
    found.push(line);
  }
}

/** One reader for each line: while none is open, the terminal itself makes Ctrl-C an interruption. */
class TerminalLines implements Lines {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  #history: string[] = [];

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  next(prompt: string, signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      const reader = createInterface({
        input: this.#input,
        output: this.#output,
        history: this.#history,
        prompt,
        removeHistoryDuplicates: true,
      });
      const end = (line: string | undefined) => {
        signal.removeEventListener("abort", interrupt);
        reader.removeAllListeners("close").close();
        if (line === undefined) this.#output.write("\n");
        resolve(line);
      };
      const interrupt = () => {
        // As a shell does: first the line is given up, then the shell.
        if (reader.line === "") return end(undefined);
        this.#output.write("^C\n");
        reader.write(null, { ctrl: true, name: "e" });
        reader.write(null, { ctrl: true, name: "u" });
      };
      signal.addEventListener("abort", interrupt);
      reader.on("history", (history: string[]) => {
        this.#history = history;
      });
      reader.on("SIGINT", interrupt);
      reader.on("line", end);
      reader.on("close", () => end(undefined));
      reader.prompt();
    });
  }

  close(): void {}
}

/** Lines as they come, kept while nobody asks. */
class PipedLines implements Lines {
  readonly #reader: Interface;
  readonly #lines: AsyncIterator<string>;

  constructor(input: NodeJS.ReadStream) {
    this.#reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  async next(_prompt: string, signal: AbortSignal): Promise<string | undefined> {
    const aborted = new Promise<undefined>((resolve) => signal.addEventListener("abort", () => resolve(undefined)));
    const next = await Promise.race([this.#lines.next(), aborted]);
    return next === undefined || next.done === true ? undefined : next.value;
  }

  close(): void {
    this.#reader.close();
  }
}
