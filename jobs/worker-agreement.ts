/**
 * Which weights and versions a job's answers come from: decided once, before any token is made.
 *
 * By what the output holds already, where it holds answers; otherwise by most of the workers that answered in time, the
 * one that was named first where they are as many. Whoever differs, then or later, is set aside.
 */
import { InputError } from "../dsl/index.ts";
import { difference, type Identity } from "./worker-identity.ts";

// Public API

/** A worker that has said what it is. */
export interface Candidate {
  readonly name: string;
  readonly identity: Identity;
  /** Works its fingerprint out; the same for the same identity. */
  readonly fingerprint: () => Promise<string>;
}

/** A worker whose answers would be others. */
export class WorkerDiffers extends InputError {}

export class Agreement {
  readonly #names: string[] = [];
  readonly #recorded: string | undefined;
  readonly #graceMs: number;
  readonly #waiting = new Map<string, Candidate>();
  readonly #absent = new Set<string>();
  readonly #fingerprints = new Map<string, Promise<string>>();
  #timer: NodeJS.Timeout | undefined;
  #decide: () => void = () => {};
  readonly #time: Promise<void>;
  #chosen: Promise<Candidate> | undefined;

  /**
   * @param recorded  the fingerprint that the output holds
   * @param graceMs  how long the first to answer waits for the others; by default as long as it takes to tell that one
   *   cannot be reached
   */
  constructor(recorded: string | undefined, graceMs = 10_000) {
    this.#recorded = recorded;
    this.#graceMs = graceMs;
    this.#time = new Promise((resolve) => {
      this.#decide = resolve;
    });
  }

  /** A worker is there to be asked. */
  expect(name: string): void {
    this.#names.push(name);
  }

  /** A worker cannot be reached now, so nobody waits for it. */
  absent(name: string): void {
    this.#absent.add(name);
    this.#look();
  }

  /**
   * Waits for the decision.
   *
   * @returns the job's fingerprint
   * @throws WorkerDiffers for a worker that is not alike
   */
  async accept(candidate: Candidate): Promise<string> {
    const found = await this.#fingerprintOf(candidate);
    if (this.#recorded !== undefined && found !== this.#recorded) {
      this.absent(candidate.name);
      throw new WorkerDiffers(
        "JOB_MODEL_DIFFERS",
        `the output holds answers of ${this.#recorded}, and ${candidate.name} would answer as ${found}: ` +
          "another model, other weights, or weights held otherwise\n  give the job the model it began with, or another --output",
        { worker: candidate.name, wanted: this.#recorded, found },
      );
    }
    this.#waiting.set(candidate.name, candidate);
    this.#timer ??= setTimeout(() => this.#decide(), this.#graceMs);
    this.#look();
    await this.#time;
    clearTimeout(this.#timer);
    this.#chosen ??= Promise.resolve(this.#choose());
    const chosen = await this.#chosen;
    const what = difference(chosen.identity, candidate.identity);
    if (what === undefined) return found;
    const [wanted, other] = [chosen.identity[what], candidate.identity[what]];
    throw new WorkerDiffers(
      "WORKER_DIFFERS",
      `${candidate.name} differs from ${chosen.name} in ${what}\n  ${chosen.name}  ${wanted}\n  ${candidate.name}  ${other}`,
      { worker: candidate.name, what, wanted, found: other },
    );
  }

  // Implementation

  #fingerprintOf({ identity, fingerprint }: Candidate): Promise<string> {
    const key = JSON.stringify([identity["the weights"], identity["configuration, tokenizer or template"]]);
    const known = this.#fingerprints.get(key) ?? fingerprint();
    this.#fingerprints.set(key, known);
    // Of a worker that was lost on the way another may be asked.
    known.catch(() => this.#fingerprints.delete(key));
    return known;
  }

  #look(): void {
    const isOut = (name: string) => this.#waiting.has(name) || this.#absent.has(name);
    if (this.#waiting.size > 0 && this.#names.every(isOut)) this.#decide();
  }

  #choose(): Candidate {
    const inOrder = this.#names.flatMap((name) => this.#waiting.get(name) ?? []);
    const all = inOrder.length > 0 ? inOrder : [...this.#waiting.values()];
    const alike = ({ identity }: Candidate) =>
      all.filter((each) => difference(each.identity, identity) === undefined).length;
    return all.reduce((best, each) => (alike(each) > alike(best) ? each : best));
  }
}
