/** A Python process beside a benchmark that answers each line with a line of JSON. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { projectPython, pythonPath } from "../../runtime-bridge/launch/environment-paths.ts";

export class PythonHelper implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** Starts a script of this folder and waits for its first line. */
  static async start(script: string, ...given: readonly string[]): Promise<PythonHelper> {
    const child = spawn(projectPython, [fileURLToPath(new URL(script, import.meta.url)), ...given], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, PYTHONPATH: pythonPath.join(":"), JAX_PLATFORMS: "cpu" },
    });
    const made = new PythonHelper(child, createInterface(child.stdout)[Symbol.asyncIterator]());
    await made.#next();
    return made;
  }

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  get processId(): number {
    return this.#child.pid!;
  }

  async ask(question: unknown): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(question)}\n`);
    return await this.#next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await ended;
  }

  async #next(): Promise<unknown> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnargs[1]} ended before it answered`);
    return JSON.parse(value);
  }
}
