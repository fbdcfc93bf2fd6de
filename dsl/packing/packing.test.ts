import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { HostTensor } from "../../runtime-bridge/index.ts";
import { readSafetensors } from "../../runtime-bridge/safetensors.ts";
import { expected } from "../../tests/ops/expected.ts";
import { fixtures } from "../../tests/parity/digest.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import { decode } from "../../tests/support/numbers.ts";
import { refusalOf } from "../../tests/support/refusal.ts";
import {
  type Axis,
  axes,
  axis,
  type DType,
  type Inputs,
  type PackedFormat,
  type Packing,
  packingOf,
  packings,
  type Tensor,
} from "../index.ts";

const ax = { ...axes({ row: 3, column: 64 }), column32: axis("column", 32) };
const tolerance = { because: "-0 and 0 weigh nothing alike" };

/** E2M1 by code. */
const codes = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6];

/** What gguf-py and numpy make of the same numbers (tests/ops/make_expected.py). */
const { quantised } = expected;

/** What packing in the language gives, by the parts' names. */
function packed({ input }: Inputs, format: "q8_0" | "int8") {
  const of = [ax.row, ax.column];
  const { parts, pack }: Packing = packings[format];
  const made = pack?.(input("x", "f32", ...of) as unknown as Tensor<string>, of) ?? [];
  return Object.fromEntries(parts(of).map(({ name }, n) => [name, made[n]]));
}

// Values whose scales are powers of two, so that every step is exact: the largest is 127 steps.
const step = [2 ** -7, 0.5, 4];
const steps = Array.from({ length: 64 }, (_, n) => (n % 32 === 0 ? 127 : ((n * 37) % 255) - 127));
const exact = step.map((scale) => steps.map((each) => each * scale));

/** The weight of that packed form, given as its parts, in f32 and in bf16. */
function unpacked({ input }: Inputs, format: PackedFormat, of: readonly Axis[]) {
  const { parts, unpack } = packings[format];
  const given = parts(of).map(({ name, dtype, axes: each }) => input(name, dtype, ...each) as Tensor<string>);
  return { f32: unpack(given, of, "f32"), bf16: unpack(given, of, "bf16") };
}

