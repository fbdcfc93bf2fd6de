module @decode {
  func.func public @main(%arg0: tensor<1x1xi32>, %arg1: tensor<1xi32>, %arg2: tensor<1xi32>, %arg3: tensor<1x2xf32>, %arg4: tensor<11x10xbf16>, %arg5: tensor<10xbf16>, %arg6: tensor<2x3x4x10xbf16>, %arg7: tensor<2x4x10xbf16>, %arg8: tensor<2x4x10xbf16>, %arg9: tensor<10x2x3x4xbf16>, %arg10: tensor<2x3x4xbf16>, %arg11: tensor<2x4xbf16>, %arg12: tensor<2x4xbf16>, %arg13: tensor<10xbf16>, %arg14: tensor<10xbf16>, %arg15: tensor<7x10xbf16>, %arg16: tensor<7x10xbf16>, %arg17: tensor<10x7xbf16>, %arg18: tensor<10xbf16>, %arg19: tensor<2x3x4x10xbf16>, %arg20: tensor<2x4x10xbf16>, %arg21: tensor<2x4x10xbf16>, %arg22: tensor<10x2x3x4xbf16>, %arg23: tensor<2x3x4xbf16>, %arg24: tensor<2x4xbf16>, %arg25: tensor<2x4xbf16>, %arg26: tensor<10xbf16>, %arg27: tensor<10xbf16>, %arg28: tensor<7x10xbf16>, %arg29: tensor<7x10xbf16>, %arg30: tensor<10x7xbf16>, %arg31: tensor<10xbf16>, %arg32: tensor<11x10xbf16>, %arg33: tensor<1x2x4x6xbf16> {tf.aliasing_output = 4 : i32}, %arg34: tensor<1x2x6x4xbf16> {tf.aliasing_output = 5 : i32}, %arg35: tensor<1x2x4x6xbf16> {tf.aliasing_output = 6 : i32}, %arg36: tensor<1x2x6x4xbf16> {tf.aliasing_output = 7 : i32}) -> (tensor<1x11xf32>, tensor<1x11xf32>, tensor<1x11xi32>, tensor<1xf32>, tensor<1x2x4x6xbf16>, tensor<1x2x6x4xbf16>, tensor<1x2x4x6xbf16>, tensor<1x2x6x4xbf16>) {
    %0 = stablehlo.broadcast_in_dim %arg1, dims = [0] : (tensor<1xi32>) -> tensor<1x1xi32>
    %1 = stablehlo.iota dim = 0 : tensor<1xi32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [1] : (tensor<1xi32>) -> tensor<1x1xi32>
    %3 = stablehlo.add %0, %2 : tensor<1x1xi32>
    %4 = stablehlo.concatenate %arg3, %arg3, dim = 1 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
    %5 = stablehlo.convert %3 : (tensor<1x1xi32>) -> tensor<1x1xf32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x4xf32>
    %7 = stablehlo.broadcast_in_dim %4, dims = [0, 2] : (tensor<1x4xf32>) -> tensor<1x1x4xf32>
    %8 = stablehlo.multiply %6, %7 : tensor<1x1x4xf32>
    %9 = stablehlo.cosine %8 : tensor<1x1x4xf32>
    %10 = stablehlo.sine %8 : tensor<1x1x4xf32>
    %11 = stablehlo.reshape %arg0 : (tensor<1x1xi32>) -> tensor<i32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %12 = stablehlo.dynamic_slice %arg4, %11, %c, sizes = [1, 10] : (tensor<11x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<1x10xbf16>
    %13 = stablehlo.reshape %12 : (tensor<1x10xbf16>) -> tensor<1x1x10xbf16>
    %14:3 = call @layers(%13, %arg5, %arg6, %arg10, %9, %10, %arg7, %arg11, %arg8, %arg12, %arg33, %arg1, %arg34, %arg9, %arg13, %arg14, %arg15, %arg16, %arg17) : (tensor<1x1x10xbf16>, tensor<10xbf16>, tensor<2x3x4x10xbf16>, tensor<2x3x4xbf16>, tensor<1x1x4xf32>, tensor<1x1x4xf32>, tensor<2x4x10xbf16>, tensor<2x4xbf16>, tensor<2x4x10xbf16>, tensor<2x4xbf16>, tensor<1x2x4x6xbf16>, tensor<1xi32>, tensor<1x2x6x4xbf16>, tensor<10x2x3x4xbf16>, tensor<10xbf16>, tensor<10xbf16>, tensor<7x10xbf16>, tensor<7x10xbf16>, tensor<10x7xbf16>) -> (tensor<1x1x10xbf16>, tensor<1x2x4x6xbf16>, tensor<1x2x6x4xbf16>)
    %15:3 = call @layers(%14#0, %arg18, %arg19, %arg23, %9, %10, %arg20, %arg24, %arg21, %arg25, %arg35, %arg1, %arg36, %arg22, %arg26, %arg27, %arg28, %arg29, %arg30) : (tensor<1x1x10xbf16>, tensor<10xbf16>, tensor<2x3x4x10xbf16>, tensor<2x3x4xbf16>, tensor<1x1x4xf32>, tensor<1x1x4xf32>, tensor<2x4x10xbf16>, tensor<2x4xbf16>, tensor<2x4x10xbf16>, tensor<2x4xbf16>, tensor<1x2x4x6xbf16>, tensor<1xi32>, tensor<1x2x6x4xbf16>, tensor<10x2x3x4xbf16>, tensor<10xbf16>, tensor<10xbf16>, tensor<7x10xbf16>, tensor<7x10xbf16>, tensor<10x7xbf16>) -> (tensor<1x1x10xbf16>, tensor<1x2x4x6xbf16>, tensor<1x2x6x4xbf16>)
    %16 = stablehlo.convert %15#0 : (tensor<1x1x10xbf16>) -> tensor<1x1x10xf32>
    %17 = stablehlo.multiply %16, %16 : tensor<1x1x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %18 = stablehlo.reduce(%17 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<1x1x10xf32>, tensor<f32>) -> tensor<1x1xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %19 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %20 = stablehlo.multiply %18, %19 : tensor<1x1xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %21 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %22 = stablehlo.add %20, %21 : tensor<1x1xf32>
    %23 = stablehlo.rsqrt %22 : tensor<1x1xf32>
    %24 = stablehlo.broadcast_in_dim %23, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x10xf32>
    %25 = stablehlo.multiply %16, %24 : tensor<1x1x10xf32>
    %26 = stablehlo.convert %arg31 : (tensor<10xbf16>) -> tensor<10xf32>
    %27 = stablehlo.broadcast_in_dim %26, dims = [2] : (tensor<10xf32>) -> tensor<1x1x10xf32>
    %28 = stablehlo.multiply %25, %27 : tensor<1x1x10xf32>
    %29 = stablehlo.convert %28 : (tensor<1x1x10xf32>) -> tensor<1x1x10xbf16>
    %c_2 = stablehlo.constant dense<1> : tensor<i32>
    %30 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<1xi32>
    %31 = stablehlo.subtract %arg2, %30 : tensor<1xi32>
    %32 = stablehlo.reshape %31 : (tensor<1xi32>) -> tensor<i32>
    %c_3 = stablehlo.constant dense<0> : tensor<i32>
    %33 = stablehlo.dynamic_slice %29, %c_3, %32, %c_3, sizes = [1, 1, 10] : (tensor<1x1x10xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x10xbf16>
    %34 = stablehlo.reshape %33 : (tensor<1x1x10xbf16>) -> tensor<1x10xbf16>
    %35 = stablehlo.dot_general %arg32, %34, contracting_dims = [1] x [1], precision = [DEFAULT, DEFAULT] : (tensor<11x10xbf16>, tensor<1x10xbf16>) -> tensor<11x1xf32>
    %36 = stablehlo.convert %35 : (tensor<11x1xf32>) -> tensor<11x1xbf16>
    %37 = stablehlo.convert %36 : (tensor<11x1xbf16>) -> tensor<11x1xf32>
    %38 = stablehlo.transpose %37, dims = [1, 0] : (tensor<11x1xf32>) -> tensor<1x11xf32>
    %39 = stablehlo.iota dim = 1 : tensor<1x11xi32>
    %40:2 = "stablehlo.sort"(%38, %39) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%arg37: tensor<f32>, %arg38: tensor<f32>, %arg39: tensor<i32>, %arg40: tensor<i32>):
      %54 = stablehlo.compare GT, %arg37, %arg38, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %54 : tensor<i1>
    }) : (tensor<1x11xf32>, tensor<1x11xi32>) -> (tensor<1x11xf32>, tensor<1x11xi32>)
    %41 = stablehlo.slice %40#0 [0:1, 0:11] : (tensor<1x11xf32>) -> tensor<1x11xf32>
    %42 = stablehlo.slice %40#1 [0:1, 0:11] : (tensor<1x11xi32>) -> tensor<1x11xi32>
    %cst_4 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %43 = stablehlo.reduce(%37 init: %cst_4) applies stablehlo.maximum across dimensions = [0] : (tensor<11x1xf32>, tensor<f32>) -> tensor<1xf32>
    %44 = stablehlo.is_finite %43 : (tensor<1xf32>) -> tensor<1xi1>
    %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %45 = stablehlo.broadcast_in_dim %cst_5, dims = [] : (tensor<f32>) -> tensor<1xf32>
    %46 = stablehlo.select %44, %43, %45 : tensor<1xi1>, tensor<1xf32>
    %47 = stablehlo.broadcast_in_dim %46, dims = [1] : (tensor<1xf32>) -> tensor<11x1xf32>
    %48 = stablehlo.subtract %37, %47 : tensor<11x1xf32>
    %49 = stablehlo.exponential %48 : tensor<11x1xf32>
    %cst_6 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %50 = stablehlo.reduce(%49 init: %cst_6) applies stablehlo.add across dimensions = [0] : (tensor<11x1xf32>, tensor<f32>) -> tensor<1xf32>
    %51 = stablehlo.log %50 : tensor<1xf32>
    %52 = stablehlo.add %51, %46 : tensor<1xf32>
    %53 = stablehlo.transpose %37, dims = [1, 0] : (tensor<11x1xf32>) -> tensor<1x11xf32>
    return %53, %41, %42, %52, %14#1, %14#2, %15#1, %15#2 : tensor<1x11xf32>, tensor<1x11xf32>, tensor<1x11xi32>, tensor<1xf32>, tensor<1x2x4x6xbf16>, tensor<1x2x6x4xbf16>, tensor<1x2x4x6xbf16>, tensor<1x2x6x4xbf16>
  }
  func.func private @layers(%arg0: tensor<1x1x10xbf16>, %arg1: tensor<10xbf16>, %arg2: tensor<2x3x4x10xbf16>, %arg3: tensor<2x3x4xbf16>, %arg4: tensor<1x1x4xf32>, %arg5: tensor<1x1x4xf32>, %arg6: tensor<2x4x10xbf16>, %arg7: tensor<2x4xbf16>, %arg8: tensor<2x4x10xbf16>, %arg9: tensor<2x4xbf16>, %arg10: tensor<1x2x4x6xbf16>, %arg11: tensor<1xi32>, %arg12: tensor<1x2x6x4xbf16>, %arg13: tensor<10x2x3x4xbf16>, %arg14: tensor<10xbf16>, %arg15: tensor<10xbf16>, %arg16: tensor<7x10xbf16>, %arg17: tensor<7x10xbf16>, %arg18: tensor<10x7xbf16>) -> (tensor<1x1x10xbf16>, tensor<1x2x4x6xbf16>, tensor<1x2x6x4xbf16>) {
    %0 = stablehlo.convert %arg0 : (tensor<1x1x10xbf16>) -> tensor<1x1x10xf32>
    %1 = stablehlo.multiply %0, %0 : tensor<1x1x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %2 = stablehlo.reduce(%1 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<1x1x10xf32>, tensor<f32>) -> tensor<1x1xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<1x1xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %6 = stablehlo.add %4, %5 : tensor<1x1xf32>
    %7 = stablehlo.rsqrt %6 : tensor<1x1xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x10xf32>
    %9 = stablehlo.multiply %0, %8 : tensor<1x1x10xf32>
    %10 = stablehlo.convert %arg1 : (tensor<10xbf16>) -> tensor<10xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [2] : (tensor<10xf32>) -> tensor<1x1x10xf32>
    %12 = stablehlo.multiply %9, %11 : tensor<1x1x10xf32>
    %13 = stablehlo.convert %12 : (tensor<1x1x10xf32>) -> tensor<1x1x10xbf16>
    %14 = stablehlo.dot_general %arg2, %13, contracting_dims = [3] x [2], precision = [DEFAULT, DEFAULT] : (tensor<2x3x4x10xbf16>, tensor<1x1x10xbf16>) -> tensor<2x3x4x1x1xf32>
    %15 = stablehlo.convert %14 : (tensor<2x3x4x1x1xf32>) -> tensor<2x3x4x1x1xbf16>
    %16 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1, 2] : (tensor<2x3x4xbf16>) -> tensor<2x3x4x1x1xbf16>
    %17 = stablehlo.add %15, %16 : tensor<2x3x4x1x1xbf16>
    %18 = stablehlo.slice %17 [0:2, 0:3, 0:2, 0:1, 0:1] : (tensor<2x3x4x1x1xbf16>) -> tensor<2x3x2x1x1xbf16>
    %19 = stablehlo.slice %17 [0:2, 0:3, 2:4, 0:1, 0:1] : (tensor<2x3x4x1x1xbf16>) -> tensor<2x3x2x1x1xbf16>
    %20 = stablehlo.concatenate %18, %19, dim = 2 : (tensor<2x3x2x1x1xbf16>, tensor<2x3x2x1x1xbf16>) -> tensor<2x3x4x1x1xbf16>
    %21 = stablehlo.convert %arg4 : (tensor<1x1x4xf32>) -> tensor<1x1x4xbf16>
    %22 = stablehlo.transpose %21, dims = [2, 0, 1] : (tensor<1x1x4xbf16>) -> tensor<4x1x1xbf16>
    %23 = stablehlo.broadcast_in_dim %22, dims = [2, 3, 4] : (tensor<4x1x1xbf16>) -> tensor<2x3x4x1x1xbf16>
    %24 = stablehlo.multiply %20, %23 : tensor<2x3x4x1x1xbf16>
    %25 = stablehlo.negate %19 : tensor<2x3x2x1x1xbf16>
    %26 = stablehlo.concatenate %25, %18, dim = 2 : (tensor<2x3x2x1x1xbf16>, tensor<2x3x2x1x1xbf16>) -> tensor<2x3x4x1x1xbf16>
    %27 = stablehlo.convert %arg5 : (tensor<1x1x4xf32>) -> tensor<1x1x4xbf16>
    %28 = stablehlo.transpose %27, dims = [2, 0, 1] : (tensor<1x1x4xbf16>) -> tensor<4x1x1xbf16>
    %29 = stablehlo.broadcast_in_dim %28, dims = [2, 3, 4] : (tensor<4x1x1xbf16>) -> tensor<2x3x4x1x1xbf16>
    %30 = stablehlo.multiply %26, %29 : tensor<2x3x4x1x1xbf16>
    %31 = stablehlo.add %24, %30 : tensor<2x3x4x1x1xbf16>
    %cst_2 = stablehlo.constant dense<5.000000e-01> : tensor<bf16>
    %32 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<bf16>) -> tensor<2x3x4x1x1xbf16>
    %33 = stablehlo.multiply %31, %32 : tensor<2x3x4x1x1xbf16>
    %34 = stablehlo.dot_general %arg6, %13, contracting_dims = [2] x [2], precision = [DEFAULT, DEFAULT] : (tensor<2x4x10xbf16>, tensor<1x1x10xbf16>) -> tensor<2x4x1x1xf32>
    %35 = stablehlo.convert %34 : (tensor<2x4x1x1xf32>) -> tensor<2x4x1x1xbf16>
    %36 = stablehlo.broadcast_in_dim %arg7, dims = [0, 1] : (tensor<2x4xbf16>) -> tensor<2x4x1x1xbf16>
    %37 = stablehlo.add %35, %36 : tensor<2x4x1x1xbf16>
    %38 = stablehlo.slice %37 [0:2, 0:2, 0:1, 0:1] : (tensor<2x4x1x1xbf16>) -> tensor<2x2x1x1xbf16>
    %39 = stablehlo.slice %37 [0:2, 2:4, 0:1, 0:1] : (tensor<2x4x1x1xbf16>) -> tensor<2x2x1x1xbf16>
    %40 = stablehlo.concatenate %38, %39, dim = 1 : (tensor<2x2x1x1xbf16>, tensor<2x2x1x1xbf16>) -> tensor<2x4x1x1xbf16>
    %41 = stablehlo.convert %arg4 : (tensor<1x1x4xf32>) -> tensor<1x1x4xbf16>
    %42 = stablehlo.transpose %41, dims = [2, 0, 1] : (tensor<1x1x4xbf16>) -> tensor<4x1x1xbf16>
    %43 = stablehlo.broadcast_in_dim %42, dims = [1, 2, 3] : (tensor<4x1x1xbf16>) -> tensor<2x4x1x1xbf16>
    %44 = stablehlo.multiply %40, %43 : tensor<2x4x1x1xbf16>
    %45 = stablehlo.negate %39 : tensor<2x2x1x1xbf16>
    %46 = stablehlo.concatenate %45, %38, dim = 1 : (tensor<2x2x1x1xbf16>, tensor<2x2x1x1xbf16>) -> tensor<2x4x1x1xbf16>
    %47 = stablehlo.convert %arg5 : (tensor<1x1x4xf32>) -> tensor<1x1x4xbf16>
    %48 = stablehlo.transpose %47, dims = [2, 0, 1] : (tensor<1x1x4xbf16>) -> tensor<4x1x1xbf16>
    %49 = stablehlo.broadcast_in_dim %48, dims = [1, 2, 3] : (tensor<4x1x1xbf16>) -> tensor<2x4x1x1xbf16>
    %50 = stablehlo.multiply %46, %49 : tensor<2x4x1x1xbf16>
    %51 = stablehlo.add %44, %50 : tensor<2x4x1x1xbf16>
    %52 = stablehlo.dot_general %arg8, %13, contracting_dims = [2] x [2], precision = [DEFAULT, DEFAULT] : (tensor<2x4x10xbf16>, tensor<1x1x10xbf16>) -> tensor<2x4x1x1xf32>
    %53 = stablehlo.convert %52 : (tensor<2x4x1x1xf32>) -> tensor<2x4x1x1xbf16>
    %54 = stablehlo.broadcast_in_dim %arg9, dims = [0, 1] : (tensor<2x4xbf16>) -> tensor<2x4x1x1xbf16>
    %55 = stablehlo.add %53, %54 : tensor<2x4x1x1xbf16>
    %56 = stablehlo.transpose %51, dims = [2, 0, 1, 3] : (tensor<2x4x1x1xbf16>) -> tensor<1x2x4x1xbf16>
    %57 = stablehlo.reshape %arg11 : (tensor<1xi32>) -> tensor<i32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %58 = stablehlo.dynamic_update_slice %arg10, %56, %c, %c, %c, %57 : (tensor<1x2x4x6xbf16>, tensor<1x2x4x1xbf16>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x4x6xbf16>
    %59 = stablehlo.optimization_barrier %58 : tensor<1x2x4x6xbf16>
    %60 = stablehlo.transpose %55, dims = [2, 0, 3, 1] : (tensor<2x4x1x1xbf16>) -> tensor<1x2x1x4xbf16>
    %61 = stablehlo.reshape %arg11 : (tensor<1xi32>) -> tensor<i32>
    %c_3 = stablehlo.constant dense<0> : tensor<i32>
    %62 = stablehlo.dynamic_update_slice %arg12, %60, %c_3, %c_3, %61, %c_3 : (tensor<1x2x6x4xbf16>, tensor<1x2x1x4xbf16>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x6x4xbf16>
    %63 = stablehlo.optimization_barrier %62 : tensor<1x2x6x4xbf16>
    %64 = stablehlo.broadcast_in_dim %arg11, dims = [0] : (tensor<1xi32>) -> tensor<1x1xi32>
    %65 = stablehlo.iota dim = 0 : tensor<1xi32>
    %66 = stablehlo.broadcast_in_dim %65, dims = [1] : (tensor<1xi32>) -> tensor<1x1xi32>
    %67 = stablehlo.add %64, %66 : tensor<1x1xi32>
    %68 = stablehlo.broadcast_in_dim %67, dims = [0, 1] : (tensor<1x1xi32>) -> tensor<1x1x6xi32>
    %69 = stablehlo.iota dim = 0 : tensor<6xi32>
    %70 = stablehlo.broadcast_in_dim %69, dims = [2] : (tensor<6xi32>) -> tensor<1x1x6xi32>
    %71 = stablehlo.subtract %68, %70 : tensor<1x1x6xi32>
    %72 = stablehlo.dot_general %33, %59, batching_dims = [3, 0] x [0, 1], contracting_dims = [2] x [2], precision = [DEFAULT, DEFAULT] : (tensor<2x3x4x1x1xbf16>, tensor<1x2x4x6xbf16>) -> tensor<1x2x3x1x6xf32>
    %73 = stablehlo.convert %72 : (tensor<1x2x3x1x6xf32>) -> tensor<1x2x3x1x6xbf16>
    %74 = stablehlo.convert %73 : (tensor<1x2x3x1x6xbf16>) -> tensor<1x2x3x1x6xf32>
    %c_4 = stablehlo.constant dense<0> : tensor<i32>
    %75 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<1x1x6xi32>
    %76 = stablehlo.compare GE, %71, %75, SIGNED : (tensor<1x1x6xi32>, tensor<1x1x6xi32>) -> tensor<1x1x6xi1>
    %77 = stablehlo.broadcast_in_dim %76, dims = [0, 3, 4] : (tensor<1x1x6xi1>) -> tensor<1x2x3x1x6xi1>
    %cst_5 = stablehlo.constant dense<-1.000000e+30> : tensor<f32>
    %78 = stablehlo.broadcast_in_dim %cst_5, dims = [] : (tensor<f32>) -> tensor<1x2x3x1x6xf32>
    %79 = stablehlo.select %77, %74, %78 : tensor<1x2x3x1x6xi1>, tensor<1x2x3x1x6xf32>
    %cst_6 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %80 = stablehlo.reduce(%79 init: %cst_6) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x3x1x6xf32>, tensor<f32>) -> tensor<1x2x3x1xf32>
    %81 = stablehlo.broadcast_in_dim %80, dims = [0, 1, 2, 3] : (tensor<1x2x3x1xf32>) -> tensor<1x2x3x1x6xf32>
    %82 = stablehlo.subtract %79, %81 : tensor<1x2x3x1x6xf32>
    %83 = stablehlo.exponential %82 : tensor<1x2x3x1x6xf32>
    %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %84 = stablehlo.reduce(%83 init: %cst_7) applies stablehlo.add across dimensions = [4] : (tensor<1x2x3x1x6xf32>, tensor<f32>) -> tensor<1x2x3x1xf32>
    %85 = stablehlo.broadcast_in_dim %84, dims = [0, 1, 2, 3] : (tensor<1x2x3x1xf32>) -> tensor<1x2x3x1x6xf32>
    %86 = stablehlo.divide %83, %85 : tensor<1x2x3x1x6xf32>
    %87 = stablehlo.convert %86 : (tensor<1x2x3x1x6xf32>) -> tensor<1x2x3x1x6xbf16>
    %88 = stablehlo.dot_general %87, %63, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [DEFAULT, DEFAULT] : (tensor<1x2x3x1x6xbf16>, tensor<1x2x6x4xbf16>) -> tensor<1x2x3x1x4xf32>
    %89 = stablehlo.convert %88 : (tensor<1x2x3x1x4xf32>) -> tensor<1x2x3x1x4xbf16>
    %90 = stablehlo.dot_general %arg13, %89, contracting_dims = [1, 2, 3] x [1, 2, 4], precision = [DEFAULT, DEFAULT] : (tensor<10x2x3x4xbf16>, tensor<1x2x3x1x4xbf16>) -> tensor<10x1x1xf32>
    %91 = stablehlo.convert %90 : (tensor<10x1x1xf32>) -> tensor<10x1x1xbf16>
    %92 = stablehlo.broadcast_in_dim %arg14, dims = [0] : (tensor<10xbf16>) -> tensor<10x1x1xbf16>
    %93 = stablehlo.add %91, %92 : tensor<10x1x1xbf16>
    %94 = stablehlo.transpose %93, dims = [1, 2, 0] : (tensor<10x1x1xbf16>) -> tensor<1x1x10xbf16>
    %95 = stablehlo.add %arg0, %94 : tensor<1x1x10xbf16>
    %96 = stablehlo.convert %95 : (tensor<1x1x10xbf16>) -> tensor<1x1x10xf32>
    %97 = stablehlo.multiply %96, %96 : tensor<1x1x10xf32>
    %cst_8 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %98 = stablehlo.reduce(%97 init: %cst_8) applies stablehlo.add across dimensions = [2] : (tensor<1x1x10xf32>, tensor<f32>) -> tensor<1x1xf32>
    %cst_9 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %99 = stablehlo.broadcast_in_dim %cst_9, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %100 = stablehlo.multiply %98, %99 : tensor<1x1xf32>
    %cst_10 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %101 = stablehlo.broadcast_in_dim %cst_10, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %102 = stablehlo.add %100, %101 : tensor<1x1xf32>
    %103 = stablehlo.rsqrt %102 : tensor<1x1xf32>
    %104 = stablehlo.broadcast_in_dim %103, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x10xf32>
    %105 = stablehlo.multiply %96, %104 : tensor<1x1x10xf32>
    %106 = stablehlo.convert %arg15 : (tensor<10xbf16>) -> tensor<10xf32>
    %107 = stablehlo.broadcast_in_dim %106, dims = [2] : (tensor<10xf32>) -> tensor<1x1x10xf32>
    %108 = stablehlo.multiply %105, %107 : tensor<1x1x10xf32>
    %109 = stablehlo.convert %108 : (tensor<1x1x10xf32>) -> tensor<1x1x10xbf16>
    %110 = stablehlo.dot_general %arg16, %109, contracting_dims = [1] x [2], precision = [DEFAULT, DEFAULT] : (tensor<7x10xbf16>, tensor<1x1x10xbf16>) -> tensor<7x1x1xf32>
    %111 = stablehlo.convert %110 : (tensor<7x1x1xf32>) -> tensor<7x1x1xbf16>
    %112 = stablehlo.dot_general %arg17, %109, contracting_dims = [1] x [2], precision = [DEFAULT, DEFAULT] : (tensor<7x10xbf16>, tensor<1x1x10xbf16>) -> tensor<7x1x1xf32>
    %113 = stablehlo.convert %112 : (tensor<7x1x1xf32>) -> tensor<7x1x1xbf16>
    %114 = stablehlo.logistic %111 : tensor<7x1x1xbf16>
    %115 = stablehlo.multiply %111, %114 : tensor<7x1x1xbf16>
    %116 = stablehlo.multiply %115, %113 : tensor<7x1x1xbf16>
    %117 = stablehlo.dot_general %arg18, %116, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<10x7xbf16>, tensor<7x1x1xbf16>) -> tensor<10x1x1xf32>
    %118 = stablehlo.convert %117 : (tensor<10x1x1xf32>) -> tensor<10x1x1xbf16>
    %119 = stablehlo.transpose %118, dims = [1, 2, 0] : (tensor<10x1x1xbf16>) -> tensor<1x1x10xbf16>
    %120 = stablehlo.add %95, %119 : tensor<1x1x10xbf16>
    return %120, %59, %63 : tensor<1x1x10xbf16>, tensor<1x2x4x6xbf16>, tensor<1x2x6x4xbf16>
  }
}
