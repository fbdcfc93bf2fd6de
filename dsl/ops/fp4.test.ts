import { describe, expect, test } from "@jest/globals";
import { lower } from "../../compiler/index.ts";
import type { HostTensor } from "../../runtime-bridge/index.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import { decode } from "../../tests/support/numbers.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { testWorker } from "../../tests/support/worker.ts";
import { axes, decodeFp4, trace } from "../index.ts";

const ax = axes({ byte: 2, nibble: 2, every: 256 });

/** E2M1, by its definition: the codes 0 … 15. */
const values = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

describe("decodeFp4", () => {
  test("gives the two elements of a byte, the low half first", async () => {
    const { text, program } = await checkProgram(({ input }) => decodeFp4(input("x", "u8", ax.byte), ax.nibble), {
      inputs: { x: [0x21, 0xf7] },
      expected: [
        [0.5, 1],
        [6, -6],
      ],
    });
    expect(program.signature.results.map(({ dtype, axes: of }) => [dtype, of])).toEqual([["bf16", ["byte", "nibble"]]]);
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<2xui8>) -> tensor<2x2xbf16> {
  %0 = stablehlo.convert %arg0 : (tensor<2xui8>) -> tensor<2xi32>
  %c = stablehlo.constant dense<15> : tensor<i32>
  %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %2 = stablehlo.and %0, %1 : tensor<2xi32>
  %c_0 = stablehlo.constant dense<7> : tensor<i32>
  %3 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %4 = stablehlo.and %2, %3 : tensor<2xi32>
  %c_1 = stablehlo.constant dense<1> : tensor<i32>
  %5 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %6 = stablehlo.and %4, %5 : tensor<2xi32>
  %c_2 = stablehlo.constant dense<2> : tensor<i32>
  %7 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %8 = stablehlo.add %6, %7 : tensor<2xi32>
  %c_3 = stablehlo.constant dense<1> : tensor<i32>
  %9 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %10 = stablehlo.shift_right_logical %4, %9 : tensor<2xi32>
  %c_4 = stablehlo.constant dense<1> : tensor<i32>
  %11 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %12 = stablehlo.subtract %10, %11 : tensor<2xi32>
  %c_5 = stablehlo.constant dense<0> : tensor<i32>
  %13 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %14 = stablehlo.maximum %12, %13 : tensor<2xi32>
  %15 = stablehlo.shift_left %8, %14 : tensor<2xi32>
  %c_6 = stablehlo.constant dense<2> : tensor<i32>
  %16 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %17 = stablehlo.compare LT, %4, %16, SIGNED : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi1>
  %18 = stablehlo.select %17, %4, %15 : tensor<2xi1>, tensor<2xi32>
  %c_7 = stablehlo.constant dense<7> : tensor<i32>
  %19 = stablehlo.broadcast_in_dim %c_7, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %20 = stablehlo.compare GT, %2, %19, SIGNED : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi1>
  %21 = stablehlo.negate %18 : tensor<2xi32>
  %22 = stablehlo.select %20, %21, %18 : tensor<2xi1>, tensor<2xi32>
  %23 = stablehlo.convert %22 : (tensor<2xi32>) -> tensor<2xbf16>
  %cst = stablehlo.constant dense<5.000000e-01> : tensor<bf16>
  %24 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<bf16>) -> tensor<2xbf16>
  %25 = stablehlo.multiply %23, %24 : tensor<2xbf16>
  %c_8 = stablehlo.constant dense<4> : tensor<i32>
  %26 = stablehlo.broadcast_in_dim %c_8, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %27 = stablehlo.shift_right_logical %0, %26 : tensor<2xi32>
  %c_9 = stablehlo.constant dense<7> : tensor<i32>
  %28 = stablehlo.broadcast_in_dim %c_9, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %29 = stablehlo.and %27, %28 : tensor<2xi32>
  %c_10 = stablehlo.constant dense<1> : tensor<i32>
  %30 = stablehlo.broadcast_in_dim %c_10, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %31 = stablehlo.and %29, %30 : tensor<2xi32>
  %c_11 = stablehlo.constant dense<2> : tensor<i32>
  %32 = stablehlo.broadcast_in_dim %c_11, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %33 = stablehlo.add %31, %32 : tensor<2xi32>
  %c_12 = stablehlo.constant dense<1> : tensor<i32>
  %34 = stablehlo.broadcast_in_dim %c_12, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %35 = stablehlo.shift_right_logical %29, %34 : tensor<2xi32>
  %c_13 = stablehlo.constant dense<1> : tensor<i32>
  %36 = stablehlo.broadcast_in_dim %c_13, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %37 = stablehlo.subtract %35, %36 : tensor<2xi32>
  %c_14 = stablehlo.constant dense<0> : tensor<i32>
  %38 = stablehlo.broadcast_in_dim %c_14, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %39 = stablehlo.maximum %37, %38 : tensor<2xi32>
  %40 = stablehlo.shift_left %33, %39 : tensor<2xi32>
  %c_15 = stablehlo.constant dense<2> : tensor<i32>
  %41 = stablehlo.broadcast_in_dim %c_15, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %42 = stablehlo.compare LT, %29, %41, SIGNED : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi1>
  %43 = stablehlo.select %42, %29, %40 : tensor<2xi1>, tensor<2xi32>
  %c_16 = stablehlo.constant dense<7> : tensor<i32>
  %44 = stablehlo.broadcast_in_dim %c_16, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %45 = stablehlo.compare GT, %27, %44, SIGNED : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi1>
  %46 = stablehlo.negate %43 : tensor<2xi32>
  %47 = stablehlo.select %45, %46, %43 : tensor<2xi1>, tensor<2xi32>
  %48 = stablehlo.convert %47 : (tensor<2xi32>) -> tensor<2xbf16>
  %cst_17 = stablehlo.constant dense<5.000000e-01> : tensor<bf16>
  %49 = stablehlo.broadcast_in_dim %cst_17, dims = [] : (tensor<bf16>) -> tensor<2xbf16>
  %50 = stablehlo.multiply %48, %49 : tensor<2xbf16>
  %51 = stablehlo.reshape %25 : (tensor<2xbf16>) -> tensor<2x1xbf16>
  %52 = stablehlo.reshape %50 : (tensor<2xbf16>) -> tensor<2x1xbf16>
  %53 = stablehlo.concatenate %51, %52, dim = 1 : (tensor<2x1xbf16>, tensor<2x1xbf16>) -> tensor<2x2xbf16>
  return %53 : tensor<2x2xbf16>
}
`);
  });

  test("knows every code in either half", async () => {
    await checkProgram(({ input }) => decodeFp4(input("x", "u8", ax.every), ax.nibble).cast("f32"), {
      inputs: { x: Array.from({ length: 256 }, (_, n) => n) },
      expected: Array.from({ length: 256 }, (_, n) => [values[n & 15] as number, values[n >> 4] as number]),
      tolerance: { because: "-0 and 0 weigh nothing alike" },
    });
  });

  test("reads the type itself where the platform converts it many at a time, and means the same", async () => {
    const graph = trace("test", ({ input }) => decodeFp4(input("x", "u8", ax.every), ax.nibble));
    const program = lower(graph, { locations: false, platform: "tpu" });
    const worker = await testWorker();
    const given = { dtype: "u8", shape: [256], data: Uint8Array.from({ length: 256 }, (_, n) => n) } as const;
    const { results } = await worker.execute(await worker.compile(program), [given], { fetch: "all" });
    const found = decode((results[0] as HostTensor).data, "bf16");
    // Here code 8 is -0.
    expect(found).toEqual(Array.from({ length: 256 }, (_, n) => [values[n & 15], values[n >> 4]]).flat());
    expect(program.text).toMatchInlineSnapshot(`
module @test {
  func.func public @main(%arg0: tensor<256xui8>) -> tensor<256x2xbf16> {
    %0 = stablehlo.bitcast_convert %arg0 : (tensor<256xui8>) -> tensor<256x2xf4E2M1FN>
    %1 = stablehlo.convert %0 : (tensor<256x2xf4E2M1FN>) -> tensor<256x2xbf16>
    return %1 : tensor<256x2xbf16>
  }
}

`);
  });

  test("refuses what holds no bytes, and a name that is taken", () => {
    expect(refusal(({ input }) => decodeFp4(input("x", "f32", ax.byte), ax.nibble))).toMatchInlineSnapshot(`
ShapeError DTYPE
decodeFp4 takes unsigned integers, and the operand is f32
  operand  x  f32 [byte 2]  fp4.test.ts:+0
  hint  operand.cast("u32")
`);
    expect(refusal(({ input }) => decodeFp4(input("x", "u8", ax.byte), ax.byte))).toMatchInlineSnapshot(`
ShapeError AXIS_TAKEN
decodeFp4: axis 'byte' already exists
  operand  x  u8 [byte 2]  fp4.test.ts:+0
  hint  rename one of the two: x.rename("byte", …)
`);
  });
});
