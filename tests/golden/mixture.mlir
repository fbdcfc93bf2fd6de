module @mixture {
  func.func public @main(%arg0: tensor<5x10xf32>, %arg1: tensor<5x7x10xf32>, %arg2: tensor<5x10x7xf32>, %arg3: tensor<2x3x10xf32>) -> tensor<2x3x10xf32> {
    %0 = stablehlo.dot_general %arg0, %arg3, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<5x10xf32>, tensor<2x3x10xf32>) -> tensor<5x2x3xf32>
    %1 = stablehlo.transpose %0, dims = [1, 2, 0] : (tensor<5x2x3xf32>) -> tensor<2x3x5xf32>
    %2 = stablehlo.iota dim = 2 : tensor<2x3x5xi32>
    %3:2 = "stablehlo.sort"(%1, %2) <{dimension = 2 : i64, is_stable = true}> ({
    ^bb0(%arg4: tensor<f32>, %arg5: tensor<f32>, %arg6: tensor<i32>, %arg7: tensor<i32>):
      %30 = stablehlo.compare GT, %arg4, %arg5, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %30 : tensor<i1>
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
    %c_1 = stablehlo.constant dense<1> : tensor<i32>
    %13 = stablehlo.add %c, %c_1 : tensor<i32>
    %c_2 = stablehlo.constant dense<0> : tensor<i32>
    %14 = stablehlo.dynamic_slice %arg1, %c, %c_2, %c_2, sizes = [1, 7, 10] : (tensor<5x7x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x7x10xf32>
    %15 = stablehlo.reshape %14 : (tensor<1x7x10xf32>) -> tensor<7x10xf32>
    %c_3 = stablehlo.constant dense<0> : tensor<i32>
    %16 = stablehlo.dynamic_slice %arg2, %c, %c_3, %c_3, sizes = [1, 10, 7] : (tensor<5x10x7xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x7xf32>
    %17 = stablehlo.reshape %16 : (tensor<1x10x7xf32>) -> tensor<10x7xf32>
    %18 = stablehlo.dot_general %arg3, %15, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x10xf32>, tensor<7x10xf32>) -> tensor<2x3x7xf32>
    %19 = stablehlo.logistic %18 : tensor<2x3x7xf32>
    %20 = stablehlo.multiply %18, %19 : tensor<2x3x7xf32>
    %21 = stablehlo.dot_general %20, %17, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x7xf32>, tensor<10x7xf32>) -> tensor<2x3x10xf32>
    %22 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2x3x2xi32>
    %23 = stablehlo.compare EQ, %5, %22, SIGNED : (tensor<2x3x2xi32>, tensor<2x3x2xi32>) -> tensor<2x3x2xi1>
    %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %24 = stablehlo.broadcast_in_dim %cst_4, dims = [] : (tensor<f32>) -> tensor<2x3x2xf32>
    %25 = stablehlo.select %23, %12, %24 : tensor<2x3x2xi1>, tensor<2x3x2xf32>
    %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %26 = stablehlo.reduce(%25 init: %cst_5) applies stablehlo.add across dimensions = [2] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x3xf32>
    %27 = stablehlo.broadcast_in_dim %26, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
    %28 = stablehlo.multiply %21, %27 : tensor<2x3x10xf32>
    %29:2 = stablehlo.while(%iterArg = %13, %iterArg_6 = %28) : tensor<i32>, tensor<2x3x10xf32>
    cond {
      %c_7 = stablehlo.constant dense<5> : tensor<i32>
      %30 = stablehlo.compare LT, %iterArg, %c_7, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %30 : tensor<i1>
    } do {
      %c_7 = stablehlo.constant dense<1> : tensor<i32>
      %30 = stablehlo.add %iterArg, %c_7 : tensor<i32>
      %c_8 = stablehlo.constant dense<0> : tensor<i32>
      %31 = stablehlo.dynamic_slice %arg1, %iterArg, %c_8, %c_8, sizes = [1, 7, 10] : (tensor<5x7x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x7x10xf32>
      %32 = stablehlo.reshape %31 : (tensor<1x7x10xf32>) -> tensor<7x10xf32>
      %c_9 = stablehlo.constant dense<0> : tensor<i32>
      %33 = stablehlo.dynamic_slice %arg2, %iterArg, %c_9, %c_9, sizes = [1, 10, 7] : (tensor<5x10x7xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x7xf32>
      %34 = stablehlo.reshape %33 : (tensor<1x10x7xf32>) -> tensor<10x7xf32>
      %35 = stablehlo.dot_general %arg3, %32, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x10xf32>, tensor<7x10xf32>) -> tensor<2x3x7xf32>
      %36 = stablehlo.logistic %35 : tensor<2x3x7xf32>
      %37 = stablehlo.multiply %35, %36 : tensor<2x3x7xf32>
      %38 = stablehlo.dot_general %37, %34, contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3x7xf32>, tensor<10x7xf32>) -> tensor<2x3x10xf32>
      %39 = stablehlo.broadcast_in_dim %iterArg, dims = [] : (tensor<i32>) -> tensor<2x3x2xi32>
      %40 = stablehlo.compare EQ, %5, %39, SIGNED : (tensor<2x3x2xi32>, tensor<2x3x2xi32>) -> tensor<2x3x2xi1>
      %cst_10 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %41 = stablehlo.broadcast_in_dim %cst_10, dims = [] : (tensor<f32>) -> tensor<2x3x2xf32>
      %42 = stablehlo.select %40, %12, %41 : tensor<2x3x2xi1>, tensor<2x3x2xf32>
      %cst_11 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %43 = stablehlo.reduce(%42 init: %cst_11) applies stablehlo.add across dimensions = [2] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x3xf32>
      %44 = stablehlo.broadcast_in_dim %43, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
      %45 = stablehlo.multiply %38, %44 : tensor<2x3x10xf32>
      %46 = stablehlo.add %iterArg_6, %45 : tensor<2x3x10xf32>
      stablehlo.return %30, %46 : tensor<i32>, tensor<2x3x10xf32>
    }
    return %29#1 : tensor<2x3x10xf32>
  }
}
