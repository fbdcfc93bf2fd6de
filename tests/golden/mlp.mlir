module @mlp {
  func.func public @main(%arg0: tensor<10xf32>, %arg1: tensor<7x10xf32>, %arg2: tensor<7x10xf32>, %arg3: tensor<10x7xf32>, %arg4: tensor<2x3x10xf32>) -> tensor<2x3x10xf32> {
    %0 = stablehlo.multiply %arg4, %arg4 : tensor<2x3x10xf32>
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
    %8 = stablehlo.multiply %arg4, %7 : tensor<2x3x10xf32>
    %9 = stablehlo.broadcast_in_dim %arg0, dims = [2] : (tensor<10xf32>) -> tensor<2x3x10xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<2x3x10xf32>
    %11 = stablehlo.dot_general %arg1, %10, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<7x10xf32>, tensor<2x3x10xf32>) -> tensor<7x2x3xf32>
    %12 = stablehlo.dot_general %arg2, %10, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<7x10xf32>, tensor<2x3x10xf32>) -> tensor<7x2x3xf32>
    %13 = stablehlo.logistic %11 : tensor<7x2x3xf32>
    %14 = stablehlo.multiply %11, %13 : tensor<7x2x3xf32>
    %15 = stablehlo.multiply %14, %12 : tensor<7x2x3xf32>
    %16 = stablehlo.dot_general %arg3, %15, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<10x7xf32>, tensor<7x2x3xf32>) -> tensor<10x2x3xf32>
    %17 = stablehlo.transpose %16, dims = [1, 2, 0] : (tensor<10x2x3xf32>) -> tensor<2x3x10xf32>
    %18 = stablehlo.add %arg4, %17 : tensor<2x3x10xf32>
    return %18 : tensor<2x3x10xf32>
  }
}