describe("mxfp4", () => {
  let file: ReadonlyMap<string, HostTensor>;
  const numbers = (name: string, dtype: DType) => decode((file.get(name) as HostTensor).data, dtype) as number[];

  beforeAll(async () => {
    file = await readSafetensors(join(fixtures, "mxfp4.safetensors"));
  });

  test("has every code under every scale as the standard says", async () => {
    const from = (first: number, width: number, all: readonly number[]) => all.slice(first * width);
    const wanted = from(2, 32, numbers("values", "f32"));
    const { results } = await checkProgram((given) => unpacked(given, "mxfp4", [axis("scale", 253), ax.column32]), {
      inputs: { blocks: from(2, 16, numbers("blocks", "u8")), scales: from(2, 1, numbers("scales", "u8")) },
      expected: { f32: wanted, bf16: wanted },
      tolerance,
    });
    // Beyond bf16 and f32: 4 and 6 under 253; 2, 3, 4 and 6 under 254; of both signs, each code twice.
    expect(results.bf16?.filter((value) => Math.abs(value as number) === Infinity)).toHaveLength(8 + 16);
  });

  // Scale 0 is 2^-127, a subnormal number, and so is a half under scale 1: XLA on CPU takes those for 0. Beside weights
  // that are heard, 7e-38 and less is nothing.
  test("of scales 0 and 1 has zeros where the processor has no subnormal numbers", async () => {
    const wanted = numbers("values", "f32").slice(0, 64);
    const flushed = wanted.map((value, n) => (n < 32 || Math.abs(value) < 2 ** -126 ? 0 : value));
    const differs = "it has subnormal numbers";
    await checkProgram((given) => unpacked(given, "mxfp4", [axis("scale", 2), ax.column32]), {
      inputs: { blocks: numbers("blocks", "u8").slice(0, 32), scales: [0, 1] },
      expected: { f32: flushed, bf16: flushed },
      interpreterDiffers: { f32: differs, bf16: differs },
      tolerance,
    });
    expect(flushed.filter((value, n) => value !== wanted[n])).toHaveLength(28 + 4);
    expect(Math.max(...wanted.slice(0, 32))).toBeLessThan(4e-38);
  });

  test("is decoded in whole numbers and scaled in bf16", async () => {
    const { text } = await checkProgram((given) => unpacked(given, "mxfp4", [ax.column32]).f32, {
      inputs: { blocks: Array.from({ length: 16 }, (_, n) => n * 17), scales: [128] },
      expected: codes.flatMap((value) => [2 * value, 2 * value]),
      tolerance,
    });
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<1x16xui8>, %arg1: tensor<1xui8>) -> tensor<32xf32> {
  %0 = stablehlo.convert %arg0 : (tensor<1x16xui8>) -> tensor<1x16xi32>
  %c = stablehlo.constant dense<15> : tensor<i32>
  %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %2 = stablehlo.and %0, %1 : tensor<1x16xi32>
  %c_0 = stablehlo.constant dense<7> : tensor<i32>
  %3 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %4 = stablehlo.and %2, %3 : tensor<1x16xi32>
  %c_1 = stablehlo.constant dense<1> : tensor<i32>
  %5 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %6 = stablehlo.and %4, %5 : tensor<1x16xi32>
  %c_2 = stablehlo.constant dense<2> : tensor<i32>
  %7 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %8 = stablehlo.add %6, %7 : tensor<1x16xi32>
  %c_3 = stablehlo.constant dense<1> : tensor<i32>
  %9 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %10 = stablehlo.shift_right_logical %4, %9 : tensor<1x16xi32>
  %c_4 = stablehlo.constant dense<1> : tensor<i32>
  %11 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %12 = stablehlo.subtract %10, %11 : tensor<1x16xi32>
  %c_5 = stablehlo.constant dense<0> : tensor<i32>
  %13 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %14 = stablehlo.maximum %12, %13 : tensor<1x16xi32>
  %15 = stablehlo.shift_left %8, %14 : tensor<1x16xi32>
  %c_6 = stablehlo.constant dense<2> : tensor<i32>
  %16 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %17 = stablehlo.compare LT, %4, %16, SIGNED : (tensor<1x16xi32>, tensor<1x16xi32>) -> tensor<1x16xi1>
  %18 = stablehlo.select %17, %4, %15 : tensor<1x16xi1>, tensor<1x16xi32>
  %c_7 = stablehlo.constant dense<7> : tensor<i32>
  %19 = stablehlo.broadcast_in_dim %c_7, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %20 = stablehlo.compare GT, %2, %19, SIGNED : (tensor<1x16xi32>, tensor<1x16xi32>) -> tensor<1x16xi1>
  %21 = stablehlo.negate %18 : tensor<1x16xi32>
  %22 = stablehlo.select %20, %21, %18 : tensor<1x16xi1>, tensor<1x16xi32>
  %23 = stablehlo.convert %22 : (tensor<1x16xi32>) -> tensor<1x16xbf16>
  %cst = stablehlo.constant dense<5.000000e-01> : tensor<bf16>
  %24 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<bf16>) -> tensor<1x16xbf16>
  %25 = stablehlo.multiply %23, %24 : tensor<1x16xbf16>
  %c_8 = stablehlo.constant dense<4> : tensor<i32>
  %26 = stablehlo.broadcast_in_dim %c_8, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %27 = stablehlo.shift_right_logical %0, %26 : tensor<1x16xi32>
  %c_9 = stablehlo.constant dense<7> : tensor<i32>
  %28 = stablehlo.broadcast_in_dim %c_9, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %29 = stablehlo.and %27, %28 : tensor<1x16xi32>
  %c_10 = stablehlo.constant dense<1> : tensor<i32>
  %30 = stablehlo.broadcast_in_dim %c_10, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %31 = stablehlo.and %29, %30 : tensor<1x16xi32>
  %c_11 = stablehlo.constant dense<2> : tensor<i32>
  %32 = stablehlo.broadcast_in_dim %c_11, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %33 = stablehlo.add %31, %32 : tensor<1x16xi32>
  %c_12 = stablehlo.constant dense<1> : tensor<i32>
  %34 = stablehlo.broadcast_in_dim %c_12, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %35 = stablehlo.shift_right_logical %29, %34 : tensor<1x16xi32>
  %c_13 = stablehlo.constant dense<1> : tensor<i32>
  %36 = stablehlo.broadcast_in_dim %c_13, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %37 = stablehlo.subtract %35, %36 : tensor<1x16xi32>
  %c_14 = stablehlo.constant dense<0> : tensor<i32>
  %38 = stablehlo.broadcast_in_dim %c_14, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %39 = stablehlo.maximum %37, %38 : tensor<1x16xi32>
  %40 = stablehlo.shift_left %33, %39 : tensor<1x16xi32>
  %c_15 = stablehlo.constant dense<2> : tensor<i32>
  %41 = stablehlo.broadcast_in_dim %c_15, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %42 = stablehlo.compare LT, %29, %41, SIGNED : (tensor<1x16xi32>, tensor<1x16xi32>) -> tensor<1x16xi1>
  %43 = stablehlo.select %42, %29, %40 : tensor<1x16xi1>, tensor<1x16xi32>
  %c_16 = stablehlo.constant dense<7> : tensor<i32>
  %44 = stablehlo.broadcast_in_dim %c_16, dims = [] : (tensor<i32>) -> tensor<1x16xi32>
  %45 = stablehlo.compare GT, %27, %44, SIGNED : (tensor<1x16xi32>, tensor<1x16xi32>) -> tensor<1x16xi1>
  %46 = stablehlo.negate %43 : tensor<1x16xi32>
  %47 = stablehlo.select %45, %46, %43 : tensor<1x16xi1>, tensor<1x16xi32>
  %48 = stablehlo.convert %47 : (tensor<1x16xi32>) -> tensor<1x16xbf16>
  %cst_17 = stablehlo.constant dense<5.000000e-01> : tensor<bf16>
  %49 = stablehlo.broadcast_in_dim %cst_17, dims = [] : (tensor<bf16>) -> tensor<1x16xbf16>
  %50 = stablehlo.multiply %48, %49 : tensor<1x16xbf16>
  %51 = stablehlo.reshape %25 : (tensor<1x16xbf16>) -> tensor<1x16x1xbf16>
  %52 = stablehlo.reshape %50 : (tensor<1x16xbf16>) -> tensor<1x16x1xbf16>
  %53 = stablehlo.concatenate %51, %52, dim = 2 : (tensor<1x16x1xbf16>, tensor<1x16x1xbf16>) -> tensor<1x16x2xbf16>
  %54 = stablehlo.bitcast_convert %arg1 : (tensor<1xui8>) -> tensor<1xf8E8M0FNU>
  %55 = stablehlo.convert %54 : (tensor<1xf8E8M0FNU>) -> tensor<1xbf16>
  %56 = stablehlo.broadcast_in_dim %55, dims = [0] : (tensor<1xbf16>) -> tensor<1x16x2xbf16>
  %57 = stablehlo.multiply %53, %56 : tensor<1x16x2xbf16>
  %58 = stablehlo.reshape %57 : (tensor<1x16x2xbf16>) -> tensor<1x32xbf16>
  %59 = stablehlo.reshape %58 : (tensor<1x32xbf16>) -> tensor<32xbf16>
  %60 = stablehlo.optimization_barrier %59 : tensor<32xbf16>
  %61 = stablehlo.convert %60 : (tensor<32xbf16>) -> tensor<32xf32>
  return %61 : tensor<32xf32>
}
`);
  });

  test("keeps other axes apart", async () => {
    const of = [ax.row, ax.column];
    const bytes = Array.from({ length: 96 }, (_, n) => (n * 29 + 7) % 256);
    const scales = [127, 128, 126, 120, 130, 127];
    const wanted = bytes.flatMap((byte, n) =>
      [byte & 15, byte >> 4].map((code) => (codes[code] as number) * 2 ** ((scales[n >> 4] as number) - 127)),
    );
    const { program } = await checkProgram((given) => unpacked(given, "mxfp4", of), {
      inputs: { blocks: bytes, scales },
      expected: { f32: wanted, bf16: wanted },
      tolerance,
    });
    expect(program.signature.arguments.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ["blocks", "u8", [3, 2, 16]],
      ["scales", "u8", [3, 2]],
    ]);
  });

  test("is not made here: a checkpoint has to hold it", () => {
    expect("pack" in packings.mxfp4).toBe(false);
  });
});

describe("q8_0 and int8", () => {
  test.each(["q8_0", "int8"] as const)("%s gives back what its steps can say", async (format) => {
    await checkProgram(
      (given) => {
        const parts = packed(given, format) as Readonly<Record<string, Tensor<string>>>;
        const of = [ax.row, ax.column];
        return { ...parts, again: packings[format].unpack(Object.values(parts), of, "f32") };
      },
      {
        inputs: { x: exact },
        expected: {
          elements: step.flatMap(() => steps),
          scales: format === "int8" ? step : step.flatMap((scale) => [scale, scale]),
          again: exact,
        },
      },
    );
  });

  test("q8_0 gives the bits of GGML's quantiser", async () => {
    await checkProgram((given) => packed(given, "q8_0"), {
      inputs: { x: quantised.values },
      expected: { elements: quantised.q8_0.elements, scales: quantised.q8_0.scales },
    });
  });

  test("int8 has a row's largest magnitude at 127, and is within half a step", async () => {
    const { results } = await checkProgram((given) => packed(given, "int8"), {
      inputs: { x: quantised.values },
      expected: { elements: quantised.int8.elements, scales: quantised.int8.scales },
    });
    const scales = results.scales as number[];
    const elements = results.elements as number[];
    quantised.values.forEach((value, n) => {
      const scale = scales[Math.floor(n / 64)] as number;
      expect(Math.abs((elements[n] as number) * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
    });
  });

  test("of zeros are zeros", async () => {
    const zeros = Array(192).fill(0);
    await checkProgram((given) => packed(given, "q8_0"), {
      inputs: { x: zeros },
      expected: { elements: zeros, scales: [0, 0, 0, 0, 0, 0] },
      tolerance,
    });
    await checkProgram((given) => packed(given, "int8"), {
      inputs: { x: zeros },
      expected: { elements: zeros, scales: [0, 0, 0] },
      tolerance,
    });
  });

  test("are multiplied in f32 and rounded once", async () => {
    const inputs = { elements: Array.from({ length: 192 }, (_, n) => (n % 255) - 127), scales: Array(6).fill(0.3) };
    // What an f16 makes of 0.3.
    const scale = 0.300048828125;
    const wanted = inputs.elements.map((each) => Math.fround(each * scale));
    const { text } = await checkProgram((given) => unpacked(given, "q8_0", [ax.row, ax.column]), {
      inputs,
      expected: { f32: wanted, bf16: wanted },
    });
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<3x2x32xi8>, %arg1: tensor<3x2xf16>) -> (tensor<3x64xf32>, tensor<3x64xbf16>) {
  %0 = stablehlo.convert %arg0 : (tensor<3x2x32xi8>) -> tensor<3x2x32xf32>
  %1 = stablehlo.convert %arg1 : (tensor<3x2xf16>) -> tensor<3x2xf32>
  %2 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x32xf32>
  %3 = stablehlo.multiply %0, %2 : tensor<3x2x32xf32>
  %4 = stablehlo.reshape %3 : (tensor<3x2x32xf32>) -> tensor<3x64xf32>
  %5 = stablehlo.convert %arg0 : (tensor<3x2x32xi8>) -> tensor<3x2x32xf32>
  %6 = stablehlo.convert %arg1 : (tensor<3x2xf16>) -> tensor<3x2xf32>
  %7 = stablehlo.broadcast_in_dim %6, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x32xf32>
  %8 = stablehlo.multiply %5, %7 : tensor<3x2x32xf32>
  %9 = stablehlo.convert %8 : (tensor<3x2x32xf32>) -> tensor<3x2x32xbf16>
  %10 = stablehlo.reshape %9 : (tensor<3x2x32xbf16>) -> tensor<3x64xbf16>
  return %4, %10 : tensor<3x64xf32>, tensor<3x64xbf16>
}
`);
    const byRow = inputs.elements.map((each) => Math.fround(each * Math.fround(0.3)));
    await checkProgram((given) => unpacked(given, "int8", [ax.row, ax.column]), {
      inputs: { ...inputs, scales: Array(3).fill(0.3) },
      expected: { f32: byRow, bf16: byRow },
    });
  });
});

