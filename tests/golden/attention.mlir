module @attention {
  func.func public @main(%arg0: tensor<10xf32>, %arg1: tensor<2x3x4x10xf32>, %arg2: tensor<2x4x10xf32>, %arg3: tensor<2x4x10xf32>, %arg4: tensor<10x2x3x4xf32>, %arg5: tensor<2x3x4xf32>, %arg6: tensor<2x4xf32>, %arg7: tensor<2x4xf32>, %arg8: tensor<10xf32>, %arg9: tensor<2xi32>, %arg10: tensor<2x3xi32>, %arg11: tensor<2x2xf32>, %arg12: tensor<2x6x2x4xf32> {tf.aliasing_output = 1 : i32}, %arg13: tensor<2x6x2x4xf32> {tf.aliasing_output = 2 : i32}, %arg14: tensor<2x3x10xf32>) -> (tensor<2x3x10xf32>, tensor<2x6x2x4xf32>, tensor<2x6x2x4xf32>) {
    %0 = stablehlo.concatenate %arg11, %arg11, dim = 1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>
    %1 = stablehlo.convert %arg10 : (tensor<2x3xi32>) -> tensor<2x3xf32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
    %3 = stablehlo.broadcast_in_dim %0, dims = [0, 2] : (tensor<2x4xf32>) -> tensor<2x3x4xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<2x3x4xf32>
    %5 = stablehlo.cosine %4 : tensor<2x3x4xf32>
    %6 = stablehlo.sine %4 : tensor<2x3x4xf32>
    %7 = stablehlo.multiply %arg14, %arg14 : tensor<2x3x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %8 = stablehlo.reduce(%7 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x3x10xf32>, tensor<f32>) -> tensor<2x3xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<2x3xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %12 = stablehlo.add %10, %11 : tensor<2x3xf32>
    %13 = stablehlo.rsqrt %12 : tensor<2x3xf32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
    %15 = stablehlo.multiply %arg14, %14 : tensor<2x3x10xf32>
    %16 = stablehlo.broadcast_in_dim %arg0, dims = [2] : (tensor<10xf32>) -> tensor<2x3x10xf32>
    %17 = stablehlo.multiply %15, %16 : tensor<2x3x10xf32>
    %18 = stablehlo.dot_general %arg1, %17, contracting_dims = [3] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4x10xf32>, tensor<2x3x10xf32>) -> tensor<2x3x4x2x3xf32>
    %19 = stablehlo.broadcast_in_dim %arg5, dims = [0, 1, 2] : (tensor<2x3x4xf32>) -> tensor<2x3x4x2x3xf32>
    %20 = stablehlo.add %18, %19 : tensor<2x3x4x2x3xf32>
    %21 = stablehlo.slice %20 [0:2, 0:3, 0:2, 0:2, 0:3] : (tensor<2x3x4x2x3xf32>) -> tensor<2x3x2x2x3xf32>
    %22 = stablehlo.slice %20 [0:2, 0:3, 2:4, 0:2, 0:3] : (tensor<2x3x4x2x3xf32>) -> tensor<2x3x2x2x3xf32>
    %23 = stablehlo.concatenate %21, %22, dim = 2 : (tensor<2x3x2x2x3xf32>, tensor<2x3x2x2x3xf32>) -> tensor<2x3x4x2x3xf32>
    %24 = stablehlo.transpose %5, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    %25 = stablehlo.broadcast_in_dim %24, dims = [2, 3, 4] : (tensor<4x2x3xf32>) -> tensor<2x3x4x2x3xf32>
    %26 = stablehlo.multiply %23, %25 : tensor<2x3x4x2x3xf32>
    %27 = stablehlo.negate %22 : tensor<2x3x2x2x3xf32>
    %28 = stablehlo.concatenate %27, %21, dim = 2 : (tensor<2x3x2x2x3xf32>, tensor<2x3x2x2x3xf32>) -> tensor<2x3x4x2x3xf32>
    %29 = stablehlo.transpose %6, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    %30 = stablehlo.broadcast_in_dim %29, dims = [2, 3, 4] : (tensor<4x2x3xf32>) -> tensor<2x3x4x2x3xf32>
    %31 = stablehlo.multiply %28, %30 : tensor<2x3x4x2x3xf32>
    %32 = stablehlo.add %26, %31 : tensor<2x3x4x2x3xf32>
    %cst_2 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %33 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<2x3x4x2x3xf32>
    %34 = stablehlo.multiply %32, %33 : tensor<2x3x4x2x3xf32>
    %35 = stablehlo.dot_general %arg2, %17, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x10xf32>, tensor<2x3x10xf32>) -> tensor<2x4x2x3xf32>
    %36 = stablehlo.broadcast_in_dim %arg6, dims = [0, 1] : (tensor<2x4xf32>) -> tensor<2x4x2x3xf32>
    %37 = stablehlo.add %35, %36 : tensor<2x4x2x3xf32>
    %38 = stablehlo.slice %37 [0:2, 0:2, 0:2, 0:3] : (tensor<2x4x2x3xf32>) -> tensor<2x2x2x3xf32>
    %39 = stablehlo.slice %37 [0:2, 2:4, 0:2, 0:3] : (tensor<2x4x2x3xf32>) -> tensor<2x2x2x3xf32>
    %40 = stablehlo.concatenate %38, %39, dim = 1 : (tensor<2x2x2x3xf32>, tensor<2x2x2x3xf32>) -> tensor<2x4x2x3xf32>
    %41 = stablehlo.transpose %5, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [1, 2, 3] : (tensor<4x2x3xf32>) -> tensor<2x4x2x3xf32>
    %43 = stablehlo.multiply %40, %42 : tensor<2x4x2x3xf32>
    %44 = stablehlo.negate %39 : tensor<2x2x2x3xf32>
    %45 = stablehlo.concatenate %44, %38, dim = 1 : (tensor<2x2x2x3xf32>, tensor<2x2x2x3xf32>) -> tensor<2x4x2x3xf32>
    %46 = stablehlo.transpose %6, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    %47 = stablehlo.broadcast_in_dim %46, dims = [1, 2, 3] : (tensor<4x2x3xf32>) -> tensor<2x4x2x3xf32>
    %48 = stablehlo.multiply %45, %47 : tensor<2x4x2x3xf32>
    %49 = stablehlo.add %43, %48 : tensor<2x4x2x3xf32>
    %50 = stablehlo.dot_general %arg3, %17, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x10xf32>, tensor<2x3x10xf32>) -> tensor<2x4x2x3xf32>
    %51 = stablehlo.broadcast_in_dim %arg7, dims = [0, 1] : (tensor<2x4xf32>) -> tensor<2x4x2x3xf32>
    %52 = stablehlo.add %50, %51 : tensor<2x4x2x3xf32>
    %53 = stablehlo.transpose %49, dims = [2, 3, 0, 1] : (tensor<2x4x2x3xf32>) -> tensor<2x3x2x4xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %54 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %55 = stablehlo.maximum %arg9, %54 : tensor<2xi32>
    %c_3 = stablehlo.constant dense<3> : tensor<i32>
    %56 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %57 = stablehlo.minimum %55, %56 : tensor<2xi32>
    %58 = "stablehlo.scatter"(%arg12, %57, %53) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>, unique_indices = true}> ({
    ^bb0(%arg15: tensor<f32>, %arg16: tensor<f32>):
      stablehlo.return %arg16 : tensor<f32>
    }) : (tensor<2x6x2x4xf32>, tensor<2xi32>, tensor<2x3x2x4xf32>) -> tensor<2x6x2x4xf32>
    %59 = stablehlo.optimization_barrier %58 : tensor<2x6x2x4xf32>
    %60 = stablehlo.transpose %52, dims = [2, 3, 0, 1] : (tensor<2x4x2x3xf32>) -> tensor<2x3x2x4xf32>
    %c_4 = stablehlo.constant dense<0> : tensor<i32>
    %61 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %62 = stablehlo.maximum %arg9, %61 : tensor<2xi32>
    %c_5 = stablehlo.constant dense<3> : tensor<i32>
    %63 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %64 = stablehlo.minimum %62, %63 : tensor<2xi32>
    %65 = "stablehlo.scatter"(%arg13, %64, %60) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>, unique_indices = true}> ({
    ^bb0(%arg15: tensor<f32>, %arg16: tensor<f32>):
      stablehlo.return %arg16 : tensor<f32>
    }) : (tensor<2x6x2x4xf32>, tensor<2xi32>, tensor<2x3x2x4xf32>) -> tensor<2x6x2x4xf32>
    %66 = stablehlo.optimization_barrier %65 : tensor<2x6x2x4xf32>
    %67 = stablehlo.broadcast_in_dim %arg9, dims = [0] : (tensor<2xi32>) -> tensor<2x3xi32>
    %68 = stablehlo.iota dim = 0 : tensor<3xi32>
    %69 = stablehlo.broadcast_in_dim %68, dims = [1] : (tensor<3xi32>) -> tensor<2x3xi32>
    %70 = stablehlo.add %67, %69 : tensor<2x3xi32>
    %71 = stablehlo.broadcast_in_dim %70, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x6xi32>
    %72 = stablehlo.iota dim = 0 : tensor<6xi32>
    %73 = stablehlo.broadcast_in_dim %72, dims = [2] : (tensor<6xi32>) -> tensor<2x3x6xi32>
    %74 = stablehlo.subtract %71, %73 : tensor<2x3x6xi32>
    %75 = stablehlo.dot_general %34, %59, batching_dims = [0, 3] x [2, 0], contracting_dims = [2] x [3], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4x2x3xf32>, tensor<2x6x2x4xf32>) -> tensor<2x2x3x3x6xf32>
    %c_6 = stablehlo.constant dense<0> : tensor<i32>
    %76 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<i32>) -> tensor<2x3x6xi32>
    %77 = stablehlo.compare GE, %74, %76, SIGNED : (tensor<2x3x6xi32>, tensor<2x3x6xi32>) -> tensor<2x3x6xi1>
    %78 = stablehlo.broadcast_in_dim %77, dims = [1, 3, 4] : (tensor<2x3x6xi1>) -> tensor<2x2x3x3x6xi1>
    %cst_7 = stablehlo.constant dense<-1.000000e+30> : tensor<f32>
    %79 = stablehlo.broadcast_in_dim %cst_7, dims = [] : (tensor<f32>) -> tensor<2x2x3x3x6xf32>
    %80 = stablehlo.select %78, %75, %79 : tensor<2x2x3x3x6xi1>, tensor<2x2x3x3x6xf32>
    %cst_8 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %81 = stablehlo.reduce(%80 init: %cst_8) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x3x3x6xf32>, tensor<f32>) -> tensor<2x2x3x3xf32>
    %82 = stablehlo.broadcast_in_dim %81, dims = [0, 1, 2, 3] : (tensor<2x2x3x3xf32>) -> tensor<2x2x3x3x6xf32>
    %83 = stablehlo.subtract %80, %82 : tensor<2x2x3x3x6xf32>
    %84 = stablehlo.exponential %83 : tensor<2x2x3x3x6xf32>
    %cst_9 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %85 = stablehlo.reduce(%84 init: %cst_9) applies stablehlo.add across dimensions = [4] : (tensor<2x2x3x3x6xf32>, tensor<f32>) -> tensor<2x2x3x3xf32>
    %86 = stablehlo.broadcast_in_dim %85, dims = [0, 1, 2, 3] : (tensor<2x2x3x3xf32>) -> tensor<2x2x3x3x6xf32>
    %87 = stablehlo.divide %84, %86 : tensor<2x2x3x3x6xf32>
    %88 = stablehlo.dot_general %87, %66, batching_dims = [0, 1] x [2, 0], contracting_dims = [4] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x2x3x3x6xf32>, tensor<2x6x2x4xf32>) -> tensor<2x2x3x3x4xf32>
    %89 = stablehlo.dot_general %arg4, %88, contracting_dims = [1, 2, 3] x [0, 2, 4], precision = [HIGHEST, HIGHEST] : (tensor<10x2x3x4xf32>, tensor<2x2x3x3x4xf32>) -> tensor<10x2x3xf32>
    %90 = stablehlo.broadcast_in_dim %arg8, dims = [0] : (tensor<10xf32>) -> tensor<10x2x3xf32>
    %91 = stablehlo.add %89, %90 : tensor<10x2x3xf32>
    %92 = stablehlo.transpose %91, dims = [1, 2, 0] : (tensor<10x2x3xf32>) -> tensor<2x3x10xf32>
    %93 = stablehlo.add %arg14, %92 : tensor<2x3x10xf32>
    return %93, %59, %66 : tensor<2x3x10xf32>, tensor<2x6x2x4xf32>, tensor<2x6x2x4xf32>
  }
}
