module @decode {
  sdy.mesh @mesh = <["data"=2, "expert"=2, "model"=2]>
  func.func public @main(%arg0: tensor<2x1xi32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}, %arg1: tensor<2xi32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}]>}, %arg2: tensor<2xi32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}]>}, %arg3: tensor<2x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}, %arg4: tensor<2048x12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}]>}, %arg5: tensor<12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg6: tensor<4x2x4x12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}, {}, {}]>}, %arg7: tensor<4x4x12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}, {}]>}, %arg8: tensor<4x4x12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}, {}]>}, %arg9: tensor<12x4x2x4xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"expert", "model"}, {}, {}]>}, %arg10: tensor<4x2x4xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}, {}]>}, %arg11: tensor<4x4xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}]>}, %arg12: tensor<4x4xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}]>}, %arg13: tensor<12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg14: tensor<4x2xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}]>}, %arg15: tensor<12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg16: tensor<6x12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert"}, {}]>}, %arg17: tensor<6xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert"}]>}, %arg18: tensor<6x10x2x12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert"}, {"model"}, {}, {}]>}, %arg19: tensor<6x10x2xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert"}, {"model"}, {}]>}, %arg20: tensor<6x12x10xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert"}, {}, {"model"}]>}, %arg21: tensor<6x12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert"}, {}]>}, %arg22: tensor<12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, %arg23: tensor<2048x12xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}, {}]>}, %arg24: tensor<2x4x4x8xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {"expert", "model"}, {}, {}]>, tf.aliasing_output = 4 : i32}, %arg25: tensor<2x4x8x4xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {"expert", "model"}, {}, {}]>, tf.aliasing_output = 5 : i32}) -> (tensor<2x2048xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {"expert", "model"}]>}, tensor<2x64xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}, tensor<64x2xi32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"data"}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}]>}, tensor<2x4x4x8xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {"expert", "model"}, {}, {}]>}, tensor<2x4x8x4xbf16> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {"expert", "model"}, {}, {}]>}) {
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
    %cst = stablehlo.constant dense<1.34657359> : tensor<f32>
    %10 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x1x4xf32>
    %11 = stablehlo.multiply %9, %10 : tensor<2x1x4xf32>
    %12 = stablehlo.sine %8 : tensor<2x1x4xf32>
    %cst_0 = stablehlo.constant dense<1.34657359> : tensor<f32>
    %13 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x1x4xf32>
    %14 = stablehlo.multiply %12, %13 : tensor<2x1x4xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %15 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2x1xi32>
    %16 = stablehlo.maximum %arg0, %15 : tensor<2x1xi32>
    %c_1 = stablehlo.constant dense<2047> : tensor<i32>
    %17 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<i32>) -> tensor<2x1xi32>
    %18 = stablehlo.minimum %16, %17 : tensor<2x1xi32>
    %19 = stablehlo.broadcast_in_dim %18, dims = [0, 1] : (tensor<2x1xi32>) -> tensor<2x1x4xi32>
    %20 = stablehlo.iota dim = 0 : tensor<4xi32>
    %c_2 = stablehlo.constant dense<512> : tensor<i32>
    %21 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<4xi32>
    %22 = stablehlo.multiply %20, %21 : tensor<4xi32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [2] : (tensor<4xi32>) -> tensor<2x1x4xi32>
    %24 = stablehlo.subtract %19, %23 : tensor<2x1x4xi32>
    %c_3 = stablehlo.constant dense<0> : tensor<i32>
    %25 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<2x1x4xi32>
    %26 = stablehlo.compare GE, %24, %25, SIGNED : (tensor<2x1x4xi32>, tensor<2x1x4xi32>) -> tensor<2x1x4xi1>
    %c_4 = stablehlo.constant dense<512> : tensor<i32>
    %27 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<2x1x4xi32>
    %28 = stablehlo.compare LT, %24, %27, SIGNED : (tensor<2x1x4xi32>, tensor<2x1x4xi32>) -> tensor<2x1x4xi1>
    %29 = stablehlo.and %26, %28 : tensor<2x1x4xi1>
    %30 = stablehlo.reshape %arg4 : (tensor<2048x12xbf16>) -> tensor<4x512x12xbf16>
    %31 = "stablehlo.gather"(%30, %24) <{dimension_numbers = #stablehlo.gather<offset_dims = [3], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [2], start_index_map = [1], index_vector_dim = 3>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 12>}> : (tensor<4x512x12xbf16>, tensor<2x1x4xi32>) -> tensor<2x1x4x12xbf16>
    %32 = stablehlo.broadcast_in_dim %29, dims = [0, 1, 2] : (tensor<2x1x4xi1>) -> tensor<2x1x4x12xi1>
    %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<bf16>
    %33 = stablehlo.broadcast_in_dim %cst_5, dims = [] : (tensor<bf16>) -> tensor<2x1x4x12xbf16>
    %34 = stablehlo.select %32, %31, %33 : tensor<2x1x4x12xi1>, tensor<2x1x4x12xbf16>
    %35 = stablehlo.convert %34 : (tensor<2x1x4x12xbf16>) -> tensor<2x1x4x12xf32>
    %cst_6 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %36 = stablehlo.reduce(%35 init: %cst_6) applies stablehlo.add across dimensions = [2] : (tensor<2x1x4x12xf32>, tensor<f32>) -> tensor<2x1x12xf32>
    %37 = stablehlo.convert %36 : (tensor<2x1x12xf32>) -> tensor<2x1x12xbf16>
    %38:3 = call @layers(%37, %arg5, %arg6, %arg10, %11, %14, %arg7, %arg11, %arg8, %arg12, %arg24, %arg1, %arg25, %arg14, %arg9, %arg13, %arg15, %arg16, %arg17, %arg18, %arg19, %arg20, %arg21) : (tensor<2x1x12xbf16>, tensor<12xbf16>, tensor<4x2x4x12xbf16>, tensor<4x2x4xbf16>, tensor<2x1x4xf32>, tensor<2x1x4xf32>, tensor<4x4x12xbf16>, tensor<4x4xbf16>, tensor<4x4x12xbf16>, tensor<4x4xbf16>, tensor<2x4x4x8xbf16>, tensor<2xi32>, tensor<2x4x8x4xbf16>, tensor<4x2xbf16>, tensor<12x4x2x4xbf16>, tensor<12xbf16>, tensor<12xbf16>, tensor<6x12xbf16>, tensor<6xbf16>, tensor<6x10x2x12xbf16>, tensor<6x10x2xbf16>, tensor<6x12x10xbf16>, tensor<6x12xbf16>) -> (tensor<2x1x12xbf16>, tensor<2x4x4x8xbf16>, tensor<2x4x8x4xbf16>)
    %39 = stablehlo.convert %38#0 : (tensor<2x1x12xbf16>) -> tensor<2x1x12xf32>
    %40 = stablehlo.multiply %39, %39 : tensor<2x1x12xf32>
    %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %41 = stablehlo.reduce(%40 init: %cst_7) applies stablehlo.add across dimensions = [2] : (tensor<2x1x12xf32>, tensor<f32>) -> tensor<2x1xf32>
    %cst_8 = stablehlo.constant dense<0.0833333358> : tensor<f32>
    %42 = stablehlo.broadcast_in_dim %cst_8, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %43 = stablehlo.multiply %41, %42 : tensor<2x1xf32>
    %cst_9 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %44 = stablehlo.broadcast_in_dim %cst_9, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %45 = stablehlo.add %43, %44 : tensor<2x1xf32>
    %46 = stablehlo.rsqrt %45 : tensor<2x1xf32>
    %47 = stablehlo.broadcast_in_dim %46, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x12xf32>
    %48 = stablehlo.multiply %39, %47 : tensor<2x1x12xf32>
    %49 = stablehlo.convert %arg22 : (tensor<12xbf16>) -> tensor<12xf32>
    %50 = stablehlo.broadcast_in_dim %49, dims = [2] : (tensor<12xf32>) -> tensor<2x1x12xf32>
    %51 = stablehlo.multiply %48, %50 : tensor<2x1x12xf32>
    %52 = stablehlo.convert %51 : (tensor<2x1x12xf32>) -> tensor<2x1x12xbf16>
    %c_10 = stablehlo.constant dense<1> : tensor<i32>
    %53 = stablehlo.broadcast_in_dim %c_10, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %54 = stablehlo.subtract %arg2, %53 : tensor<2xi32>
    %55 = "stablehlo.gather"(%52, %54) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 12>}> : (tensor<2x1x12xbf16>, tensor<2xi32>) -> tensor<2x12xbf16>
    %56 = stablehlo.dot_general %arg23, %55, contracting_dims = [1] x [1], precision = [DEFAULT, DEFAULT] : (tensor<2048x12xbf16>, tensor<2x12xbf16>) -> tensor<2048x2xf32>
    %57 = stablehlo.convert %56 : (tensor<2048x2xf32>) -> tensor<2048x2xbf16>
    %58 = stablehlo.convert %57 : (tensor<2048x2xbf16>) -> tensor<2048x2xf32>
    %59 = stablehlo.reshape %58 : (tensor<2048x2xf32>) -> tensor<4x512x2xf32>
    %60 = stablehlo.transpose %59, dims = [0, 2, 1] : (tensor<4x512x2xf32>) -> tensor<4x2x512xf32>
    %61 = stablehlo.iota dim = 2 : tensor<4x2x512xi32>
    %62:2 = "stablehlo.sort"(%60, %61) <{dimension = 2 : i64, is_stable = true}> ({
    ^bb0(%arg26: tensor<f32>, %arg27: tensor<f32>, %arg28: tensor<i32>, %arg29: tensor<i32>):
      %93 = stablehlo.compare GT, %arg26, %arg27, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %93 : tensor<i1>
    }) : (tensor<4x2x512xf32>, tensor<4x2x512xi32>) -> (tensor<4x2x512xf32>, tensor<4x2x512xi32>)
    %63 = stablehlo.slice %62#0 [0:4, 0:2, 0:64] : (tensor<4x2x512xf32>) -> tensor<4x2x64xf32>
    %64 = stablehlo.slice %62#1 [0:4, 0:2, 0:64] : (tensor<4x2x512xi32>) -> tensor<4x2x64xi32>
    %65 = stablehlo.iota dim = 0 : tensor<4xi32>
    %c_11 = stablehlo.constant dense<512> : tensor<i32>
    %66 = stablehlo.broadcast_in_dim %c_11, dims = [] : (tensor<i32>) -> tensor<4xi32>
    %67 = stablehlo.multiply %65, %66 : tensor<4xi32>
    %68 = stablehlo.broadcast_in_dim %67, dims = [0] : (tensor<4xi32>) -> tensor<4x2x64xi32>
    %69 = stablehlo.add %64, %68 : tensor<4x2x64xi32>
    %70 = stablehlo.transpose %63, dims = [1, 0, 2] : (tensor<4x2x64xf32>) -> tensor<2x4x64xf32>
    %71 = stablehlo.reshape %70 : (tensor<2x4x64xf32>) -> tensor<2x256xf32>
    %72 = sdy.sharding_constraint %71 <@mesh, [{?}, {}]> : tensor<2x256xf32>
    %73 = stablehlo.iota dim = 1 : tensor<2x256xi32>
    %74:2 = "stablehlo.sort"(%72, %73) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%arg26: tensor<f32>, %arg27: tensor<f32>, %arg28: tensor<i32>, %arg29: tensor<i32>):
      %93 = stablehlo.compare GT, %arg26, %arg27, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %93 : tensor<i1>
    }) : (tensor<2x256xf32>, tensor<2x256xi32>) -> (tensor<2x256xf32>, tensor<2x256xi32>)
    %75 = stablehlo.slice %74#0 [0:2, 0:64] : (tensor<2x256xf32>) -> tensor<2x64xf32>
    %76 = stablehlo.slice %74#1 [0:2, 0:64] : (tensor<2x256xi32>) -> tensor<2x64xi32>
    %77 = stablehlo.transpose %69, dims = [1, 0, 2] : (tensor<4x2x64xi32>) -> tensor<2x4x64xi32>
    %78 = stablehlo.reshape %77 : (tensor<2x4x64xi32>) -> tensor<2x256xi32>
    %79 = sdy.sharding_constraint %78 <@mesh, [{?}, {}]> : tensor<2x256xi32>
    %80 = "stablehlo.gather"(%79, %76) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1>}> : (tensor<2x256xi32>, tensor<2x64xi32>) -> tensor<2x64xi32>
    %cst_12 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %81 = stablehlo.reduce(%58 init: %cst_12) applies stablehlo.maximum across dimensions = [0] : (tensor<2048x2xf32>, tensor<f32>) -> tensor<2xf32>
    %82 = stablehlo.is_finite %81 : (tensor<2xf32>) -> tensor<2xi1>
    %cst_13 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %83 = stablehlo.broadcast_in_dim %cst_13, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %84 = stablehlo.select %82, %81, %83 : tensor<2xi1>, tensor<2xf32>
    %85 = stablehlo.broadcast_in_dim %84, dims = [1] : (tensor<2xf32>) -> tensor<2048x2xf32>
    %86 = stablehlo.subtract %58, %85 : tensor<2048x2xf32>
    %87 = stablehlo.exponential %86 : tensor<2048x2xf32>
    %cst_14 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %88 = stablehlo.reduce(%87 init: %cst_14) applies stablehlo.add across dimensions = [0] : (tensor<2048x2xf32>, tensor<f32>) -> tensor<2xf32>
    %89 = stablehlo.log %88 : tensor<2xf32>
    %90 = stablehlo.add %89, %84 : tensor<2xf32>
    %91 = stablehlo.transpose %58, dims = [1, 0] : (tensor<2048x2xf32>) -> tensor<2x2048xf32>
    %92 = stablehlo.transpose %80, dims = [1, 0] : (tensor<2x64xi32>) -> tensor<64x2xi32>
    return %91, %75, %92, %90, %38#1, %38#2 : tensor<2x2048xf32>, tensor<2x64xf32>, tensor<64x2xi32>, tensor<2xf32>, tensor<2x4x4x8xbf16>, tensor<2x4x8x4xbf16>
  }
  func.func private @tsxla.for_chosen(%arg0: tensor<6x10x2x12xbf16>, %arg1: tensor<6x10x2xbf16>, %arg2: tensor<6x12x10xbf16>, %arg3: tensor<6x12xbf16>, %arg4: tensor<2x1x12xbf16>, %arg5: tensor<2x1x2xi32>, %arg6: tensor<2x1x2xbf16>) -> tensor<2x1x12xbf16> {
    %0 = stablehlo.iota dim = 0 : tensor<2xi32>
    %c = stablehlo.constant dense<3> : tensor<i32>
    %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %2 = stablehlo.multiply %0, %1 : tensor<2xi32>
    %3 = stablehlo.reshape %arg0 : (tensor<6x10x2x12xbf16>) -> tensor<2x3x10x2x12xbf16>
    %4 = stablehlo.reshape %arg1 : (tensor<6x10x2xbf16>) -> tensor<2x3x10x2xbf16>
    %5 = stablehlo.reshape %arg2 : (tensor<6x12x10xbf16>) -> tensor<2x3x12x10xbf16>
    %6 = stablehlo.reshape %arg3 : (tensor<6x12xbf16>) -> tensor<2x3x12xbf16>
    %c_0 = stablehlo.constant dense<0> : tensor<i32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x1x2x12xf32>
    %8:2 = stablehlo.while(%iterArg = %c_0, %iterArg_2 = %7) : tensor<i32>, tensor<2x1x2x12xf32>
    cond {
      %c_3 = stablehlo.constant dense<3> : tensor<i32>
      %12 = stablehlo.compare LT, %iterArg, %c_3, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %12 : tensor<i1>
    } do {
      %c_3 = stablehlo.constant dense<1> : tensor<i32>
      %12 = stablehlo.add %iterArg, %c_3 : tensor<i32>
      %13 = stablehlo.broadcast_in_dim %arg5, dims = [0, 1, 2] : (tensor<2x1x2xi32>) -> tensor<2x1x2x2xi32>
      %14 = stablehlo.broadcast_in_dim %iterArg, dims = [] : (tensor<i32>) -> tensor<2xi32>
      %15 = stablehlo.add %2, %14 : tensor<2xi32>
      %16 = stablehlo.broadcast_in_dim %15, dims = [3] : (tensor<2xi32>) -> tensor<2x1x2x2xi32>
      %17 = stablehlo.compare EQ, %13, %16, SIGNED : (tensor<2x1x2x2xi32>, tensor<2x1x2x2xi32>) -> tensor<2x1x2x2xi1>
      %18 = stablehlo.broadcast_in_dim %arg6, dims = [0, 1, 2] : (tensor<2x1x2xbf16>) -> tensor<2x1x2x2xbf16>
      %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<bf16>
      %19 = stablehlo.broadcast_in_dim %cst_4, dims = [] : (tensor<bf16>) -> tensor<2x1x2x2xbf16>
      %20 = stablehlo.select %17, %18, %19 : tensor<2x1x2x2xi1>, tensor<2x1x2x2xbf16>
      %21 = stablehlo.convert %20 : (tensor<2x1x2x2xbf16>) -> tensor<2x1x2x2xf32>
      %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %22 = stablehlo.reduce(%21 init: %cst_5) applies stablehlo.add across dimensions = [2] : (tensor<2x1x2x2xf32>, tensor<f32>) -> tensor<2x1x2xf32>
      %23 = stablehlo.convert %22 : (tensor<2x1x2xf32>) -> tensor<2x1x2xbf16>
      %c_6 = stablehlo.constant dense<0> : tensor<i32>
      %24 = stablehlo.dynamic_slice %3, %c_6, %iterArg, %c_6, %c_6, %c_6, sizes = [2, 1, 10, 2, 12] : (tensor<2x3x10x2x12xbf16>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x10x2x12xbf16>
      %25 = stablehlo.reshape %24 : (tensor<2x1x10x2x12xbf16>) -> tensor<2x10x2x12xbf16>
      %c_7 = stablehlo.constant dense<0> : tensor<i32>
      %26 = stablehlo.dynamic_slice %4, %c_7, %iterArg, %c_7, %c_7, sizes = [2, 1, 10, 2] : (tensor<2x3x10x2xbf16>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x10x2xbf16>
      %27 = stablehlo.reshape %26 : (tensor<2x1x10x2xbf16>) -> tensor<2x10x2xbf16>
      %c_8 = stablehlo.constant dense<0> : tensor<i32>
      %28 = stablehlo.dynamic_slice %5, %c_8, %iterArg, %c_8, %c_8, sizes = [2, 1, 12, 10] : (tensor<2x3x12x10xbf16>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x12x10xbf16>
      %29 = stablehlo.reshape %28 : (tensor<2x1x12x10xbf16>) -> tensor<2x12x10xbf16>
      %c_9 = stablehlo.constant dense<0> : tensor<i32>
      %30 = stablehlo.dynamic_slice %6, %c_9, %iterArg, %c_9, sizes = [2, 1, 12] : (tensor<2x3x12xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x12xbf16>
      %31 = stablehlo.reshape %30 : (tensor<2x1x12xbf16>) -> tensor<2x12xbf16>
      %32 = stablehlo.dot_general %arg4, %25, contracting_dims = [2] x [3], precision = [DEFAULT, DEFAULT] : (tensor<2x1x12xbf16>, tensor<2x10x2x12xbf16>) -> tensor<2x1x2x10x2xf32>
      %33 = stablehlo.convert %32 : (tensor<2x1x2x10x2xf32>) -> tensor<2x1x2x10x2xbf16>
      %34 = stablehlo.broadcast_in_dim %27, dims = [2, 3, 4] : (tensor<2x10x2xbf16>) -> tensor<2x1x2x10x2xbf16>
      %35 = stablehlo.add %33, %34 : tensor<2x1x2x10x2xbf16>
      %36 = stablehlo.slice %35 [0:2, 0:1, 0:2, 0:10, 0:1] : (tensor<2x1x2x10x2xbf16>) -> tensor<2x1x2x10x1xbf16>
      %37 = stablehlo.reshape %36 : (tensor<2x1x2x10x1xbf16>) -> tensor<2x1x2x10xbf16>
      %cst_10 = stablehlo.constant dense<7.000000e+00> : tensor<bf16>
      %38 = stablehlo.broadcast_in_dim %cst_10, dims = [] : (tensor<bf16>) -> tensor<2x1x2x10xbf16>
      %39 = stablehlo.minimum %37, %38 : tensor<2x1x2x10xbf16>
      %40 = stablehlo.slice %35 [0:2, 0:1, 0:2, 0:10, 1:2] : (tensor<2x1x2x10x2xbf16>) -> tensor<2x1x2x10x1xbf16>
      %41 = stablehlo.reshape %40 : (tensor<2x1x2x10x1xbf16>) -> tensor<2x1x2x10xbf16>
      %cst_11 = stablehlo.constant dense<-7.000000e+00> : tensor<bf16>
      %42 = stablehlo.broadcast_in_dim %cst_11, dims = [] : (tensor<bf16>) -> tensor<2x1x2x10xbf16>
      %43 = stablehlo.maximum %41, %42 : tensor<2x1x2x10xbf16>
      %cst_12 = stablehlo.constant dense<7.000000e+00> : tensor<bf16>
      %44 = stablehlo.broadcast_in_dim %cst_12, dims = [] : (tensor<bf16>) -> tensor<2x1x2x10xbf16>
      %45 = stablehlo.minimum %43, %44 : tensor<2x1x2x10xbf16>
      %cst_13 = stablehlo.constant dense<1.703130e+00> : tensor<bf16>
      %46 = stablehlo.broadcast_in_dim %cst_13, dims = [] : (tensor<bf16>) -> tensor<2x1x2x10xbf16>
      %47 = stablehlo.multiply %39, %46 : tensor<2x1x2x10xbf16>
      %48 = stablehlo.logistic %47 : tensor<2x1x2x10xbf16>
      %49 = stablehlo.multiply %39, %48 : tensor<2x1x2x10xbf16>
      %cst_14 = stablehlo.constant dense<1.000000e+00> : tensor<bf16>
      %50 = stablehlo.broadcast_in_dim %cst_14, dims = [] : (tensor<bf16>) -> tensor<2x1x2x10xbf16>
      %51 = stablehlo.add %45, %50 : tensor<2x1x2x10xbf16>
      %52 = stablehlo.multiply %49, %51 : tensor<2x1x2x10xbf16>
      %53 = stablehlo.dot_general %52, %29, batching_dims = [2] x [0], contracting_dims = [3] x [2], precision = [DEFAULT, DEFAULT] : (tensor<2x1x2x10xbf16>, tensor<2x12x10xbf16>) -> tensor<2x2x1x12xf32>
      %54 = stablehlo.reduce_precision %53, format = e8m7 : tensor<2x2x1x12xf32>
      %55 = stablehlo.convert %54 : (tensor<2x2x1x12xf32>) -> tensor<2x2x1x12xbf16>
      %56 = stablehlo.broadcast_in_dim %31, dims = [0, 3] : (tensor<2x12xbf16>) -> tensor<2x2x1x12xbf16>
      %57 = stablehlo.add %55, %56 : tensor<2x2x1x12xbf16>
      %58 = stablehlo.convert %57 : (tensor<2x2x1x12xbf16>) -> tensor<2x2x1x12xf32>
      %59 = stablehlo.convert %23 : (tensor<2x1x2xbf16>) -> tensor<2x1x2xf32>
      %60 = stablehlo.transpose %59, dims = [2, 0, 1] : (tensor<2x1x2xf32>) -> tensor<2x2x1xf32>
      %61 = stablehlo.broadcast_in_dim %60, dims = [0, 1, 2] : (tensor<2x2x1xf32>) -> tensor<2x2x1x12xf32>
      %62 = stablehlo.multiply %58, %61 : tensor<2x2x1x12xf32>
      %c_15 = stablehlo.constant dense<false> : tensor<i1>
      %63 = stablehlo.reduce(%17 init: %c_15) applies stablehlo.or across dimensions = [2] : (tensor<2x1x2x2xi1>, tensor<i1>) -> tensor<2x1x2xi1>
      %64 = stablehlo.transpose %63, dims = [2, 0, 1] : (tensor<2x1x2xi1>) -> tensor<2x2x1xi1>
      %65 = stablehlo.broadcast_in_dim %64, dims = [0, 1, 2] : (tensor<2x2x1xi1>) -> tensor<2x2x1x12xi1>
      %cst_16 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %66 = stablehlo.broadcast_in_dim %cst_16, dims = [] : (tensor<f32>) -> tensor<2x2x1x12xf32>
      %67 = stablehlo.select %65, %62, %66 : tensor<2x2x1x12xi1>, tensor<2x2x1x12xf32>
      %68 = stablehlo.transpose %67, dims = [1, 2, 0, 3] : (tensor<2x2x1x12xf32>) -> tensor<2x1x2x12xf32>
      %69 = stablehlo.add %iterArg_2, %68 : tensor<2x1x2x12xf32>
      stablehlo.return %12, %69 : tensor<i32>, tensor<2x1x2x12xf32>
    }
    %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %9 = stablehlo.reduce(%8#1 init: %cst_1) applies stablehlo.add across dimensions = [2] : (tensor<2x1x2x12xf32>, tensor<f32>) -> tensor<2x1x12xf32>
    %10 = stablehlo.reduce_precision %9, format = e8m7 : tensor<2x1x12xf32>
    %11 = stablehlo.convert %10 : (tensor<2x1x12xf32>) -> tensor<2x1x12xbf16>
    return %11 : tensor<2x1x12xbf16>
  }
  func.func private @layers(%arg0: tensor<2x1x12xbf16>, %arg1: tensor<12xbf16>, %arg2: tensor<4x2x4x12xbf16>, %arg3: tensor<4x2x4xbf16>, %arg4: tensor<2x1x4xf32>, %arg5: tensor<2x1x4xf32>, %arg6: tensor<4x4x12xbf16>, %arg7: tensor<4x4xbf16>, %arg8: tensor<4x4x12xbf16>, %arg9: tensor<4x4xbf16>, %arg10: tensor<2x4x4x8xbf16>, %arg11: tensor<2xi32>, %arg12: tensor<2x4x8x4xbf16>, %arg13: tensor<4x2xbf16>, %arg14: tensor<12x4x2x4xbf16>, %arg15: tensor<12xbf16>, %arg16: tensor<12xbf16>, %arg17: tensor<6x12xbf16>, %arg18: tensor<6xbf16>, %arg19: tensor<6x10x2x12xbf16>, %arg20: tensor<6x10x2xbf16>, %arg21: tensor<6x12x10xbf16>, %arg22: tensor<6x12xbf16>) -> (tensor<2x1x12xbf16>, tensor<2x4x4x8xbf16>, tensor<2x4x8x4xbf16>) {
    %0 = stablehlo.convert %arg0 : (tensor<2x1x12xbf16>) -> tensor<2x1x12xf32>
    %1 = stablehlo.multiply %0, %0 : tensor<2x1x12xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %2 = stablehlo.reduce(%1 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x1x12xf32>, tensor<f32>) -> tensor<2x1xf32>
    %cst_0 = stablehlo.constant dense<0.0833333358> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<2x1xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %6 = stablehlo.add %4, %5 : tensor<2x1xf32>
    %7 = stablehlo.rsqrt %6 : tensor<2x1xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x12xf32>
    %9 = stablehlo.multiply %0, %8 : tensor<2x1x12xf32>
    %10 = stablehlo.convert %arg1 : (tensor<12xbf16>) -> tensor<12xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [2] : (tensor<12xf32>) -> tensor<2x1x12xf32>
    %12 = stablehlo.multiply %9, %11 : tensor<2x1x12xf32>
    %13 = stablehlo.convert %12 : (tensor<2x1x12xf32>) -> tensor<2x1x12xbf16>
    %14 = stablehlo.dot_general %arg2, %13, contracting_dims = [3] x [2], precision = [DEFAULT, DEFAULT] : (tensor<4x2x4x12xbf16>, tensor<2x1x12xbf16>) -> tensor<4x2x4x2x1xf32>
    %15 = stablehlo.convert %14 : (tensor<4x2x4x2x1xf32>) -> tensor<4x2x4x2x1xbf16>
    %16 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1, 2] : (tensor<4x2x4xbf16>) -> tensor<4x2x4x2x1xbf16>
    %17 = stablehlo.add %15, %16 : tensor<4x2x4x2x1xbf16>
    %18 = stablehlo.slice %17 [0:4, 0:2, 0:2, 0:2, 0:1] : (tensor<4x2x4x2x1xbf16>) -> tensor<4x2x2x2x1xbf16>
    %19 = stablehlo.slice %17 [0:4, 0:2, 2:4, 0:2, 0:1] : (tensor<4x2x4x2x1xbf16>) -> tensor<4x2x2x2x1xbf16>
    %20 = stablehlo.concatenate %18, %19, dim = 2 : (tensor<4x2x2x2x1xbf16>, tensor<4x2x2x2x1xbf16>) -> tensor<4x2x4x2x1xbf16>
    %21 = stablehlo.convert %arg4 : (tensor<2x1x4xf32>) -> tensor<2x1x4xbf16>
    %22 = stablehlo.transpose %21, dims = [2, 0, 1] : (tensor<2x1x4xbf16>) -> tensor<4x2x1xbf16>
    %23 = stablehlo.broadcast_in_dim %22, dims = [2, 3, 4] : (tensor<4x2x1xbf16>) -> tensor<4x2x4x2x1xbf16>
    %24 = stablehlo.multiply %20, %23 : tensor<4x2x4x2x1xbf16>
    %25 = stablehlo.negate %19 : tensor<4x2x2x2x1xbf16>
    %26 = stablehlo.concatenate %25, %18, dim = 2 : (tensor<4x2x2x2x1xbf16>, tensor<4x2x2x2x1xbf16>) -> tensor<4x2x4x2x1xbf16>
    %27 = stablehlo.convert %arg5 : (tensor<2x1x4xf32>) -> tensor<2x1x4xbf16>
    %28 = stablehlo.transpose %27, dims = [2, 0, 1] : (tensor<2x1x4xbf16>) -> tensor<4x2x1xbf16>
    %29 = stablehlo.broadcast_in_dim %28, dims = [2, 3, 4] : (tensor<4x2x1xbf16>) -> tensor<4x2x4x2x1xbf16>
    %30 = stablehlo.multiply %26, %29 : tensor<4x2x4x2x1xbf16>
    %31 = stablehlo.add %24, %30 : tensor<4x2x4x2x1xbf16>
    %cst_2 = stablehlo.constant dense<5.000000e-01> : tensor<bf16>
    %32 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<bf16>) -> tensor<4x2x4x2x1xbf16>
    %33 = stablehlo.multiply %31, %32 : tensor<4x2x4x2x1xbf16>
    %34 = stablehlo.dot_general %arg6, %13, contracting_dims = [2] x [2], precision = [DEFAULT, DEFAULT] : (tensor<4x4x12xbf16>, tensor<2x1x12xbf16>) -> tensor<4x4x2x1xf32>
    %35 = stablehlo.convert %34 : (tensor<4x4x2x1xf32>) -> tensor<4x4x2x1xbf16>
    %36 = stablehlo.broadcast_in_dim %arg7, dims = [0, 1] : (tensor<4x4xbf16>) -> tensor<4x4x2x1xbf16>
    %37 = stablehlo.add %35, %36 : tensor<4x4x2x1xbf16>
    %38 = stablehlo.slice %37 [0:4, 0:2, 0:2, 0:1] : (tensor<4x4x2x1xbf16>) -> tensor<4x2x2x1xbf16>
    %39 = stablehlo.slice %37 [0:4, 2:4, 0:2, 0:1] : (tensor<4x4x2x1xbf16>) -> tensor<4x2x2x1xbf16>
    %40 = stablehlo.concatenate %38, %39, dim = 1 : (tensor<4x2x2x1xbf16>, tensor<4x2x2x1xbf16>) -> tensor<4x4x2x1xbf16>
    %41 = stablehlo.convert %arg4 : (tensor<2x1x4xf32>) -> tensor<2x1x4xbf16>
    %42 = stablehlo.transpose %41, dims = [2, 0, 1] : (tensor<2x1x4xbf16>) -> tensor<4x2x1xbf16>
    %43 = stablehlo.broadcast_in_dim %42, dims = [1, 2, 3] : (tensor<4x2x1xbf16>) -> tensor<4x4x2x1xbf16>
    %44 = stablehlo.multiply %40, %43 : tensor<4x4x2x1xbf16>
    %45 = stablehlo.negate %39 : tensor<4x2x2x1xbf16>
    %46 = stablehlo.concatenate %45, %38, dim = 1 : (tensor<4x2x2x1xbf16>, tensor<4x2x2x1xbf16>) -> tensor<4x4x2x1xbf16>
    %47 = stablehlo.convert %arg5 : (tensor<2x1x4xf32>) -> tensor<2x1x4xbf16>
    %48 = stablehlo.transpose %47, dims = [2, 0, 1] : (tensor<2x1x4xbf16>) -> tensor<4x2x1xbf16>
    %49 = stablehlo.broadcast_in_dim %48, dims = [1, 2, 3] : (tensor<4x2x1xbf16>) -> tensor<4x4x2x1xbf16>
    %50 = stablehlo.multiply %46, %49 : tensor<4x4x2x1xbf16>
    %51 = stablehlo.add %44, %50 : tensor<4x4x2x1xbf16>
    %52 = stablehlo.dot_general %arg8, %13, contracting_dims = [2] x [2], precision = [DEFAULT, DEFAULT] : (tensor<4x4x12xbf16>, tensor<2x1x12xbf16>) -> tensor<4x4x2x1xf32>
    %53 = stablehlo.convert %52 : (tensor<4x4x2x1xf32>) -> tensor<4x4x2x1xbf16>
    %54 = stablehlo.broadcast_in_dim %arg9, dims = [0, 1] : (tensor<4x4xbf16>) -> tensor<4x4x2x1xbf16>
    %55 = stablehlo.add %53, %54 : tensor<4x4x2x1xbf16>
    %56 = stablehlo.transpose %51, dims = [2, 0, 1, 3] : (tensor<4x4x2x1xbf16>) -> tensor<2x4x4x1xbf16>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %57 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %58 = stablehlo.maximum %arg11, %57 : tensor<2xi32>
    %c_3 = stablehlo.constant dense<7> : tensor<i32>
    %59 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %60 = stablehlo.minimum %58, %59 : tensor<2xi32>
    %61 = "stablehlo.scatter"(%arg10, %60, %56) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [3], index_vector_dim = 1>, unique_indices = true}> ({
    ^bb0(%arg23: tensor<bf16>, %arg24: tensor<bf16>):
      stablehlo.return %arg24 : tensor<bf16>
    }) : (tensor<2x4x4x8xbf16>, tensor<2xi32>, tensor<2x4x4x1xbf16>) -> tensor<2x4x4x8xbf16>
    %62 = stablehlo.optimization_barrier %61 : tensor<2x4x4x8xbf16>
    %63 = stablehlo.transpose %55, dims = [2, 0, 3, 1] : (tensor<4x4x2x1xbf16>) -> tensor<2x4x1x4xbf16>
    %c_4 = stablehlo.constant dense<0> : tensor<i32>
    %64 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %65 = stablehlo.maximum %arg11, %64 : tensor<2xi32>
    %c_5 = stablehlo.constant dense<7> : tensor<i32>
    %66 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<i32>) -> tensor<2xi32>
    %67 = stablehlo.minimum %65, %66 : tensor<2xi32>
    %68 = "stablehlo.scatter"(%arg12, %67, %63) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [2], index_vector_dim = 1>, unique_indices = true}> ({
    ^bb0(%arg23: tensor<bf16>, %arg24: tensor<bf16>):
      stablehlo.return %arg24 : tensor<bf16>
    }) : (tensor<2x4x8x4xbf16>, tensor<2xi32>, tensor<2x4x1x4xbf16>) -> tensor<2x4x8x4xbf16>
    %69 = stablehlo.optimization_barrier %68 : tensor<2x4x8x4xbf16>
    %70 = stablehlo.broadcast_in_dim %arg11, dims = [0] : (tensor<2xi32>) -> tensor<2x1xi32>
    %71 = stablehlo.iota dim = 0 : tensor<1xi32>
    %72 = stablehlo.broadcast_in_dim %71, dims = [1] : (tensor<1xi32>) -> tensor<2x1xi32>
    %73 = stablehlo.add %70, %72 : tensor<2x1xi32>
    %74 = stablehlo.broadcast_in_dim %73, dims = [0, 1] : (tensor<2x1xi32>) -> tensor<2x1x8xi32>
    %75 = stablehlo.iota dim = 0 : tensor<8xi32>
    %76 = stablehlo.broadcast_in_dim %75, dims = [2] : (tensor<8xi32>) -> tensor<2x1x8xi32>
    %77 = stablehlo.subtract %74, %76 : tensor<2x1x8xi32>
    %c_6 = stablehlo.constant dense<0> : tensor<i32>
    %78 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<i32>) -> tensor<2x1x8xi32>
    %79 = stablehlo.compare GE, %77, %78, SIGNED : (tensor<2x1x8xi32>, tensor<2x1x8xi32>) -> tensor<2x1x8xi1>
    %c_7 = stablehlo.constant dense<128> : tensor<i32>
    %80 = stablehlo.broadcast_in_dim %c_7, dims = [] : (tensor<i32>) -> tensor<2x1x8xi32>
    %81 = stablehlo.compare LT, %77, %80, SIGNED : (tensor<2x1x8xi32>, tensor<2x1x8xi32>) -> tensor<2x1x8xi1>
    %82 = stablehlo.and %79, %81 : tensor<2x1x8xi1>
    %83 = stablehlo.dot_general %33, %62, batching_dims = [3, 0] x [0, 1], contracting_dims = [2] x [2], precision = [DEFAULT, DEFAULT] : (tensor<4x2x4x2x1xbf16>, tensor<2x4x4x8xbf16>) -> tensor<2x4x2x1x8xf32>
    %84 = stablehlo.convert %83 : (tensor<2x4x2x1x8xf32>) -> tensor<2x4x2x1x8xbf16>
    %85 = stablehlo.convert %84 : (tensor<2x4x2x1x8xbf16>) -> tensor<2x4x2x1x8xf32>
    %86 = stablehlo.broadcast_in_dim %82, dims = [0, 3, 4] : (tensor<2x1x8xi1>) -> tensor<2x4x2x1x8xi1>
    %cst_8 = stablehlo.constant dense<-1.000000e+30> : tensor<f32>
    %87 = stablehlo.broadcast_in_dim %cst_8, dims = [] : (tensor<f32>) -> tensor<2x4x2x1x8xf32>
    %88 = stablehlo.select %86, %85, %87 : tensor<2x4x2x1x8xi1>, tensor<2x4x2x1x8xf32>
    %cst_9 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %89 = stablehlo.reduce(%88 init: %cst_9) applies stablehlo.maximum across dimensions = [4] : (tensor<2x4x2x1x8xf32>, tensor<f32>) -> tensor<2x4x2x1xf32>
    %90 = stablehlo.convert %arg13 : (tensor<4x2xbf16>) -> tensor<4x2xf32>
    %91 = stablehlo.broadcast_in_dim %90, dims = [1, 2] : (tensor<4x2xf32>) -> tensor<2x4x2x1xf32>
    %92 = stablehlo.maximum %89, %91 : tensor<2x4x2x1xf32>
    %93 = stablehlo.broadcast_in_dim %92, dims = [0, 1, 2, 3] : (tensor<2x4x2x1xf32>) -> tensor<2x4x2x1x8xf32>
    %94 = stablehlo.subtract %88, %93 : tensor<2x4x2x1x8xf32>
    %95 = stablehlo.exponential %94 : tensor<2x4x2x1x8xf32>
    %cst_10 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %96 = stablehlo.reduce(%95 init: %cst_10) applies stablehlo.add across dimensions = [4] : (tensor<2x4x2x1x8xf32>, tensor<f32>) -> tensor<2x4x2x1xf32>
    %97 = stablehlo.negate %92 : tensor<2x4x2x1xf32>
    %98 = stablehlo.convert %arg13 : (tensor<4x2xbf16>) -> tensor<4x2xf32>
    %99 = stablehlo.broadcast_in_dim %98, dims = [1, 2] : (tensor<4x2xf32>) -> tensor<2x4x2x1xf32>
    %100 = stablehlo.add %97, %99 : tensor<2x4x2x1xf32>
    %101 = stablehlo.exponential %100 : tensor<2x4x2x1xf32>
    %102 = stablehlo.add %96, %101 : tensor<2x4x2x1xf32>
    %103 = stablehlo.broadcast_in_dim %102, dims = [0, 1, 2, 3] : (tensor<2x4x2x1xf32>) -> tensor<2x4x2x1x8xf32>
    %104 = stablehlo.divide %95, %103 : tensor<2x4x2x1x8xf32>
    %105 = stablehlo.convert %104 : (tensor<2x4x2x1x8xf32>) -> tensor<2x4x2x1x8xbf16>
    %106 = stablehlo.dot_general %105, %69, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [DEFAULT, DEFAULT] : (tensor<2x4x2x1x8xbf16>, tensor<2x4x8x4xbf16>) -> tensor<2x4x2x1x4xf32>
    %107 = stablehlo.convert %106 : (tensor<2x4x2x1x4xf32>) -> tensor<2x4x2x1x4xbf16>
    %108 = stablehlo.dot_general %arg14, %107, contracting_dims = [1, 2, 3] x [1, 2, 4], precision = [DEFAULT, DEFAULT] : (tensor<12x4x2x4xbf16>, tensor<2x4x2x1x4xbf16>) -> tensor<12x2x1xf32>
    %109 = stablehlo.reduce_precision %108, format = e8m7 : tensor<12x2x1xf32>
    %110 = stablehlo.convert %109 : (tensor<12x2x1xf32>) -> tensor<12x2x1xbf16>
    %111 = stablehlo.broadcast_in_dim %arg15, dims = [0] : (tensor<12xbf16>) -> tensor<12x2x1xbf16>
    %112 = stablehlo.add %110, %111 : tensor<12x2x1xbf16>
    %113 = stablehlo.transpose %112, dims = [1, 2, 0] : (tensor<12x2x1xbf16>) -> tensor<2x1x12xbf16>
    %114 = stablehlo.add %arg0, %113 : tensor<2x1x12xbf16>
    %115 = stablehlo.convert %114 : (tensor<2x1x12xbf16>) -> tensor<2x1x12xf32>
    %116 = stablehlo.multiply %115, %115 : tensor<2x1x12xf32>
    %cst_11 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %117 = stablehlo.reduce(%116 init: %cst_11) applies stablehlo.add across dimensions = [2] : (tensor<2x1x12xf32>, tensor<f32>) -> tensor<2x1xf32>
    %cst_12 = stablehlo.constant dense<0.0833333358> : tensor<f32>
    %118 = stablehlo.broadcast_in_dim %cst_12, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %119 = stablehlo.multiply %117, %118 : tensor<2x1xf32>
    %cst_13 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %120 = stablehlo.broadcast_in_dim %cst_13, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %121 = stablehlo.add %119, %120 : tensor<2x1xf32>
    %122 = stablehlo.rsqrt %121 : tensor<2x1xf32>
    %123 = stablehlo.broadcast_in_dim %122, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x12xf32>
    %124 = stablehlo.multiply %115, %123 : tensor<2x1x12xf32>
    %125 = stablehlo.convert %arg16 : (tensor<12xbf16>) -> tensor<12xf32>
    %126 = stablehlo.broadcast_in_dim %125, dims = [2] : (tensor<12xf32>) -> tensor<2x1x12xf32>
    %127 = stablehlo.multiply %124, %126 : tensor<2x1x12xf32>
    %128 = stablehlo.convert %127 : (tensor<2x1x12xf32>) -> tensor<2x1x12xbf16>
    %129 = stablehlo.dot_general %arg17, %128, contracting_dims = [1] x [2], precision = [DEFAULT, DEFAULT] : (tensor<6x12xbf16>, tensor<2x1x12xbf16>) -> tensor<6x2x1xf32>
    %130 = stablehlo.convert %129 : (tensor<6x2x1xf32>) -> tensor<6x2x1xbf16>
    %131 = stablehlo.broadcast_in_dim %arg18, dims = [0] : (tensor<6xbf16>) -> tensor<6x2x1xbf16>
    %132 = stablehlo.add %130, %131 : tensor<6x2x1xbf16>
    %133 = sdy.sharding_constraint %132 <@mesh, [{}, {?}, {?}]> : tensor<6x2x1xbf16>
    %134 = stablehlo.transpose %133, dims = [1, 2, 0] : (tensor<6x2x1xbf16>) -> tensor<2x1x6xbf16>
    %135 = stablehlo.iota dim = 2 : tensor<2x1x6xi32>
    %136:2 = "stablehlo.sort"(%134, %135) <{dimension = 2 : i64, is_stable = true}> ({
    ^bb0(%arg23: tensor<bf16>, %arg24: tensor<bf16>, %arg25: tensor<i32>, %arg26: tensor<i32>):
      %150 = stablehlo.compare GT, %arg23, %arg24, TOTALORDER : (tensor<bf16>, tensor<bf16>) -> tensor<i1>
      stablehlo.return %150 : tensor<i1>
    }) : (tensor<2x1x6xbf16>, tensor<2x1x6xi32>) -> (tensor<2x1x6xbf16>, tensor<2x1x6xi32>)
    %137 = stablehlo.slice %136#0 [0:2, 0:1, 0:2] : (tensor<2x1x6xbf16>) -> tensor<2x1x2xbf16>
    %138 = stablehlo.slice %136#1 [0:2, 0:1, 0:2] : (tensor<2x1x6xi32>) -> tensor<2x1x2xi32>
    %139 = stablehlo.convert %137 : (tensor<2x1x2xbf16>) -> tensor<2x1x2xf32>
    %cst_14 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %140 = stablehlo.reduce(%139 init: %cst_14) applies stablehlo.maximum across dimensions = [2] : (tensor<2x1x2xf32>, tensor<f32>) -> tensor<2x1xf32>
    %141 = stablehlo.broadcast_in_dim %140, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x2xf32>
    %142 = stablehlo.subtract %139, %141 : tensor<2x1x2xf32>
    %143 = stablehlo.exponential %142 : tensor<2x1x2xf32>
    %cst_15 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %144 = stablehlo.reduce(%143 init: %cst_15) applies stablehlo.add across dimensions = [2] : (tensor<2x1x2xf32>, tensor<f32>) -> tensor<2x1xf32>
    %145 = stablehlo.broadcast_in_dim %144, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x1x2xf32>
    %146 = stablehlo.divide %143, %145 : tensor<2x1x2xf32>
    %147 = stablehlo.convert %146 : (tensor<2x1x2xf32>) -> tensor<2x1x2xbf16>
    %148 = stablehlo.composite "tsxla.for_chosen" %arg19, %arg20, %arg21, %arg22, %128, %138, %147 {decomposition = @tsxla.for_chosen} : (tensor<6x10x2x12xbf16>, tensor<6x10x2xbf16>, tensor<6x12x10xbf16>, tensor<6x12xbf16>, tensor<2x1x12xbf16>, tensor<2x1x2xi32>, tensor<2x1x2xbf16>) -> tensor<2x1x12xbf16>
    %149 = stablehlo.add %114, %148 : tensor<2x1x12xbf16>
    return %149, %62, %69 : tensor<2x1x12xbf16>, tensor<2x4x4x8xbf16>, tensor<2x4x8x4xbf16>
  }
}
