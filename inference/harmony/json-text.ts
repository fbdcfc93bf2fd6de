/**
 * JSON as Rust's serde_json writes it, which differs from JavaScript's in numbers: `1e21` for `1e+21`, `1e-6` for
 * `0.000001`.
 *
 * Source: dtolnay/ryu, src/pretty/mod.rs (`format64`). A whole number below 2^64 is an integer there, and printed whole.
 */

/** The JSON of a value that JSON can say. `undefined` in an object is left out, as `JSON.stringify` does. */
export function jsonText(value: unknown): string {
  if (typeof value === "number") return Number.isFinite(value) ? numberText(value) : "null";
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value === "object" && value !== null && !("toJSON" in value)) {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${jsonText(each)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

// Implementation

function numberText(value: number): string {
  if (Number.isInteger(value) && value > -(2 ** 63) && value < 2 ** 64) return BigInt(value).toString();
  const [, sign = "", digits = "", power = ""] = /^(-?)(\d(?:\.\d+)?)e([+-]\d+)$/.exec(value.toExponential()) ?? [];
  const exponent = Number(power);
  // Where the decimal point would stand: 1.5 is 1.
  const point = exponent + 1;
  if (point > -5 && point <= 16) {
    const plain = digits.replace(".", "");
    if (point <= 0) return `${sign}0.${"0".repeat(-point)}${plain}`;
    return `${sign}${plain.slice(0, point)}.${plain.slice(point)}`;
  }
  return `${sign}${digits}e${exponent}`;
}
