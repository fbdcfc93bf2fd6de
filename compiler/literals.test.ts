import { describe, expect, test } from "@jest/globals";
import { axis } from "../dsl/axes.ts";
import { type DType, dtypes } from "../dsl/dtype.ts";
import { encode } from "../tests/support/numbers.ts";
import { testWorker } from "../tests/support/worker.ts";
import { decodeFloat, floatFormat } from "./floats.ts";
import { denseLiteral, element } from "./literals.ts";
import { tensorType } from "./stablehlo.ts";

/** Repeatable bits. */
function* randomBits(seed: number): Generator<bigint> {
  let state = BigInt(seed) * 0x9e3779b97f4a7c15n;
  for (;;) {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    yield state ^ (state >> 29n);
  }
}

/** Values of a type: all of 8 bits and less, one in 13 of 16 bits, for a wider one random bits and numbers such as programs hold. */
function values(dtype: DType): number[] {
  const { bits } = floatFormat(dtype);
  if (bits <= 16) {
    const step = bits === 16 ? 13 : 1;
    return Array.from({ length: 2 ** bits / step }, (_, n) => decodeFloat(BigInt(n * step), dtype)).filter(ordinary);
  }
  const source = randomBits(bits);
  const random = Array.from({ length: 1000 }, () =>
    decodeFloat(BigInt.asUintN(bits, source.next().value as bigint), dtype),
  );
  const decimal = [
    0.1,
    0.2,
    1 / 3,
    Math.PI,
    1e-5,
    1e-6,
    10000,
    123456,
    1234567,
    0.00012345678,
    999999.5,
    1e22,
    1e23,
    5e-324,
    1e-45,
  ];
  const powers = Array.from({ length: 80 }, (_, n) => 10 ** (n - 40));
  const near = Array.from({ length: 300 }, (_, n) => (n + 1) / 997);
  const all = [...random, ...decimal, ...powers, ...near].flatMap((value) => [value, -value]);
  return dtype === "f32" ? all.map(Math.fround).filter(ordinary) : all.filter(ordinary);
}

/** NaN of any payload is a pattern of its own, which no number of a program asks for. */
const ordinary = (value: number): boolean => !Number.isNaN(value);

describe("literals", () => {
  test.each(["f4e2m1fn", "f8e5m2", "f8e4m3fn", "f8e8m0fnu", "f16", "bf16", "f32", "f64"] as const)(
    "of %s are what MLIR prints, for every value or some thousands",
    async (dtype) => {
      const all = values(dtype);
      const type = dtypes[dtype].stablehlo;
      const lines = all.map((value, n) => {
        // Given as bits, so that what is printed is MLIR's own idea of the number.
        const hex = Buffer.from(encode([value], dtype))
          .reverse()
          .toString("hex")
          .toUpperCase();
        const bits = dtypes[dtype].bits === 4 ? hex.slice(1) : hex;
        return `  %${n} = stablehlo.constant dense<0x${bits}> : tensor<${type}>`;
      });
      const worker = await testWorker();
      const printed = await worker.formatModule(`func.func @main() {\n${lines.join("\n")}\n  return\n}\n`);
      const found = [...printed.matchAll(/dense<(.*?)> : tensor<[^x]*?>/g)].map((match) => match[1]);
      expect(found.length).toBe(all.length);
      const wrong = all.flatMap((value, n) =>
        element(value, dtype) === found[n] ? [] : [[value, element(value, dtype), found[n]]],
      );
      expect(wrong.slice(0, 20)).toEqual([]);
    },
  );

  test.each(Object.keys(dtypes) as DType[])("of many numbers of %s are the bytes that MLIR prints", async (dtype) => {
    const at = axis("n", 101);
    const some =
      dtype === "bool" ? [1, 0] : dtype === "f8e8m0fnu" ? [1, 2] : dtypes[dtype].kind === "uint" ? [1, 7] : [1, -3];
    const numbers = Array.from({ length: at.size }, (_, n) => (n % 3 === 0 ? some[0]! : some[1]!));
    const type = tensorType(dtype, [at]);
    const text = `%0 = stablehlo.constant dense<[${numbers.map((value) => element(value, dtype)).join(", ")}]> : ${type}`;
    const worker = await testWorker();
    const printed = await worker.formatModule(`func.func @main() -> ${type} {\n${text}\n return %0 : ${type}\n}\n`);
    expect(/dense<(.*?)> :/.exec(printed)?.[1]).toBe(denseLiteral(numbers, dtype, [at]));
  });

  test("nest as their axes do, and are written once where all are equal", () => {
    const [row, column] = [axis("row", 2), axis("column", 2)];
    expect(denseLiteral([1, 2, 3, 4], "i32", [row, column])).toBe("[[1, 2], [3, 4]]");
    expect(denseLiteral([5, 5, 5, 5], "i32", [row, column])).toBe("5");
    expect(denseLiteral([true, false], "bool", [row])).toBe("[true, false]");
    expect(denseLiteral([2n ** 63n - 1n], "i64", [])).toBe("9223372036854775807");
  });

  test("of infinities and NaN are bits", () => {
    expect([-Infinity, Infinity, Number.NaN].map((value) => element(value, "f32"))).toEqual([
      "0xFF800000",
      "0x7F800000",
      "0x7FC00000",
    ]);
  });
});
