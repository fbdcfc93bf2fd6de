module @mixture {
  func.func public @main(%arg0: tensor<5x10xf32>, %arg1: tensor<5x7x10xf32>, %arg2: tensor<5x10x7xf32>, %arg3: tensor<2x3x10xf32>) -> tensor<2x3x10xf32> {
    %0 = stablehlo.dot_general %arg0, %arg3, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<5x10xf32>, tensor<2x3x10xf32>) -> tensor<5x2x3xf32>
    %1 = stablehlo.transpose %0, dims = [1, 2, 0] : (tensor<5x2x3xf32>) -> tensor<2x3x5xf32>
    %2 = stablehlo.iota dim = 2 : tensor<2x3x5xi32>
    %3:2 = "stablehlo.sort"(%1, %2) <{dimension = 2 : i64, is_stable = true}> ({
    ^bb0(%arg4: tensor<f32>, %arg5: tensor<f32>, %arg6: tensor<i32>, %arg7: tensor<i32>):
      %15 = stablehlo.compare GT, %arg4, %arg5, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %15 : tensor<i1>
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
    %c = stablehlo.constant dense<0> : tensor<i32>
    %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %13 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<2x3x10xf32>
    %14:2 = stablehlo.while(%iterArg = %c, %iterArg_2 = %13) : tensor<i32>, tensor<2x3x10xf32>
    cond {
      %c_3 = stablehlo.constant dense<5> : tensor<i32>
      %15 = stablehlo.compare LT, %iterArg, %c_3, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %15 : tensor<i1>
    } do {
      %15 = stablehlo.broadcast_in_dim %iterArg, dims = [] : (tensor<i32>) -> tensor<2x3x2xi32>
      %16 = stablehlo.compare EQ, %5, %15, SIGNED : (tensor<2x3x2xi32>, tensor<2x3x2xi32>) -> tensor<2x3x2xi1>
      %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %17 = stablehlo.broadcast_in_dim %cst_3, dims = [] : (tensor<f32>) -> tensor<2x3x2xf32>
      %18 = stablehlo.select %16, %12, %17 : tensor<2x3x2xi1>, tensor<2x3x2xf32>
      %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %19 = stablehlo.reduce(%18 init: %cst_4) applies stablehlo.add across dimensions = [2] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x3xf32>
      %c_5 = stablehlo.constant dense<0> : tensor<i32>
      %20 = stablehlo.dynamic_slice %arg1, %iterArg, %c_5, %c_5, sizes = [1, 7, 10] : (tensor<5x7x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x7x10xf32>
      %21 = stablehlo.reshape %20 : (tensor<1x7x10xf32>) -> tensor<7x10xf32>
      %c_6 = stablehlo.constant dense<0> : tensor<i32>
      %22 = stablehlo.dynamic_slice %arg2, %iterArg, %c_6, %c_6, sizes = [1, 10, 7] : (tensor<5x10x7xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x7xf32>
      %23 = stablehlo.reshape %22 : (tensor<1x10x7xf32>) -> tensor<10x7xf32>
      %24 = stablehlo.dot_general %arg3, %21, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x10xf32>, tensor<7x10xf32>) -> tensor<2x3x7xf32>
      %25 = stablehlo.logistic %24 : tensor<2x3x7xf32>
      %26 = stablehlo.multiply %24, %25 : tensor<2x3x7xf32>
      %27 = stablehlo.dot_general %26, %23, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x7xf32>, tensor<10x7xf32>) -> tensor<2x3x10xf32>
      %28 = stablehlo.broadcast_in_dim %19, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
      %29 = stablehlo.multiply %27, %28 : tensor<2x3x10xf32>
      %c_7 = stablehlo.constant dense<false> : tensor<i1>
      %30 = stablehlo.reduce(%16 init: %c_7) applies stablehlo.or across dimensions = [2] : (tensor<2x3x2xi1>, tensor<i1>) -> tensor<2x3xi1>
      %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1] : (tensor<2x3xi1>) -> tensor<2x3x10xi1>
      %cst_8 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %32 = stablehlo.broadcast_in_dim %cst_8, dims = [] : (tensor<f32>) -> tensor<2x3x10xf32>
      %33 = stablehlo.select %31, %29, %32 : tensor<2x3x10xi1>, tensor<2x3x10xf32>
      %c_9 = stablehlo.constant dense<1> : tensor<i32>
      %34 = stablehlo.add %iterArg, %c_9 : tensor<i32>
      %35 = stablehlo.add %iterArg_2, %33 : tensor<2x3x10xf32>
      stablehlo.return %34, %35 : tensor<i32>, tensor<2x3x10xf32>
    }
    return %14#1 : tensor<2x3x10xf32>
  }
}
