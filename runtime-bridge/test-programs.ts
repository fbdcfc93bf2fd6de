/** Small modules that the bridge's tests run. Not part of the bridge. */

/** Two tensors in, their sum out; with `donate` the first one's memory is reused. */
export const addText = (size: number, donate = false): string => `module @add {
  func.func public @main(%arg0: tensor<${size}xf32>${donate ? " {tf.aliasing_output = 0 : i32}" : ""}, %arg1: tensor<${size}xf32>) -> tensor<${size}xf32> {
    %0 = stablehlo.add %arg0, %arg1 : tensor<${size}xf32>
    return %0 : tensor<${size}xf32>
  }
}
`;

/** Scrambles a number `%arg0` times, a few nanoseconds each: runs for as long as it is told to. */
export const spinText = `module @spin {
  func.func public @main(%arg0: tensor<i64>) -> tensor<i64> {
    %zero = stablehlo.constant dense<0> : tensor<i64>
    %one = stablehlo.constant dense<1> : tensor<i64>
    %left = stablehlo.constant dense<13> : tensor<i64>
    %right = stablehlo.constant dense<7> : tensor<i64>
    %0:2 = stablehlo.while(%i = %zero, %x = %one) : tensor<i64>, tensor<i64>
      cond {
        %1 = stablehlo.compare LT, %i, %arg0 : (tensor<i64>, tensor<i64>) -> tensor<i1>
        stablehlo.return %1 : tensor<i1>
      } do {
        %1 = stablehlo.add %i, %one : tensor<i64>
        %2 = stablehlo.shift_left %x, %left : tensor<i64>
        %3 = stablehlo.xor %x, %2 : tensor<i64>
        %4 = stablehlo.shift_right_logical %3, %right : tensor<i64>
        %5 = stablehlo.xor %3, %4 : tensor<i64>
        stablehlo.return %1, %5 : tensor<i64>, tensor<i64>
      }
    return %0#1 : tensor<i64>
  }
}
`;

/** A module that keeps the compiler busy for seconds: `count` matrix products of different sizes. */
export const slowToCompileText = (count: number): string => {
  const lines = Array.from({ length: count }, (_, i) => {
    const size = 16 + i;
    return `    %a${i} = stablehlo.iota dim = 0 : tensor<${size}x${size}xf32>
    %b${i} = stablehlo.dot_general %a${i}, %a${i}, contracting_dims = [1] x [0] : (tensor<${size}x${size}xf32>, tensor<${size}x${size}xf32>) -> tensor<${size}x${size}xf32>
    %c${i} = stablehlo.sine %b${i} : tensor<${size}x${size}xf32>
    %d${i} = stablehlo.slice %c${i} [0:1, 0:1] : (tensor<${size}x${size}xf32>) -> tensor<1x1xf32>
    %s${i + 1} = stablehlo.add %s${i}, %d${i} : tensor<1x1xf32>`;
  });
  return `module @slow {
  func.func public @main(%s0: tensor<1x1xf32>) -> tensor<1x1xf32> {
${lines.join("\n")}
    return %s${count} : tensor<1x1xf32>
  }
}
`;
};

/** A safetensors file with these f32 tensors. */
export function safetensors(
  tensors: Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>,
): Buffer {
  let at = 0;
  const header: Record<string, object> = {};
  const parts: Buffer[] = [];
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const data = Buffer.from(Float32Array.from(values).buffer);
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + data.length] };
    at += data.length;
    parts.push(data);
  }
  let text = JSON.stringify(header);
  text = text.padEnd(Math.ceil(text.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text), ...parts]);
}
