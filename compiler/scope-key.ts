/**
 * When two traced functions are the same function: a key that is equal only if they lower to the same text.
 *
 * Lowering one of thirty equal layers, and not thirty to see that their texts agree, halves the time to text.
 */
import type { Scope } from "../dsl/graph.ts";
import type { Tensor } from "../dsl/tensor.ts";

// Public API

/** Makes keys that can be compared with each other. */
export class ScopeKeys {
  readonly #identities = new Map<unknown, number>();

  /**
   * What a function does: its ops, their attributes and types, and who takes whose result. Where it was written and what
   * its module is called do not count.
   */
  of(scope: Scope): string {
    const numbers = new Map<Tensor<string>, number>();
    const parts: string[] = [];
    this.#scope(scope, numbers, parts);
    return parts.join(" ");
  }

  #scope(scope: Scope, numbers: Map<Tensor<string>, number>, parts: string[]): void {
    const declare = (each: Tensor<string>) => {
      numbers.set(each, numbers.size);
      parts.push(each.dtype, ...each.axes.map(({ name, size }) => `${name}:${size}`));
    };
    const use = (each: Tensor<string>) => void parts.push(String(numbers.get(each) ?? this.#identity(each)));
    parts.push(scope.kind, "(");
    scope.arguments.forEach(declare);
    for (const { op, attributes, inputs, outputs, scopes } of scope.nodes) {
      parts.push(";", this.#identity(op), this.#text(attributes));
      inputs.forEach(use);
      for (const inner of scopes) this.#scope(inner, numbers, parts);
      parts.push("=");
      outputs.forEach(declare);
    }
    parts.push("return");
    scope.results.forEach(use);
    parts.push(")");
  }

  /** What is no plain data is equal to itself alone. */
  #text(of: unknown): string {
    if (typeof of === "string") return JSON.stringify(of);
    if (typeof of === "number") return Object.is(of, -0) ? "-0" : String(of);
    if (typeof of === "bigint") return `${of}n`;
    if (typeof of === "boolean" || of === undefined || of === null) return String(of);
    if (Array.isArray(of)) return `[${of.map((each) => this.#text(each)).join()}]`;
    if (Object.getPrototypeOf(of) !== Object.prototype) return this.#identity(of);
    const entries = Object.entries(of as object).map(([name, each]) => `${name}:${this.#text(each)}`);
    return `{${entries.sort().join()}}`;
  }

  #identity(of: unknown): string {
    const known = this.#identities.get(of) ?? this.#identities.size;
    this.#identities.set(of, known);
    return `#${known}`;
  }
}
