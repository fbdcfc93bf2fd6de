module @"attention-one-row" {
  func.func public @main(%arg0: tensor<10xf32>, %arg1: tensor<2x3x4x10xf32>, %arg2: tensor<2x4x10xf32>, %arg3: tensor<2x4x10xf32>, %arg4: tensor<10x2x3x4xf32>, %arg5: tensor<2x3x4xf32>, %arg6: tensor<2x4xf32>, %arg7: tensor<2x4xf32>, %arg8: tensor<10xf32>, %arg9: tensor<1xi32>, %arg10: tensor<1x3xi32>, %arg11: tensor<1x2xf32>, %arg12: tensor<1x6x2x4xf32> {tf.aliasing_output = 1 : i32}, %arg13: tensor<1x6x2x4xf32> {tf.aliasing_output = 2 : i32}, %arg14: tensor<1x3x10xf32>) -> (tensor<1x3x10xf32>, tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>) {
    %0 = stablehlo.concatenate %arg11, %arg11, dim = 1 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
    %1 = stablehlo.convert %arg10 : (tensor<1x3xi32>) -> tensor<1x3xf32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<1x3xf32>) -> tensor<1x3x4xf32>
    %3 = stablehlo.broadcast_in_dim %0, dims = [0, 2] : (tensor<1x4xf32>) -> tensor<1x3x4xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<1x3x4xf32>
    %5 = stablehlo.cosine %4 : tensor<1x3x4xf32>
    %6 = stablehlo.sine %4 : tensor<1x3x4xf32>
    %7 = stablehlo.multiply %arg14, %arg14 : tensor<1x3x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %8 = stablehlo.reduce(%7 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<1x3x10xf32>, tensor<f32>) -> tensor<1x3xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<1x3xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<1x3xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<1x3xf32>
    %12 = stablehlo.add %10, %11 : tensor<1x3xf32>
    %13 = stablehlo.rsqrt %12 : tensor<1x3xf32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [0, 1] : (tensor<1x3xf32>) -> tensor<1x3x10xf32>
    %15 = stablehlo.multiply %arg14, %14 : tensor<1x3x10xf32>
    %16 = stablehlo.broadcast_in_dim %arg0, dims = [2] : (tensor<10xf32>) -> tensor<1x3x10xf32>
    %17 = stablehlo.multiply %15, %16 : tensor<1x3x10xf32>
    %18 = stablehlo.dot_general %arg1, %17, contracting_dims = [3] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4x10xf32>, tensor<1x3x10xf32>) -> tensor<2x3x4x1x3xf32>
    %19 = stablehlo.broadcast_in_dim %arg5, dims = [0, 1, 2] : (tensor<2x3x4xf32>) -> tensor<2x3x4x1x3xf32>
    %20 = stablehlo.add %18, %19 : tensor<2x3x4x1x3xf32>
    %21 = stablehlo.slice %20 [0:2, 0:3, 0:2, 0:1, 0:3] : (tensor<2x3x4x1x3xf32>) -> tensor<2x3x2x1x3xf32>
    %22 = stablehlo.slice %20 [0:2, 0:3, 2:4, 0:1, 0:3] : (tensor<2x3x4x1x3xf32>) -> tensor<2x3x2x1x3xf32>
    %23 = stablehlo.concatenate %21, %22, dim = 2 : (tensor<2x3x2x1x3xf32>, tensor<2x3x2x1x3xf32>) -> tensor<2x3x4x1x3xf32>
    %24 = stablehlo.transpose %5, dims = [2, 0, 1] : (tensor<1x3x4xf32>) -> tensor<4x1x3xf32>
    %25 = stablehlo.broadcast_in_dim %24, dims = [2, 3, 4] : (tensor<4x1x3xf32>) -> tensor<2x3x4x1x3xf32>
    %26 = stablehlo.multiply %23, %25 : tensor<2x3x4x1x3xf32>
    %27 = stablehlo.negate %22 : tensor<2x3x2x1x3xf32>
    %28 = stablehlo.concatenate %27, %21, dim = 2 : (tensor<2x3x2x1x3xf32>, tensor<2x3x2x1x3xf32>) -> tensor<2x3x4x1x3xf32>
    %29 = stablehlo.transpose %6, dims = [2, 0, 1] : (tensor<1x3x4xf32>) -> tensor<4x1x3xf32>
    %30 = stablehlo.broadcast_in_dim %29, dims = [2, 3, 4] : (tensor<4x1x3xf32>) -> tensor<2x3x4x1x3xf32>
    %31 = stablehlo.multiply %28, %30 : tensor<2x3x4x1x3xf32>
    %32 = stablehlo.add %26, %31 : tensor<2x3x4x1x3xf32>
    %cst_2 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %33 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<2x3x4x1x3xf32>
    %34 = stablehlo.multiply %32, %33 : tensor<2x3x4x1x3xf32>
    %35 = stablehlo.dot_general %arg2, %17, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x10xf32>, tensor<1x3x10xf32>) -> tensor<2x4x1x3xf32>
    %36 = stablehlo.broadcast_in_dim %arg6, dims = [0, 1] : (tensor<2x4xf32>) -> tensor<2x4x1x3xf32>
    %37 = stablehlo.add %35, %36 : tensor<2x4x1x3xf32>
    %38 = stablehlo.slice %37 [0:2, 0:2, 0:1, 0:3] : (tensor<2x4x1x3xf32>) -> tensor<2x2x1x3xf32>
    %39 = stablehlo.slice %37 [0:2, 2:4, 0:1, 0:3] : (tensor<2x4x1x3xf32>) -> tensor<2x2x1x3xf32>
    %40 = stablehlo.concatenate %38, %39, dim = 1 : (tensor<2x2x1x3xf32>, tensor<2x2x1x3xf32>) -> tensor<2x4x1x3xf32>
    %41 = stablehlo.transpose %5, dims = [2, 0, 1] : (tensor<1x3x4xf32>) -> tensor<4x1x3xf32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [1, 2, 3] : (tensor<4x1x3xf32>) -> tensor<2x4x1x3xf32>
    %43 = stablehlo.multiply %40, %42 : tensor<2x4x1x3xf32>
    %44 = stablehlo.negate %39 : tensor<2x2x1x3xf32>
    %45 = stablehlo.concatenate %44, %38, dim = 1 : (tensor<2x2x1x3xf32>, tensor<2x2x1x3xf32>) -> tensor<2x4x1x3xf32>
    %46 = stablehlo.transpose %6, dims = [2, 0, 1] : (tensor<1x3x4xf32>) -> tensor<4x1x3xf32>
    %47 = stablehlo.broadcast_in_dim %46, dims = [1, 2, 3] : (tensor<4x1x3xf32>) -> tensor<2x4x1x3xf32>
    %48 = stablehlo.multiply %45, %47 : tensor<2x4x1x3xf32>
    %49 = stablehlo.add %43, %48 : tensor<2x4x1x3xf32>
    %50 = stablehlo.dot_general %arg3, %17, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x10xf32>, tensor<1x3x10xf32>) -> tensor<2x4x1x3xf32>
    %51 = stablehlo.broadcast_in_dim %arg7, dims = [0, 1] : (tensor<2x4xf32>) -> tensor<2x4x1x3xf32>
    %52 = stablehlo.add %50, %51 : tensor<2x4x1x3xf32>
    %53 = stablehlo.transpose %49, dims = [2, 3, 0, 1] : (tensor<2x4x1x3xf32>) -> tensor<1x3x2x4xf32>
    %54 = stablehlo.reshape %arg9 : (tensor<1xi32>) -> tensor<i32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %55 = stablehlo.dynamic_update_slice %arg12, %53, %c, %54, %c, %c : (tensor<1x6x2x4xf32>, tensor<1x3x2x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x2x4xf32>
    %56 = stablehlo.optimization_barrier %55 : tensor<1x6x2x4xf32>
    %57 = stablehlo.transpose %52, dims = [2, 3, 0, 1] : (tensor<2x4x1x3xf32>) -> tensor<1x3x2x4xf32>
    %58 = stablehlo.reshape %arg9 : (tensor<1xi32>) -> tensor<i32>
    %c_3 = stablehlo.constant dense<0> : tensor<i32>
    %59 = stablehlo.dynamic_update_slice %arg13, %57, %c_3, %58, %c_3, %c_3 : (tensor<1x6x2x4xf32>, tensor<1x3x2x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x2x4xf32>
    %60 = stablehlo.optimization_barrier %59 : tensor<1x6x2x4xf32>
    %61 = stablehlo.broadcast_in_dim %arg9, dims = [0] : (tensor<1xi32>) -> tensor<1x3xi32>
    %62 = stablehlo.iota dim = 0 : tensor<3xi32>
    %63 = stablehlo.broadcast_in_dim %62, dims = [1] : (tensor<3xi32>) -> tensor<1x3xi32>
    %64 = stablehlo.add %61, %63 : tensor<1x3xi32>
    %65 = stablehlo.broadcast_in_dim %64, dims = [0, 1] : (tensor<1x3xi32>) -> tensor<1x3x6xi32>
    %66 = stablehlo.iota dim = 0 : tensor<6xi32>
    %67 = stablehlo.broadcast_in_dim %66, dims = [2] : (tensor<6xi32>) -> tensor<1x3x6xi32>
    %68 = stablehlo.subtract %65, %67 : tensor<1x3x6xi32>
    %69 = stablehlo.dot_general %34, %56, batching_dims = [0, 3] x [2, 0], contracting_dims = [2] x [3], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4x1x3xf32>, tensor<1x6x2x4xf32>) -> tensor<2x1x3x3x6xf32>
    %c_4 = stablehlo.constant dense<0> : tensor<i32>
    %70 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<1x3x6xi32>
    %71 = stablehlo.compare GE, %68, %70, SIGNED : (tensor<1x3x6xi32>, tensor<1x3x6xi32>) -> tensor<1x3x6xi1>
    %72 = stablehlo.broadcast_in_dim %71, dims = [1, 3, 4] : (tensor<1x3x6xi1>) -> tensor<2x1x3x3x6xi1>
    %cst_5 = stablehlo.constant dense<-1.000000e+30> : tensor<f32>
    %73 = stablehlo.broadcast_in_dim %cst_5, dims = [] : (tensor<f32>) -> tensor<2x1x3x3x6xf32>
    %74 = stablehlo.select %72, %69, %73 : tensor<2x1x3x3x6xi1>, tensor<2x1x3x3x6xf32>
    %cst_6 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %75 = stablehlo.reduce(%74 init: %cst_6) applies stablehlo.maximum across dimensions = [4] : (tensor<2x1x3x3x6xf32>, tensor<f32>) -> tensor<2x1x3x3xf32>
    %76 = stablehlo.broadcast_in_dim %75, dims = [0, 1, 2, 3] : (tensor<2x1x3x3xf32>) -> tensor<2x1x3x3x6xf32>
    %77 = stablehlo.subtract %74, %76 : tensor<2x1x3x3x6xf32>
    %78 = stablehlo.exponential %77 : tensor<2x1x3x3x6xf32>
    %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %79 = stablehlo.reduce(%78 init: %cst_7) applies stablehlo.add across dimensions = [4] : (tensor<2x1x3x3x6xf32>, tensor<f32>) -> tensor<2x1x3x3xf32>
    %80 = stablehlo.broadcast_in_dim %79, dims = [0, 1, 2, 3] : (tensor<2x1x3x3xf32>) -> tensor<2x1x3x3x6xf32>
    %81 = stablehlo.divide %78, %80 : tensor<2x1x3x3x6xf32>
    %82 = stablehlo.dot_general %81, %60, batching_dims = [0, 1] x [2, 0], contracting_dims = [4] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x1x3x3x6xf32>, tensor<1x6x2x4xf32>) -> tensor<2x1x3x3x4xf32>
    %83 = stablehlo.dot_general %arg4, %82, contracting_dims = [1, 2, 3] x [0, 2, 4], precision = [HIGHEST, HIGHEST] : (tensor<10x2x3x4xf32>, tensor<2x1x3x3x4xf32>) -> tensor<10x1x3xf32>
    %84 = stablehlo.broadcast_in_dim %arg8, dims = [0] : (tensor<10xf32>) -> tensor<10x1x3xf32>
    %85 = stablehlo.add %83, %84 : tensor<10x1x3xf32>
    %86 = stablehlo.transpose %85, dims = [1, 2, 0] : (tensor<10x1x3xf32>) -> tensor<1x3x10xf32>
    %87 = stablehlo.add %arg14, %86 : tensor<1x3x10xf32>
    return %87, %56, %60 : tensor<1x3x10xf32>, tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>
  }
}
