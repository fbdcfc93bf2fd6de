module @"rms-norm" {
  func.func public @main(%arg0: tensor<10xf32>, %arg1: tensor<2x3x10xf32>) -> tensor<2x3x10xf32> {
    %0 = stablehlo.multiply %arg1, %arg1 : tensor<2x3x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %1 = stablehlo.reduce(%0 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x3x10xf32>, tensor<f32>) -> tensor<2x3xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %3 = stablehlo.multiply %1, %2 : tensor<2x3xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %5 = stablehlo.add %3, %4 : tensor<2x3xf32>
    %6 = stablehlo.rsqrt %5 : tensor<2x3xf32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
    %8 = stablehlo.multiply %arg1, %7 : tensor<2x3x10xf32>
    %9 = stablehlo.broadcast_in_dim %arg0, dims = [2] : (tensor<10xf32>) -> tensor<2x3x10xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<2x3x10xf32>
    return %10 : tensor<2x3x10xf32>
  }
}
