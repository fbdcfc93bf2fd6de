module @"rms-norm-bf16" {
  func.func public @main(%arg0: tensor<10xbf16>, %arg1: tensor<2x3x10xbf16>) -> tensor<2x3x10xbf16> {
    %0 = stablehlo.convert %arg1 : (tensor<2x3x10xbf16>) -> tensor<2x3x10xf32>
    %1 = stablehlo.multiply %0, %0 : tensor<2x3x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %2 = stablehlo.reduce(%1 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x3x10xf32>, tensor<f32>) -> tensor<2x3xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<2x3xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %6 = stablehlo.add %4, %5 : tensor<2x3xf32>
    %7 = stablehlo.rsqrt %6 : tensor<2x3xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
    %9 = stablehlo.multiply %0, %8 : tensor<2x3x10xf32>
    %10 = stablehlo.convert %arg0 : (tensor<10xbf16>) -> tensor<10xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [2] : (tensor<10xf32>) -> tensor<2x3x10xf32>
    %12 = stablehlo.multiply %9, %11 : tensor<2x3x10xf32>
    %13 = stablehlo.convert %12 : (tensor<2x3x10xf32>) -> tensor<2x3x10xbf16>
    return %13 : tensor<2x3x10xbf16>
  }
}
