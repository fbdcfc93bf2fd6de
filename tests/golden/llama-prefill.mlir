module @prefill {
  func.func public @main(%arg0: tensor<2x3xi32>, %arg1: tensor<2xi32>, %arg2: tensor<2xi32>, %arg3: tensor<2x2xf32>, %arg4: tensor<11x10xf32>, %arg5: tensor<10xf32>, %arg6: tensor<2x3x4x10xf32>, %arg7: tensor<2x4x10xf32>, %arg8: tensor<2x4x10xf32>, %arg9: tensor<10x2x3x4xf32>, %arg10: tensor<2x3x4xf32>, %arg11: tensor<2x4xf32>, %arg12: tensor<2x4xf32>, %arg13: tensor<10xf32>, %arg14: tensor<10xf32>, %arg15: tensor<7x10xf32>, %arg16: tensor<7x10xf32>, %arg17: tensor<10x7xf32>, %arg18: tensor<10xf32>, %arg19: tensor<2x3x4x10xf32>, %arg20: tensor<2x4x10xf32>, %arg21: tensor<2x4x10xf32>, %arg22: tensor<10x2x3x4xf32>, %arg23: tensor<2x3x4xf32>, %arg24: tensor<2x4xf32>, %arg25: tensor<2x4xf32>, %arg26: tensor<10xf32>, %arg27: tensor<10xf32>, %arg28: tensor<7x10xf32>, %arg29: tensor<7x10xf32>, %arg30: tensor<10x7xf32>, %arg31: tensor<10xf32>, %arg32: tensor<11x10xf32>, %arg33: tensor<2x2x4x6xf32> {tf.aliasing_output = 4 : i32}, %arg34: tensor<2x2x6x4xf32> {tf.aliasing_output = 5 : i32}, %arg35: tensor<2x2x4x6xf32> {tf.aliasing_output = 6 : i32}, %arg36: tensor<2x2x6x4xf32> {tf.aliasing_output = 7 : i32}) -> (tensor<2x11xf32>, tensor<2x11xf32>, tensor<2x11xi32>, tensor<2xf32>, tensor<2x2x4x6xf32>, tensor<2x2x6x4xf32>, tensor<2x2x4x6xf32>, tensor<2x2x6x4xf32>) {
    %0 = stablehlo.broadcast_in_dim %arg1, dims = [0] : (tensor<2xi32>) -> tensor<2x3xi32>
    %1 = stablehlo.iota dim = 0 : tensor<3xi32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [1] : (tensor<3xi32>) -> tensor<2x3xi32>
    %3 = stablehlo.add %0, %2 : tensor<2x3xi32>
    %4 = stablehlo.concatenate %arg3, %arg3, dim = 1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>
    %5 = stablehlo.convert %3 : (tensor<2x3xi32>) -> tensor<2x3xf32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
    %7 = stablehlo.broadcast_in_dim %4, dims = [0, 2] : (tensor<2x4xf32>) -> tensor<2x3x4xf32>
    %8 = stablehlo.multiply %6, %7 : tensor<2x3x4xf32>
    %9 = stablehlo.cosine %8 : tensor<2x3x4xf32>
    %10 = stablehlo.sine %8 : tensor<2x3x4xf32>
    %11 = "stablehlo.gather"(%arg4, %arg0) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 10>}> : (tensor<11x10xf32>, tensor<2x3xi32>) -> tensor<2x3x10xf32>
    %12:3 = call @layers(%11, %arg5, %arg6, %arg10, %9, %10, %arg7, %arg11, %arg8, %arg12, %arg33, %arg1, %arg34, %arg9, %arg13, %arg14, %arg15, %arg16, %arg17) : (tensor<2x3x10xf32>, tensor<10xf32>, tensor<2x3x4x10xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x4x10xf32>, tensor<2x4xf32>, tensor<2x4x10xf32>, tensor<2x4xf32>, tensor<2x2x4x6xf32>, tensor<2xi32>, tensor<2x2x6x4xf32>, tensor<10x2x3x4xf32>, tensor<10xf32>, tensor<10xf32>, tensor<7x10xf32>, tensor<7x10xf32>, tensor<10x7xf32>) -> (tensor<2x3x10xf32>, tensor<2x2x4x6xf32>, tensor<2x2x6x4xf32>)
    %13:3 = call @layers(%12#0, %arg18, %arg19, %arg23, %9, %10, %arg20, %arg24, %arg21, %arg25, %arg35, %arg1, %arg36, %arg22, %arg26, %arg27, %arg28, %arg29, %arg30) : (tensor<2x3x10xf32>, tensor<10xf32>, tensor<2x3x4x10xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x4x10xf32>, tensor<2x4xf32>, tensor<2x4x10xf32>, tensor<2x4xf32>, tensor<2x2x4x6xf32>, tensor<2xi32>, tensor<2x2x6x4xf32>, tensor<10x2x3x4xf32>, tensor<10xf32>, tensor<10xf32>, tensor<7x10xf32>, tensor<7x10xf32>, tensor<10x7xf32>) -> (tensor<2x3x10xf32>, tensor<2x2x4x6xf32>, tensor<2x2x6x4xf32>)
    %14 = stablehlo.multiply %13#0, %13#0 : tensor<2x3x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %15 = stablehlo.reduce(%14 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x3x10xf32>, tensor<f32>) -> tensor<2x3xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %17 = stablehlo.multiply %15, %16 : tensor<2x3xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %19 = stablehlo.add %17, %18 : tensor<2x3xf32>
    %20 = stablehlo.rsqrt %19 : tensor<2x3xf32>
    %21 = stablehlo.broadcast_in_dim %20, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
    %22 = stablehlo.multiply %13#0, %21 : tensor<2x3x10xf32>
    %23 = stablehlo.broadcast_in_dim %arg31, dims = [2] : (tensor<10xf32>) -> tensor<2x3x10xf32>
    %24 = stablehlo.multiply %22, %23 : tensor<2x3x10xf32>
    %c = stablehlo.constant dense<1> : tensor<i32>
    %25 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %26 = stablehlo.subtract %arg2, %25 : tensor<2xi32>
    %27 = "stablehlo.gather"(%24, %26) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 10>}> : (tensor<2x3x10xf32>, tensor<2xi32>) -> tensor<2x10xf32>
    %28 = stablehlo.dot_general %arg32, %27, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<11x10xf32>, tensor<2x10xf32>) -> tensor<11x2xf32>
    %29 = stablehlo.transpose %28, dims = [1, 0] : (tensor<11x2xf32>) -> tensor<2x11xf32>
    %30 = stablehlo.iota dim = 1 : tensor<2x11xi32>
    %31:2 = "stablehlo.sort"(%29, %30) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%arg37: tensor<f32>, %arg38: tensor<f32>, %arg39: tensor<i32>, %arg40: tensor<i32>):
      %45 = stablehlo.compare GT, %arg37, %arg38, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %45 : tensor<i1>
    }) : (tensor<2x11xf32>, tensor<2x11xi32>) -> (tensor<2x11xf32>, tensor<2x11xi32>)
    %32 = stablehlo.slice %31#0 [0:2, 0:11] : (tensor<2x11xf32>) -> tensor<2x11xf32>
    %33 = stablehlo.slice %31#1 [0:2, 0:11] : (tensor<2x11xi32>) -> tensor<2x11xi32>
    %cst_2 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %34 = stablehlo.reduce(%28 init: %cst_2) applies stablehlo.maximum across dimensions = [0] : (tensor<11x2xf32>, tensor<f32>) -> tensor<2xf32>
    %35 = stablehlo.is_finite %34 : (tensor<2xf32>) -> tensor<2xi1>
    %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %36 = stablehlo.broadcast_in_dim %cst_3, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %37 = stablehlo.select %35, %34, %36 : tensor<2xi1>, tensor<2xf32>
    %38 = stablehlo.broadcast_in_dim %37, dims = [1] : (tensor<2xf32>) -> tensor<11x2xf32>
    %39 = stablehlo.subtract %28, %38 : tensor<11x2xf32>
    %40 = stablehlo.exponential %39 : tensor<11x2xf32>
    %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %41 = stablehlo.reduce(%40 init: %cst_4) applies stablehlo.add across dimensions = [0] : (tensor<11x2xf32>, tensor<f32>) -> tensor<2xf32>
    %42 = stablehlo.log %41 : tensor<2xf32>
    %43 = stablehlo.add %42, %37 : tensor<2xf32>
    %44 = stablehlo.transpose %28, dims = [1, 0] : (tensor<11x2xf32>) -> tensor<2x11xf32>
    return %44, %32, %33, %43, %12#1, %12#2, %13#1, %13#2 : tensor<2x11xf32>, tensor<2x11xf32>, tensor<2x11xi32>, tensor<2xf32>, tensor<2x2x4x6xf32>, tensor<2x2x6x4xf32>, tensor<2x2x4x6xf32>, tensor<2x2x6x4xf32>
  }
  func.func private @layers(%arg0: tensor<2x3x10xf32>, %arg1: tensor<10xf32>, %arg2: tensor<2x3x4x10xf32>, %arg3: tensor<2x3x4xf32>, %arg4: tensor<2x3x4xf32>, %arg5: tensor<2x3x4xf32>, %arg6: tensor<2x4x10xf32>, %arg7: tensor<2x4xf32>, %arg8: tensor<2x4x10xf32>, %arg9: tensor<2x4xf32>, %arg10: tensor<2x2x4x6xf32>, %arg11: tensor<2xi32>, %arg12: tensor<2x2x6x4xf32>, %arg13: tensor<10x2x3x4xf32>, %arg14: tensor<10xf32>, %arg15: tensor<10xf32>, %arg16: tensor<7x10xf32>, %arg17: tensor<7x10xf32>, %arg18: tensor<10x7xf32>) -> (tensor<2x3x10xf32>, tensor<2x2x4x6xf32>, tensor<2x2x6x4xf32>) {
    %0 = stablehlo.multiply %arg0, %arg0 : tensor<2x3x10xf32>
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
    %8 = stablehlo.multiply %arg0, %7 : tensor<2x3x10xf32>
    %9 = stablehlo.broadcast_in_dim %arg1, dims = [2] : (tensor<10xf32>) -> tensor<2x3x10xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<2x3x10xf32>
    %11 = stablehlo.dot_general %arg2, %10, contracting_dims = [3] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4x10xf32>, tensor<2x3x10xf32>) -> tensor<2x3x4x2x3xf32>
    %12 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1, 2] : (tensor<2x3x4xf32>) -> tensor<2x3x4x2x3xf32>
    %13 = stablehlo.add %11, %12 : tensor<2x3x4x2x3xf32>
    %14 = stablehlo.slice %13 [0:2, 0:3, 0:2, 0:2, 0:3] : (tensor<2x3x4x2x3xf32>) -> tensor<2x3x2x2x3xf32>
    %15 = stablehlo.slice %13 [0:2, 0:3, 2:4, 0:2, 0:3] : (tensor<2x3x4x2x3xf32>) -> tensor<2x3x2x2x3xf32>
    %16 = stablehlo.concatenate %14, %15, dim = 2 : (tensor<2x3x2x2x3xf32>, tensor<2x3x2x2x3xf32>) -> tensor<2x3x4x2x3xf32>
    %17 = stablehlo.transpose %arg4, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [2, 3, 4] : (tensor<4x2x3xf32>) -> tensor<2x3x4x2x3xf32>
    %19 = stablehlo.multiply %16, %18 : tensor<2x3x4x2x3xf32>
    %20 = stablehlo.negate %15 : tensor<2x3x2x2x3xf32>
    %21 = stablehlo.concatenate %20, %14, dim = 2 : (tensor<2x3x2x2x3xf32>, tensor<2x3x2x2x3xf32>) -> tensor<2x3x4x2x3xf32>
    %22 = stablehlo.transpose %arg5, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [2, 3, 4] : (tensor<4x2x3xf32>) -> tensor<2x3x4x2x3xf32>
    %24 = stablehlo.multiply %21, %23 : tensor<2x3x4x2x3xf32>
    %25 = stablehlo.add %19, %24 : tensor<2x3x4x2x3xf32>
    %cst_2 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %26 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<2x3x4x2x3xf32>
    %27 = stablehlo.multiply %25, %26 : tensor<2x3x4x2x3xf32>
    %28 = stablehlo.dot_general %arg6, %10, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x10xf32>, tensor<2x3x10xf32>) -> tensor<2x4x2x3xf32>
    %29 = stablehlo.broadcast_in_dim %arg7, dims = [0, 1] : (tensor<2x4xf32>) -> tensor<2x4x2x3xf32>
    %30 = stablehlo.add %28, %29 : tensor<2x4x2x3xf32>
    %31 = stablehlo.slice %30 [0:2, 0:2, 0:2, 0:3] : (tensor<2x4x2x3xf32>) -> tensor<2x2x2x3xf32>
    %32 = stablehlo.slice %30 [0:2, 2:4, 0:2, 0:3] : (tensor<2x4x2x3xf32>) -> tensor<2x2x2x3xf32>
    %33 = stablehlo.concatenate %31, %32, dim = 1 : (tensor<2x2x2x3xf32>, tensor<2x2x2x3xf32>) -> tensor<2x4x2x3xf32>
    %34 = stablehlo.transpose %arg4, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [1, 2, 3] : (tensor<4x2x3xf32>) -> tensor<2x4x2x3xf32>
    %36 = stablehlo.multiply %33, %35 : tensor<2x4x2x3xf32>
    %37 = stablehlo.negate %32 : tensor<2x2x2x3xf32>
    %38 = stablehlo.concatenate %37, %31, dim = 1 : (tensor<2x2x2x3xf32>, tensor<2x2x2x3xf32>) -> tensor<2x4x2x3xf32>
    %39 = stablehlo.transpose %arg5, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [1, 2, 3] : (tensor<4x2x3xf32>) -> tensor<2x4x2x3xf32>
    %41 = stablehlo.multiply %38, %40 : tensor<2x4x2x3xf32>
    %42 = stablehlo.add %36, %41 : tensor<2x4x2x3xf32>
    %43 = stablehlo.dot_general %arg8, %10, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x10xf32>, tensor<2x3x10xf32>) -> tensor<2x4x2x3xf32>
    %44 = stablehlo.broadcast_in_dim %arg9, dims = [0, 1] : (tensor<2x4xf32>) -> tensor<2x4x2x3xf32>
    %45 = stablehlo.add %43, %44 : tensor<2x4x2x3xf32>
    %46 = stablehlo.transpose %42, dims = [2, 0, 1, 3] : (tensor<2x4x2x3xf32>) -> tensor<2x2x4x3xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %47 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %48 = stablehlo.maximum %arg11, %47 : tensor<2xi32>
    %c_3 = stablehlo.constant dense<3> : tensor<i32>
    %49 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %50 = stablehlo.minimum %48, %49 : tensor<2xi32>
    %51 = "stablehlo.scatter"(%arg10, %50, %46) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [3], index_vector_dim = 1>, unique_indices = true}> ({
    ^bb0(%arg19: tensor<f32>, %arg20: tensor<f32>):
      stablehlo.return %arg20 : tensor<f32>
    }) : (tensor<2x2x4x6xf32>, tensor<2xi32>, tensor<2x2x4x3xf32>) -> tensor<2x2x4x6xf32>
    %52 = stablehlo.optimization_barrier %51 : tensor<2x2x4x6xf32>
    %53 = stablehlo.transpose %45, dims = [2, 0, 3, 1] : (tensor<2x4x2x3xf32>) -> tensor<2x2x3x4xf32>
    %c_4 = stablehlo.constant dense<0> : tensor<i32>
    %54 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %55 = stablehlo.maximum %arg11, %54 : tensor<2xi32>
    %c_5 = stablehlo.constant dense<3> : tensor<i32>
    %56 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %57 = stablehlo.minimum %55, %56 : tensor<2xi32>
    %58 = "stablehlo.scatter"(%arg12, %57, %53) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [2], index_vector_dim = 1>, unique_indices = true}> ({
    ^bb0(%arg19: tensor<f32>, %arg20: tensor<f32>):
      stablehlo.return %arg20 : tensor<f32>
    }) : (tensor<2x2x6x4xf32>, tensor<2xi32>, tensor<2x2x3x4xf32>) -> tensor<2x2x6x4xf32>
    %59 = stablehlo.optimization_barrier %58 : tensor<2x2x6x4xf32>
    %60 = stablehlo.broadcast_in_dim %arg11, dims = [0] : (tensor<2xi32>) -> tensor<2x3xi32>
    %61 = stablehlo.iota dim = 0 : tensor<3xi32>
    %62 = stablehlo.broadcast_in_dim %61, dims = [1] : (tensor<3xi32>) -> tensor<2x3xi32>
    %63 = stablehlo.add %60, %62 : tensor<2x3xi32>
    %64 = stablehlo.broadcast_in_dim %63, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x6xi32>
    %65 = stablehlo.iota dim = 0 : tensor<6xi32>
    %66 = stablehlo.broadcast_in_dim %65, dims = [2] : (tensor<6xi32>) -> tensor<2x3x6xi32>
    %67 = stablehlo.subtract %64, %66 : tensor<2x3x6xi32>
    %68 = stablehlo.dot_general %27, %52, batching_dims = [0, 3] x [1, 0], contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4x2x3xf32>, tensor<2x2x4x6xf32>) -> tensor<2x2x3x3x6xf32>
    %c_6 = stablehlo.constant dense<0> : tensor<i32>
    %69 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<i32>) -> tensor<2x3x6xi32>
    %70 = stablehlo.compare GE, %67, %69, SIGNED : (tensor<2x3x6xi32>, tensor<2x3x6xi32>) -> tensor<2x3x6xi1>
    %71 = stablehlo.broadcast_in_dim %70, dims = [1, 3, 4] : (tensor<2x3x6xi1>) -> tensor<2x2x3x3x6xi1>
    %cst_7 = stablehlo.constant dense<-1.000000e+30> : tensor<f32>
    %72 = stablehlo.broadcast_in_dim %cst_7, dims = [] : (tensor<f32>) -> tensor<2x2x3x3x6xf32>
    %73 = stablehlo.select %71, %68, %72 : tensor<2x2x3x3x6xi1>, tensor<2x2x3x3x6xf32>
    %cst_8 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %74 = stablehlo.reduce(%73 init: %cst_8) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x3x3x6xf32>, tensor<f32>) -> tensor<2x2x3x3xf32>
    %75 = stablehlo.broadcast_in_dim %74, dims = [0, 1, 2, 3] : (tensor<2x2x3x3xf32>) -> tensor<2x2x3x3x6xf32>
    %76 = stablehlo.subtract %73, %75 : tensor<2x2x3x3x6xf32>
    %77 = stablehlo.exponential %76 : tensor<2x2x3x3x6xf32>
    %cst_9 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %78 = stablehlo.reduce(%77 init: %cst_9) applies stablehlo.add across dimensions = [4] : (tensor<2x2x3x3x6xf32>, tensor<f32>) -> tensor<2x2x3x3xf32>
    %79 = stablehlo.broadcast_in_dim %78, dims = [0, 1, 2, 3] : (tensor<2x2x3x3xf32>) -> tensor<2x2x3x3x6xf32>
    %80 = stablehlo.divide %77, %79 : tensor<2x2x3x3x6xf32>
    %81 = stablehlo.dot_general %80, %59, batching_dims = [0, 1] x [1, 0], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x2x3x3x6xf32>, tensor<2x2x6x4xf32>) -> tensor<2x2x3x3x4xf32>
    %82 = stablehlo.dot_general %arg13, %81, contracting_dims = [1, 2, 3] x [0, 2, 4], precision = [HIGHEST, HIGHEST] : (tensor<10x2x3x4xf32>, tensor<2x2x3x3x4xf32>) -> tensor<10x2x3xf32>
    %83 = stablehlo.broadcast_in_dim %arg14, dims = [0] : (tensor<10xf32>) -> tensor<10x2x3xf32>
    %84 = stablehlo.add %82, %83 : tensor<10x2x3xf32>
    %85 = stablehlo.transpose %84, dims = [1, 2, 0] : (tensor<10x2x3xf32>) -> tensor<2x3x10xf32>
    %86 = stablehlo.add %arg0, %85 : tensor<2x3x10xf32>
    %87 = stablehlo.multiply %86, %86 : tensor<2x3x10xf32>
    %cst_10 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %88 = stablehlo.reduce(%87 init: %cst_10) applies stablehlo.add across dimensions = [2] : (tensor<2x3x10xf32>, tensor<f32>) -> tensor<2x3xf32>
    %cst_11 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %89 = stablehlo.broadcast_in_dim %cst_11, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %90 = stablehlo.multiply %88, %89 : tensor<2x3xf32>
    %cst_12 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %91 = stablehlo.broadcast_in_dim %cst_12, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %92 = stablehlo.add %90, %91 : tensor<2x3xf32>
    %93 = stablehlo.rsqrt %92 : tensor<2x3xf32>
    %94 = stablehlo.broadcast_in_dim %93, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x10xf32>
    %95 = stablehlo.multiply %86, %94 : tensor<2x3x10xf32>
    %96 = stablehlo.broadcast_in_dim %arg15, dims = [2] : (tensor<10xf32>) -> tensor<2x3x10xf32>
    %97 = stablehlo.multiply %95, %96 : tensor<2x3x10xf32>
    %98 = stablehlo.dot_general %arg16, %97, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<7x10xf32>, tensor<2x3x10xf32>) -> tensor<7x2x3xf32>
    %99 = stablehlo.dot_general %arg17, %97, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<7x10xf32>, tensor<2x3x10xf32>) -> tensor<7x2x3xf32>
    %100 = stablehlo.logistic %98 : tensor<7x2x3xf32>
    %101 = stablehlo.multiply %98, %100 : tensor<7x2x3xf32>
    %102 = stablehlo.multiply %101, %99 : tensor<7x2x3xf32>
    %103 = stablehlo.dot_general %arg18, %102, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<10x7xf32>, tensor<7x2x3xf32>) -> tensor<10x2x3xf32>
    %104 = stablehlo.transpose %103, dims = [1, 2, 0] : (tensor<10x2x3xf32>) -> tensor<2x3x10xf32>
    %105 = stablehlo.add %86, %104 : tensor<2x3x10xf32>
    return %105, %52, %59 : tensor<2x3x10xf32>, tensor<2x2x4x6xf32>, tensor<2x2x6x4xf32>
  }
}
