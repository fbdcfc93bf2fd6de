/** Block formats against gguf-py, which is the reference that llama.cpp's own tests use: bit for bit. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { lower } from "../../compiler/index.ts";
import { axis, type Tensor, trace } from "../../dsl/index.ts";
import { hostTensor, toFloat32Array } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { testWorker } from "../../tests/support/worker.ts";
import { isPacked, unpackBlocks } from "./block-formats.ts";

/** Random bytes as blocks, but for scales that are numbers; and what gguf-py makes of them. */
const reference = `
import base64, json, sys
import gguf, numpy as np
kind, rows, blocks = gguf.GGMLQuantizationType[sys.argv[1]], 5, 7
_, size = gguf.GGML_QUANT_SIZES[kind]
draw = np.random.Generator(np.random.Philox(7))
raw = draw.integers(0, 256, (rows, blocks, size), np.uint8)
at, halves = {"Q8_0": (0, 1), "Q4_0": (0, 1), "Q4_1": (0, 2), "Q5_0": (0, 1), "Q5_1": (0, 2),
              "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208, 1)}.get(sys.argv[1], (0, 0))
if halves:
    scales = draw.normal(0, 1, (rows, blocks, halves)).astype(np.float16)
    scales[0, 0], scales[0, 1], scales[0, 2] = 0, 6e-8, -65504  # zero, the least subnormal, the largest
    raw[..., at : at + 2 * halves] = scales.view(np.uint8).reshape(rows, blocks, 2 * halves)
    # What lies beside the scales: all bits, and none.
    kept = raw[..., at : at + 2 * halves].copy()
    raw[1, :3], raw[2, :3] = 255, 0
    raw[..., at : at + 2 * halves] = kept
else:
    raw[..., 0] = draw.integers(1, 250, (rows, blocks), np.uint8)
values = gguf.quants.dequantize(raw.reshape(rows, -1), kind).astype("<f4")
print(json.dumps({"raw": base64.b64encode(raw.tobytes()).decode(), "values": base64.b64encode(values.tobytes()).decode(), "size": size, "elements": gguf.GGML_QUANT_SIZES[kind][0]}))
`;

describe("unpackBlocks", () => {
  test.each(["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K", "MXFP4"])(
    "gives the very numbers that gguf-py does for %s",
    async (format) => {
      const { stdout } = await promisify(execFile)(projectPython, ["-c", reference, format]);
      const { raw, values, size, elements } = JSON.parse(stdout) as {
        readonly raw: string;
        readonly values: string;
        readonly size: number;
        readonly elements: number;
      };
      const program = lower(
        trace("unpack", ({ input }) =>
          unpackBlocks(
            format,
            input("raw", "u8", axis("row", 5), axis("block", 7), axis("byte", size)) as unknown as Tensor<string>,
            "column",
          ),
        ),
      );
      const worker = await testWorker();
      const given = hostTensor("u8", [5, 7, size], new Uint8Array(Buffer.from(raw, "base64")));
      const { results } = await worker.execute(await worker.compile(program), [given], { fetch: "all" });
      const bytes = new Uint8Array(Buffer.from(values, "base64"));
      expect(results[0]!.shape).toEqual([5, 7 * elements]);
      // gguf-py has no negative zero among MXFP4's elements.
      const positive = (value: number) => (format === "MXFP4" && Object.is(value, -0) ? 0 : value);
      expect([...toFloat32Array(results[0]!)].map(positive)).toEqual([...new Float32Array(bytes.buffer)].map(positive));
    },
  );

  test("refuses a format that it does not know, naming those that it does", () => {
    expect(
      refusal(({ input }) =>
        unpackBlocks(
          "Q2_K",
          input("raw", "u8", axis("block", 2), axis("byte", 84)) as unknown as Tensor<string>,
          "column",
        ),
      ),
    ).toMatchInlineSnapshot(`
InputError FORMAT
format Q2_K is not known; known are Q8_0, Q4_0, MXFP4, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K
`);
    expect(isPacked("Q2_K")).toBe(false);
    expect(isPacked("BF16")).toBe(false);
  });
});
