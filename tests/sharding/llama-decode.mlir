module @decode {
  sdy.mesh @mesh = <["data"=1, "expert"=1, "model"=2]>
  func.func public @main(%arg0: tensor<2x1xi32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}]>}, %arg1: tensor<2xi32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg2: tensor<2xi32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg3: tensor<2x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}]>}, %arg4: tensor<2048x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"model"}, {}]>}, %arg5: tensor<16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg6: tensor<2x2x4x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"model"}, {}, {}, {}]>}, %arg7: tensor<2x4x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"model"}, {}, {}]>}, %arg8: tensor<2x4x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"model"}, {}, {}]>}, %arg9: tensor<16x2x2x4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"model"}, {}, {}]>}, %arg10: tensor<16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg11: tensor<10x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"model"}, {}]>}, %arg12: tensor<10x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"model"}, {}]>}, %arg13: tensor<16x10xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"model"}]>}, %arg14: tensor<16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg15: tensor<2x2x4x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"model"}, {}, {}]>, tf.aliasing_output = 4 : i32}, %arg16: tensor<2x2x8x4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"model"}, {}, {}]>, tf.aliasing_output = 5 : i32}) -> (tensor<2x2048xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"model"}]>}, tensor<2x64xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}]>}, tensor<64x2xi32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2x2x4x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"model"}, {}, {}]>}, tensor<2x2x8x4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"model"}, {}, {}]>}) {
    %0 = stablehlo.broadcast_in_dim %arg1, dims = [0] : (tensor<2xi32>) -> tensor<2x1xi32>
    %1 = stablehlo.iota dim = 0 : tensor<1xi32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [1] : (tensor<1xi32>) -> tensor<2x1xi32>
    %3 = stablehlo.add %0, %2 : tensor<2x1xi32>
    %4 = stablehlo.concatenate %arg3, %arg3, dim = 1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>
    %5 = stablehlo.convert %3 : (tensor<2x1xi32>) -> tensor<2x1xf32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x4xf32>
    %7 = stablehlo.broadcast_in_dim %4, dims = [0, 2] : (tensor<2x4xf32>) -> tensor<2x1x4xf32>
    %8 = stablehlo.multiply %6, %7 : tensor<2x1x4xf32>
    %9 = stablehlo.cosine %8 : tensor<2x1x4xf32>
    %10 = stablehlo.sine %8 : tensor<2x1x4xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %11 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2x1xi32>
    %12 = stablehlo.maximum %arg0, %11 : tensor<2x1xi32>
    %c_0 = stablehlo.constant dense<2047> : tensor<i32>
    %13 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<i32>) -> tensor<2x1xi32>
    %14 = stablehlo.minimum %12, %13 : tensor<2x1xi32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [0, 1] : (tensor<2x1xi32>) -> tensor<2x1x2xi32>
    %16 = stablehlo.iota dim = 0 : tensor<2xi32>
    %c_1 = stablehlo.constant dense<1024> : tensor<i32>
    %17 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %18 = stablehlo.multiply %16, %17 : tensor<2xi32>
    %19 = stablehlo.broadcast_in_dim %18, dims = [2] : (tensor<2xi32>) -> tensor<2x1x2xi32>
    %20 = stablehlo.subtract %15, %19 : tensor<2x1x2xi32>
    %c_2 = stablehlo.constant dense<0> : tensor<i32>
    %21 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<2x1x2xi32>
    %22 = stablehlo.compare GE, %20, %21, SIGNED : (tensor<2x1x2xi32>, tensor<2x1x2xi32>) -> tensor<2x1x2xi1>
    %c_3 = stablehlo.constant dense<1024> : tensor<i32>
    %23 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<2x1x2xi32>
    %24 = stablehlo.compare LT, %20, %23, SIGNED : (tensor<2x1x2xi32>, tensor<2x1x2xi32>) -> tensor<2x1x2xi1>
    %25 = stablehlo.and %22, %24 : tensor<2x1x2xi1>
    %26 = stablehlo.reshape %arg4 : (tensor<2048x16xf32>) -> tensor<2x1024x16xf32>
    %27 = "stablehlo.gather"(%26, %20) <{dimension_numbers = #stablehlo.gather<offset_dims = [3], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [2], start_index_map = [1], index_vector_dim = 3>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 16>}> : (tensor<2x1024x16xf32>, tensor<2x1x2xi32>) -> tensor<2x1x2x16xf32>
    %28 = stablehlo.broadcast_in_dim %25, dims = [0, 1, 2] : (tensor<2x1x2xi1>) -> tensor<2x1x2x16xi1>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %29 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x1x2x16xf32>
    %30 = stablehlo.select %28, %27, %29 : tensor<2x1x2x16xi1>, tensor<2x1x2x16xf32>
    %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %31 = stablehlo.reduce(%30 init: %cst_4) applies stablehlo.add across dimensions = [2] : (tensor<2x1x2x16xf32>, tensor<f32>) -> tensor<2x1x16xf32>
    %32:3 = call @layers(%31, %arg5, %arg6, %9, %10, %arg7, %arg8, %arg15, %arg1, %arg16, %arg9, %arg10, %arg11, %arg12, %arg13) : (tensor<2x1x16xf32>, tensor<16xf32>, tensor<2x2x4x16xf32>, tensor<2x1x4xf32>, tensor<2x1x4xf32>, tensor<2x4x16xf32>, tensor<2x4x16xf32>, tensor<2x2x4x8xf32>, tensor<2xi32>, tensor<2x2x8x4xf32>, tensor<16x2x2x4xf32>, tensor<16xf32>, tensor<10x16xf32>, tensor<10x16xf32>, tensor<16x10xf32>) -> (tensor<2x1x16xf32>, tensor<2x2x4x8xf32>, tensor<2x2x8x4xf32>)
    %33 = stablehlo.multiply %32#0, %32#0 : tensor<2x1x16xf32>
    %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %34 = stablehlo.reduce(%33 init: %cst_5) applies stablehlo.add across dimensions = [2] : (tensor<2x1x16xf32>, tensor<f32>) -> tensor<2x1xf32>
    %cst_6 = stablehlo.constant dense<6.250000e-02> : tensor<f32>
    %35 = stablehlo.broadcast_in_dim %cst_6, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %36 = stablehlo.multiply %34, %35 : tensor<2x1xf32>
    %cst_7 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %37 = stablehlo.broadcast_in_dim %cst_7, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %38 = stablehlo.add %36, %37 : tensor<2x1xf32>
    %39 = stablehlo.rsqrt %38 : tensor<2x1xf32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x16xf32>
    %41 = stablehlo.multiply %32#0, %40 : tensor<2x1x16xf32>
    %42 = stablehlo.broadcast_in_dim %arg14, dims = [2] : (tensor<16xf32>) -> tensor<2x1x16xf32>
    %43 = stablehlo.multiply %41, %42 : tensor<2x1x16xf32>
    %c_8 = stablehlo.constant dense<1> : tensor<i32>
    %44 = stablehlo.broadcast_in_dim %c_8, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %45 = stablehlo.subtract %arg2, %44 : tensor<2xi32>
    %46 = "stablehlo.gather"(%43, %45) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 16>}> : (tensor<2x1x16xf32>, tensor<2xi32>) -> tensor<2x16xf32>
    %47 = stablehlo.dot_general %arg4, %46, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2048x16xf32>, tensor<2x16xf32>) -> tensor<2048x2xf32>
    %48 = stablehlo.reshape %47 : (tensor<2048x2xf32>) -> tensor<2x1024x2xf32>
    %49 = stablehlo.transpose %48, dims = [0, 2, 1] : (tensor<2x1024x2xf32>) -> tensor<2x2x1024xf32>
    %50 = stablehlo.iota dim = 2 : tensor<2x2x1024xi32>
    %51:2 = "stablehlo.sort"(%49, %50) <{dimension = 2 : i64, is_stable = true}> ({
    ^bb0(%arg17: tensor<f32>, %arg18: tensor<f32>, %arg19: tensor<i32>, %arg20: tensor<i32>):
      %82 = stablehlo.compare GT, %arg17, %arg18, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %82 : tensor<i1>
    }) : (tensor<2x2x1024xf32>, tensor<2x2x1024xi32>) -> (tensor<2x2x1024xf32>, tensor<2x2x1024xi32>)
    %52 = stablehlo.slice %51#0 [0:2, 0:2, 0:64] : (tensor<2x2x1024xf32>) -> tensor<2x2x64xf32>
    %53 = stablehlo.slice %51#1 [0:2, 0:2, 0:64] : (tensor<2x2x1024xi32>) -> tensor<2x2x64xi32>
    %54 = stablehlo.iota dim = 0 : tensor<2xi32>
    %c_9 = stablehlo.constant dense<1024> : tensor<i32>
    %55 = stablehlo.broadcast_in_dim %c_9, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %56 = stablehlo.multiply %54, %55 : tensor<2xi32>
    %57 = stablehlo.broadcast_in_dim %56, dims = [0] : (tensor<2xi32>) -> tensor<2x2x64xi32>
    %58 = stablehlo.add %53, %57 : tensor<2x2x64xi32>
    %59 = stablehlo.transpose %52, dims = [1, 0, 2] : (tensor<2x2x64xf32>) -> tensor<2x2x64xf32>
    %60 = stablehlo.reshape %59 : (tensor<2x2x64xf32>) -> tensor<2x128xf32>
    %61 = sdy.sharding_constraint %60 <@mesh, [{?}, {}]> : tensor<2x128xf32>
    %62 = stablehlo.iota dim = 1 : tensor<2x128xi32>
    %63:2 = "stablehlo.sort"(%61, %62) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%arg17: tensor<f32>, %arg18: tensor<f32>, %arg19: tensor<i32>, %arg20: tensor<i32>):
      %82 = stablehlo.compare GT, %arg17, %arg18, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %82 : tensor<i1>
    }) : (tensor<2x128xf32>, tensor<2x128xi32>) -> (tensor<2x128xf32>, tensor<2x128xi32>)
    %64 = stablehlo.slice %63#0 [0:2, 0:64] : (tensor<2x128xf32>) -> tensor<2x64xf32>
    %65 = stablehlo.slice %63#1 [0:2, 0:64] : (tensor<2x128xi32>) -> tensor<2x64xi32>
    %66 = stablehlo.transpose %58, dims = [1, 0, 2] : (tensor<2x2x64xi32>) -> tensor<2x2x64xi32>
    %67 = stablehlo.reshape %66 : (tensor<2x2x64xi32>) -> tensor<2x128xi32>
    %68 = sdy.sharding_constraint %67 <@mesh, [{?}, {}]> : tensor<2x128xi32>
    %69 = "stablehlo.gather"(%68, %65) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1>}> : (tensor<2x128xi32>, tensor<2x64xi32>) -> tensor<2x64xi32>
    %cst_10 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %70 = stablehlo.reduce(%47 init: %cst_10) applies stablehlo.maximum across dimensions = [0] : (tensor<2048x2xf32>, tensor<f32>) -> tensor<2xf32>
    %71 = stablehlo.is_finite %70 : (tensor<2xf32>) -> tensor<2xi1>
    %cst_11 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %72 = stablehlo.broadcast_in_dim %cst_11, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %73 = stablehlo.select %71, %70, %72 : tensor<2xi1>, tensor<2xf32>
    %74 = stablehlo.broadcast_in_dim %73, dims = [1] : (tensor<2xf32>) -> tensor<2048x2xf32>
    %75 = stablehlo.subtract %47, %74 : tensor<2048x2xf32>
    %76 = stablehlo.exponential %75 : tensor<2048x2xf32>
    %cst_12 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %77 = stablehlo.reduce(%76 init: %cst_12) applies stablehlo.add across dimensions = [0] : (tensor<2048x2xf32>, tensor<f32>) -> tensor<2xf32>
    %78 = stablehlo.log %77 : tensor<2xf32>
    %79 = stablehlo.add %78, %73 : tensor<2xf32>
    %80 = stablehlo.transpose %47, dims = [1, 0] : (tensor<2048x2xf32>) -> tensor<2x2048xf32>
    %81 = stablehlo.transpose %69, dims = [1, 0] : (tensor<2x64xi32>) -> tensor<64x2xi32>
    return %80, %64, %81, %79, %32#1, %32#2 : tensor<2x2048xf32>, tensor<2x64xf32>, tensor<64x2xi32>, tensor<2xf32>, tensor<2x2x4x8xf32>, tensor<2x2x8x4xf32>
  }
  func.func private @layers(%arg0: tensor<2x1x16xf32>, %arg1: tensor<16xf32>, %arg2: tensor<2x2x4x16xf32>, %arg3: tensor<2x1x4xf32>, %arg4: tensor<2x1x4xf32>, %arg5: tensor<2x4x16xf32>, %arg6: tensor<2x4x16xf32>, %arg7: tensor<2x2x4x8xf32>, %arg8: tensor<2xi32>, %arg9: tensor<2x2x8x4xf32>, %arg10: tensor<16x2x2x4xf32>, %arg11: tensor<16xf32>, %arg12: tensor<10x16xf32>, %arg13: tensor<10x16xf32>, %arg14: tensor<16x10xf32>) -> (tensor<2x1x16xf32>, tensor<2x2x4x8xf32>, tensor<2x2x8x4xf32>) {
    %0 = stablehlo.multiply %arg0, %arg0 : tensor<2x1x16xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %1 = stablehlo.reduce(%0 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x1x16xf32>, tensor<f32>) -> tensor<2x1xf32>
    %cst_0 = stablehlo.constant dense<6.250000e-02> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %3 = stablehlo.multiply %1, %2 : tensor<2x1xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %5 = stablehlo.add %3, %4 : tensor<2x1xf32>
    %6 = stablehlo.rsqrt %5 : tensor<2x1xf32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x16xf32>
    %8 = stablehlo.multiply %arg0, %7 : tensor<2x1x16xf32>
    %9 = stablehlo.broadcast_in_dim %arg1, dims = [2] : (tensor<16xf32>) -> tensor<2x1x16xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<2x1x16xf32>
    %11 = stablehlo.dot_general %arg2, %10, contracting_dims = [3] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x2x4x16xf32>, tensor<2x1x16xf32>) -> tensor<2x2x4x2x1xf32>
    %12 = stablehlo.slice %11 [0:2, 0:2, 0:2, 0:2, 0:1] : (tensor<2x2x4x2x1xf32>) -> tensor<2x2x2x2x1xf32>
    %13 = stablehlo.slice %11 [0:2, 0:2, 2:4, 0:2, 0:1] : (tensor<2x2x4x2x1xf32>) -> tensor<2x2x2x2x1xf32>
    %14 = stablehlo.concatenate %12, %13, dim = 2 : (tensor<2x2x2x2x1xf32>, tensor<2x2x2x2x1xf32>) -> tensor<2x2x4x2x1xf32>
    %15 = stablehlo.transpose %arg3, dims = [2, 0, 1] : (tensor<2x1x4xf32>) -> tensor<4x2x1xf32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [2, 3, 4] : (tensor<4x2x1xf32>) -> tensor<2x2x4x2x1xf32>
    %17 = stablehlo.multiply %14, %16 : tensor<2x2x4x2x1xf32>
    %18 = stablehlo.negate %13 : tensor<2x2x2x2x1xf32>
    %19 = stablehlo.concatenate %18, %12, dim = 2 : (tensor<2x2x2x2x1xf32>, tensor<2x2x2x2x1xf32>) -> tensor<2x2x4x2x1xf32>
    %20 = stablehlo.transpose %arg4, dims = [2, 0, 1] : (tensor<2x1x4xf32>) -> tensor<4x2x1xf32>
    %21 = stablehlo.broadcast_in_dim %20, dims = [2, 3, 4] : (tensor<4x2x1xf32>) -> tensor<2x2x4x2x1xf32>
    %22 = stablehlo.multiply %19, %21 : tensor<2x2x4x2x1xf32>
    %23 = stablehlo.add %17, %22 : tensor<2x2x4x2x1xf32>
    %cst_2 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %24 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<2x2x4x2x1xf32>
    %25 = stablehlo.multiply %23, %24 : tensor<2x2x4x2x1xf32>
    %26 = stablehlo.dot_general %arg5, %10, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x16xf32>, tensor<2x1x16xf32>) -> tensor<2x4x2x1xf32>
    %27 = stablehlo.slice %26 [0:2, 0:2, 0:2, 0:1] : (tensor<2x4x2x1xf32>) -> tensor<2x2x2x1xf32>
    %28 = stablehlo.slice %26 [0:2, 2:4, 0:2, 0:1] : (tensor<2x4x2x1xf32>) -> tensor<2x2x2x1xf32>
    %29 = stablehlo.concatenate %27, %28, dim = 1 : (tensor<2x2x2x1xf32>, tensor<2x2x2x1xf32>) -> tensor<2x4x2x1xf32>
    %30 = stablehlo.transpose %arg3, dims = [2, 0, 1] : (tensor<2x1x4xf32>) -> tensor<4x2x1xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [1, 2, 3] : (tensor<4x2x1xf32>) -> tensor<2x4x2x1xf32>
    %32 = stablehlo.multiply %29, %31 : tensor<2x4x2x1xf32>
    %33 = stablehlo.negate %28 : tensor<2x2x2x1xf32>
    %34 = stablehlo.concatenate %33, %27, dim = 1 : (tensor<2x2x2x1xf32>, tensor<2x2x2x1xf32>) -> tensor<2x4x2x1xf32>
    %35 = stablehlo.transpose %arg4, dims = [2, 0, 1] : (tensor<2x1x4xf32>) -> tensor<4x2x1xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [1, 2, 3] : (tensor<4x2x1xf32>) -> tensor<2x4x2x1xf32>
    %37 = stablehlo.multiply %34, %36 : tensor<2x4x2x1xf32>
    %38 = stablehlo.add %32, %37 : tensor<2x4x2x1xf32>
    %39 = stablehlo.dot_general %arg6, %10, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x16xf32>, tensor<2x1x16xf32>) -> tensor<2x4x2x1xf32>
    %40 = stablehlo.transpose %38, dims = [2, 0, 1, 3] : (tensor<2x4x2x1xf32>) -> tensor<2x2x4x1xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %41 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %42 = stablehlo.maximum %arg8, %41 : tensor<2xi32>
    %c_3 = stablehlo.constant dense<7> : tensor<i32>
    %43 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %44 = stablehlo.minimum %42, %43 : tensor<2xi32>
    %45 = "stablehlo.scatter"(%arg7, %44, %40) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [3], index_vector_dim = 1>, unique_indices = true}> ({
    ^bb0(%arg15: tensor<f32>, %arg16: tensor<f32>):
      stablehlo.return %arg16 : tensor<f32>
    }) : (tensor<2x2x4x8xf32>, tensor<2xi32>, tensor<2x2x4x1xf32>) -> tensor<2x2x4x8xf32>
    %46 = stablehlo.optimization_barrier %45 : tensor<2x2x4x8xf32>
    %47 = stablehlo.transpose %39, dims = [2, 0, 3, 1] : (tensor<2x4x2x1xf32>) -> tensor<2x2x1x4xf32>
    %c_4 = stablehlo.constant dense<0> : tensor<i32>
    %48 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %49 = stablehlo.maximum %arg8, %48 : tensor<2xi32>
    %c_5 = stablehlo.constant dense<7> : tensor<i32>
    %50 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %51 = stablehlo.minimum %49, %50 : tensor<2xi32>
    %52 = "stablehlo.scatter"(%arg9, %51, %47) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [2], index_vector_dim = 1>, unique_indices = true}> ({
    ^bb0(%arg15: tensor<f32>, %arg16: tensor<f32>):
      stablehlo.return %arg16 : tensor<f32>
    }) : (tensor<2x2x8x4xf32>, tensor<2xi32>, tensor<2x2x1x4xf32>) -> tensor<2x2x8x4xf32>
    %53 = stablehlo.optimization_barrier %52 : tensor<2x2x8x4xf32>
    %54 = stablehlo.broadcast_in_dim %arg8, dims = [0] : (tensor<2xi32>) -> tensor<2x1xi32>
    %55 = stablehlo.iota dim = 0 : tensor<1xi32>
    %56 = stablehlo.broadcast_in_dim %55, dims = [1] : (tensor<1xi32>) -> tensor<2x1xi32>
    %57 = stablehlo.add %54, %56 : tensor<2x1xi32>
    %58 = stablehlo.broadcast_in_dim %57, dims = [0, 1] : (tensor<2x1xi32>) -> tensor<2x1x8xi32>
    %59 = stablehlo.iota dim = 0 : tensor<8xi32>
    %60 = stablehlo.broadcast_in_dim %59, dims = [2] : (tensor<8xi32>) -> tensor<2x1x8xi32>
    %61 = stablehlo.subtract %58, %60 : tensor<2x1x8xi32>
    %62 = stablehlo.dot_general %25, %46, batching_dims = [3, 0] x [0, 1], contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x2x4x2x1xf32>, tensor<2x2x4x8xf32>) -> tensor<2x2x2x1x8xf32>
    %c_6 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<i32>) -> tensor<2x1x8xi32>
    %64 = stablehlo.compare GE, %61, %63, SIGNED : (tensor<2x1x8xi32>, tensor<2x1x8xi32>) -> tensor<2x1x8xi1>
    %65 = stablehlo.broadcast_in_dim %64, dims = [0, 3, 4] : (tensor<2x1x8xi1>) -> tensor<2x2x2x1x8xi1>
    %cst_7 = stablehlo.constant dense<-1.000000e+30> : tensor<f32>
    %66 = stablehlo.broadcast_in_dim %cst_7, dims = [] : (tensor<f32>) -> tensor<2x2x2x1x8xf32>
    %67 = stablehlo.select %65, %62, %66 : tensor<2x2x2x1x8xi1>, tensor<2x2x2x1x8xf32>
    %cst_8 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %68 = stablehlo.reduce(%67 init: %cst_8) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x2x1x8xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
    %69 = stablehlo.broadcast_in_dim %68, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x8xf32>
    %70 = stablehlo.subtract %67, %69 : tensor<2x2x2x1x8xf32>
    %71 = stablehlo.exponential %70 : tensor<2x2x2x1x8xf32>
    %cst_9 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %72 = stablehlo.reduce(%71 init: %cst_9) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x1x8xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
    %73 = stablehlo.broadcast_in_dim %72, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x8xf32>
    %74 = stablehlo.divide %71, %73 : tensor<2x2x2x1x8xf32>
    %75 = stablehlo.dot_general %74, %53, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x2x2x1x8xf32>, tensor<2x2x8x4xf32>) -> tensor<2x2x2x1x4xf32>
    %76 = stablehlo.dot_general %arg10, %75, contracting_dims = [1, 2, 3] x [1, 2, 4], precision = [HIGHEST, HIGHEST] : (tensor<16x2x2x4xf32>, tensor<2x2x2x1x4xf32>) -> tensor<16x2x1xf32>
    %77 = stablehlo.transpose %76, dims = [1, 2, 0] : (tensor<16x2x1xf32>) -> tensor<2x1x16xf32>
    %78 = stablehlo.add %arg0, %77 : tensor<2x1x16xf32>
    %79 = stablehlo.multiply %78, %78 : tensor<2x1x16xf32>
    %cst_10 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %80 = stablehlo.reduce(%79 init: %cst_10) applies stablehlo.add across dimensions = [2] : (tensor<2x1x16xf32>, tensor<f32>) -> tensor<2x1xf32>
    %cst_11 = stablehlo.constant dense<6.250000e-02> : tensor<f32>
    %81 = stablehlo.broadcast_in_dim %cst_11, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %82 = stablehlo.multiply %80, %81 : tensor<2x1xf32>
    %cst_12 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %83 = stablehlo.broadcast_in_dim %cst_12, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %84 = stablehlo.add %82, %83 : tensor<2x1xf32>
    %85 = stablehlo.rsqrt %84 : tensor<2x1xf32>
    %86 = stablehlo.broadcast_in_dim %85, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x16xf32>
    %87 = stablehlo.multiply %78, %86 : tensor<2x1x16xf32>
    %88 = stablehlo.broadcast_in_dim %arg11, dims = [2] : (tensor<16xf32>) -> tensor<2x1x16xf32>
    %89 = stablehlo.multiply %87, %88 : tensor<2x1x16xf32>
    %90 = stablehlo.dot_general %arg12, %89, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<10x16xf32>, tensor<2x1x16xf32>) -> tensor<10x2x1xf32>
    %91 = stablehlo.dot_general %arg13, %89, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<10x16xf32>, tensor<2x1x16xf32>) -> tensor<10x2x1xf32>
    %92 = stablehlo.logistic %90 : tensor<10x2x1xf32>
    %93 = stablehlo.multiply %90, %92 : tensor<10x2x1xf32>
    %94 = stablehlo.multiply %93, %91 : tensor<10x2x1xf32>
    %95 = stablehlo.dot_general %arg14, %94, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<16x10xf32>, tensor<10x2x1xf32>) -> tensor<16x2x1xf32>
    %96 = stablehlo.transpose %95, dims = [1, 2, 0] : (tensor<16x2x1xf32>) -> tensor<2x1x16xf32>
    %97 = stablehlo.add %78, %96 : tensor<2x1x16xf32>
    return %97, %46, %53 : tensor<2x1x16xf32>, tensor<2x2x4x8xf32>, tensor<2x2x8x4xf32>
  }
}
