module @mixture {
  func.func public @main(%arg0: tensor<5x10xf32>, %arg1: tensor<5x7x10xf32>, %arg2: tensor<5x10x7xf32>, %arg3: tensor<2x3x10xf32>) -> tensor<2x3x10xf32> {
    %0 = stablehlo.dot_general %arg0, %arg3, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<5x10xf32>, tensor<2x3x10xf32>) -> tensor<5x2x3xf32>
    %1 = stablehlo.transpose %0, dims = [1, 2, 0] : (tensor<5x2x3xf32>) -> tensor<2x3x5xf32>
    %2 = stablehlo.iota dim = 2 : tensor<2x3x5xi32>
    %3:2 = "stablehlo.sort"(%1, %2) <{dimension = 2 : i64, is_stable = true}> ({
    ^bb0(%arg4: tensor<f32>, %arg5: tensor<f32>, %arg6: tensor<i32>, %arg7: tensor<i32>):
      %14 = stablehlo.compare GT, %arg4, %arg5, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %14 : tensor<i1>
    }) : (tensor<2x3x5xf32>, tensor<2x3x5xi32>) -> (tensor<2x3x5xf32>, tensor<2x3x5xi32>)
    %4 = stablehlo.slice %3#0 [0:2, 0:3, 0:2] : (tensor<2x3x5xf32>) -> tensor<2x3x2xf32>
    %5 = stablehlo.slice %3#1 [0:2, 0:3, 0:2] : (tensor<2x3x5xi32>) -> tensor<2x3x2xi32>
    %cst = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %6 = stablehlo.reduce(%4 init: %cst) applies stablehlo.maximum across dimensions = [2] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x3xf32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x2xf32>
    %8 = stablehlo.subtract %4, %7 : tensor<2x3x2xf32>
    %9 = stablehlo.exponential %8 : tensor<2x3x2xf32>
    %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %10 = stablehlo.reduce(%9 init: %cst_0) applies stablehlo.add across dimensions = [2] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x3xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x2xf32>
    %12 = stablehlo.divide %9, %11 : tensor<2x3x2xf32>
    %13 = stablehlo.composite "tsxla.for_chosen" %5, %12, %arg1, %arg2, %arg3 {decomposition = @tsxla.for_chosen} : (tensor<2x3x2xi32>, tensor<2x3x2xf32>, tensor<5x7x10xf32>, tensor<5x10x7xf32>, tensor<2x3x10xf32>) -> tensor<2x3x10xf32>
    return %13 : tensor<2x3x10xf32>
  }
  func.func private @tsxla.for_chosen(%arg0: tensor<2x3x2xi32>, %arg1: tensor<2x3x2xf32>, %arg2: tensor<5x7x10xf32>, %arg3: tensor<5x10x7xf32>, %arg4: tensor<2x3x10xf32>) -> tensor<2x3x10xf32> {
    %c = stablehlo.constant dense<0> : tensor<i32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x3x10xf32>
    %1:2 = stablehlo.while(%iterArg = %c, %iterArg_0 = %0) : tensor<i32>, tensor<2x3x10xf32>
    cond {
      %c_1 = stablehlo.constant dense<5> : tensor<i32>
      %2 = stablehlo.compare LT, %iterArg, %c_1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %2 : tensor<i1>
    } do {
      %c_1 = stablehlo.constant dense<1> : tensor<i32>
      %2 = stablehlo.add %iterArg, %c_1 : tensor<i32>
      %3 = stablehlo.broadcast_in_dim %iterArg, dims = [] : (tensor<i32>) -> tensor<2x3x2xi32>
      %4 = stablehlo.compare EQ, %arg0, %3, SIGNED : (tensor<2x3x2xi32>, tensor<2x3x2xi32>) -> tensor<2x3x2xi1>
      %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %5 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<2x3x2xf32>
      %6 = stablehlo.select %4, %arg1, %5 : tensor<2x3x2xi1>, tensor<2x3x2xf32>
      %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %7 = stablehlo.reduce(%6 init: %cst_3) applies stablehlo.add across dimensions = [2] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x3xf32>
      %c_4 = stablehlo.constant dense<0> : tensor<i32>
      %8 = stablehlo.dynamic_slice %arg2, %iterArg, %c_4, %c_4, sizes = [1, 7, 10] : (tensor<5x7x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x7x10xf32>
      %9 = stablehlo.reshape %8 : (tensor<1x7x10xf32>) -> tensor<7x10xf32>
      %c_5 = stablehlo.constant dense<0> : tensor<i32>
      %10 = stablehlo.dynamic_slice %arg3, %iterArg, %c_5, %c_5, sizes = [1, 10, 7] : (tensor<5x10x7xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x7xf32>
      %11 = stablehlo.reshape %10 : (tensor<1x10x7xf32>) -> tensor<10x7xf32>
      %12 = stablehlo.dot_general %arg4, %9, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x10xf32>, tensor<7x10xf32>) -> tensor<2x3x7xf32>
      %13 = stablehlo.logistic %12 : tensor<2x3x7xf32>
      %14 = stablehlo.multiply %12, %13 : tensor<2x3x7xf32>
      %15 = stablehlo.dot_general %14, %11, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x7xf32>, tensor<10x7xf32>) -> tensor<2x3x10xf32>
      %16 = stablehlo.broadcast_in_dim %7, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
      %17 = stablehlo.multiply %15, %16 : tensor<2x3x10xf32>
      %c_6 = stablehlo.constant dense<false> : tensor<i1>
      %18 = stablehlo.reduce(%4 init: %c_6) applies stablehlo.or across dimensions = [2] : (tensor<2x3x2xi1>, tensor<i1>) -> tensor<2x3xi1>
      %19 = stablehlo.broadcast_in_dim %18, dims = [0, 1] : (tensor<2x3xi1>) -> tensor<2x3x10xi1>
      %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %20 = stablehlo.broadcast_in_dim %cst_7, dims = [] : (tensor<f32>) -> tensor<2x3x10xf32>
      %21 = stablehlo.select %19, %17, %20 : tensor<2x3x10xi1>, tensor<2x3x10xf32>
      %22 = stablehlo.add %iterArg_0, %21 : tensor<2x3x10xf32>
      stablehlo.return %2, %22 : tensor<i32>, tensor<2x3x10xf32>
    }
    return %1#1 : tensor<2x3x10xf32>
  }
}
