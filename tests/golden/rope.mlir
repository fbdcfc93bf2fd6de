module @rope {
  func.func public @main(%arg0: tensor<2x3xi32>, %arg1: tensor<2x2xf32>, %arg2: tensor<2x3x2x4xf32>) -> tensor<2x3x2x4xf32> {
    %0 = stablehlo.concatenate %arg1, %arg1, dim = 1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>
    %1 = stablehlo.convert %arg0 : (tensor<2x3xi32>) -> tensor<2x3xf32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
    %3 = stablehlo.broadcast_in_dim %0, dims = [0, 2] : (tensor<2x4xf32>) -> tensor<2x3x4xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<2x3x4xf32>
    %5 = stablehlo.cosine %4 : tensor<2x3x4xf32>
    %cst = stablehlo.constant dense<1.250000e+00> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x3x4xf32>
    %7 = stablehlo.multiply %5, %6 : tensor<2x3x4xf32>
    %8 = stablehlo.sine %4 : tensor<2x3x4xf32>
    %cst_0 = stablehlo.constant dense<1.250000e+00> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x3x4xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<2x3x4xf32>
    %11 = stablehlo.slice %arg2 [0:2, 0:3, 0:2, 0:2] : (tensor<2x3x2x4xf32>) -> tensor<2x3x2x2xf32>
    %12 = stablehlo.slice %arg2 [0:2, 0:3, 0:2, 2:4] : (tensor<2x3x2x4xf32>) -> tensor<2x3x2x2xf32>
    %13 = stablehlo.concatenate %11, %12, dim = 3 : (tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>) -> tensor<2x3x2x4xf32>
    %14 = stablehlo.broadcast_in_dim %7, dims = [0, 1, 3] : (tensor<2x3x4xf32>) -> tensor<2x3x2x4xf32>
    %15 = stablehlo.multiply %13, %14 : tensor<2x3x2x4xf32>
    %16 = stablehlo.negate %12 : tensor<2x3x2x2xf32>
    %17 = stablehlo.concatenate %16, %11, dim = 3 : (tensor<2x3x2x2xf32>, tensor<2x3x2x2xf32>) -> tensor<2x3x2x4xf32>
    %18 = stablehlo.broadcast_in_dim %10, dims = [0, 1, 3] : (tensor<2x3x4xf32>) -> tensor<2x3x2x4xf32>
    %19 = stablehlo.multiply %17, %18 : tensor<2x3x2x4xf32>
    %20 = stablehlo.add %15, %19 : tensor<2x3x2x4xf32>
    return %20 : tensor<2x3x2x4xf32>
  }
}
