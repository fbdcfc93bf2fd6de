/** Options of benchmarks: `--name value` or `--name`, all with defaults. */
import { parseArgs } from "node:util";
import { InputError } from "../../dsl/index.ts";

/** Reads options; the defaults say which there are, and a number's default makes it a number. */
export function readOptions<T extends Readonly<Record<string, string | number | boolean>>>(
  given: readonly string[],
  defaults: T,
): { -readonly [K in keyof T]: T[K] extends number ? number : T[K] extends boolean ? boolean : string } {
  const kinds = Object.entries(defaults).map(
    ([name, value]) => [name, { type: typeof value === "boolean" ? "boolean" : "string" }] as const,
  );
  const { values } = parseArgs({ args: [...given], options: Object.fromEntries(kinds) });
  const read = Object.entries(defaults).map(([name, value]) => {
    const found = values[name];
    if (found === undefined) return [name, value];
    if (typeof value !== "number") return [name, found];
    const number = Number(found);
    // What is off by default can be said to be off.
    const least = Math.min(value, 1);
    if (!Number.isInteger(number) || number < least) {
      throw new InputError("OPTION_VALUE", `--${name} is ${found}, and it is a whole number from ${least}`, {
        option: name,
      });
    }
    return [name, number];
  });
  return Object.fromEntries(read);
}