describe("packings", () => {
  test("of blocks refuse an axis that is no multiple of 32", () => {
    const narrow = [ax.row, axis("embed", 40)];
    expect(refusalOf(() => packings.mxfp4.parts(narrow))).toMatchInlineSnapshot(`
InputError PACKING
MXFP4 packs 32 elements a block, and axis 'embed' has 40
`);
    expect(refusalOf(() => packings.q8_0.parts(narrow))).toMatchInlineSnapshot(`
InputError PACKING
q8_0 packs 32 elements a block, and axis 'embed' has 40
`);
    expect(packings.int8.parts(narrow)).toHaveLength(2);
  });

  test("are found by name, and an element type is not a packing", () => {
    expect(packingOf("q8_0")).toBe(packings.q8_0);
    expect(packingOf("bf16")).toBeUndefined();
  });
});

describe("e5m2", () => {
  const row = (values: readonly number[]) => ({ values, of: [axis("row", values.length / 64), ax.column] as const });
  /** Every magnitude of FP4, of both signs, under the scales 2^low … 2^(low + 31): two blocks of 32 for each. */
  const fp4Under = (exponents: readonly number[]) =>
    exponents.flatMap((exponent) => Array.from({ length: 32 }, (_, n) => (codes[n % 16] as number) * 2 ** exponent));

  /** What comes back, and whether it is all of what went in. */
  const roundTrip = async (values: readonly number[]) => {
    const { of } = row(values);
    const { parts, pack, unpack }: Packing = packings.e5m2;
    const { results } = await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ...of) as unknown as Tensor<string>;
        const packed = pack?.(x, [...of]) as readonly Tensor<string>[];
        return {
          same: unpack(packed, [...of], "f32")
            .eq(x as never)
            .cast("i32"),
          f32: unpack(packed, [...of], "f32"),
        };
      },
      { inputs: { x: values }, tolerance },
    );
    expect(parts([...of]).map(({ dtype }) => dtype)).toEqual(["f8e5m2", "u8"]);
    return (results.same as number[]).filter((each) => each === 0).length;
  };

  // A row holds two blocks here. Its largest gets E5M2's largest exponent, so the smaller may lie this far below.
  test.each([-90, -20, 0, 1, 90])(
    "holds every code of FP4 in rows whose blocks spread by up to 27, around 2^%i",
    async (around) => {
      const spreads = Array.from({ length: 28 }, (_, spread) => [around, around - spread]).flat();
      expect(await roundTrip(fp4Under(spreads))).toBe(0);
    },
  );

  test("cannot hold rows that spread further, which is told by what comes back", async () => {
    expect(await roundTrip(fp4Under([0, -40]))).toBeGreaterThan(0);
  });

  test("holds rows of zeros", async () => {
    expect(await roundTrip(Array<number>(64).fill(0))).toBe(0);
  });

  test("is multiplied before its rows are scaled", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const of = [ax.row, ax.column32];
        const given = [
          input("elements", "f8e5m2", ...of),
          input("scales", "u8", ax.row),
        ] as unknown as Tensor<string>[];
        const weight = packings.e5m2.unpack(given, of, "f32");
        return (input("x", "f32", ax.column32) as unknown as Tensor<string>).dot(weight, "column");
      },
      {
        inputs: {
          elements: [1, 2, -0.5].map((value) => Array<number>(32).fill(value)),
          scales: [127, 130, 126],
          x: Array<number>(32).fill(1),
        },
        expected: [32, 512, -8],
      },
    );
    expect(text.indexOf("dot_general")).toBeLessThan(text.indexOf("stablehlo.multiply"));
  });
});
