module @decode {
  func.func public @main(%arg0: tensor<1x1xi32>, %arg1: tensor<1xi32>, %arg2: tensor<1xi32>, %arg3: tensor<1x2xf32>, %arg4: tensor<11x10xf32>, %arg5: tensor<10xf32>, %arg6: tensor<2x3x4x10xf32>, %arg7: tensor<2x4x10xf32>, %arg8: tensor<2x4x10xf32>, %arg9: tensor<10x2x3x4xf32>, %arg10: tensor<2x3x4xf32>, %arg11: tensor<2x4xf32>, %arg12: tensor<2x4xf32>, %arg13: tensor<10xf32>, %arg14: tensor<10xf32>, %arg15: tensor<7x10xf32>, %arg16: tensor<7x10xf32>, %arg17: tensor<10x7xf32>, %arg18: tensor<10xf32>, %arg19: tensor<2x3x4x10xf32>, %arg20: tensor<2x4x10xf32>, %arg21: tensor<2x4x10xf32>, %arg22: tensor<10x2x3x4xf32>, %arg23: tensor<2x3x4xf32>, %arg24: tensor<2x4xf32>, %arg25: tensor<2x4xf32>, %arg26: tensor<10xf32>, %arg27: tensor<10xf32>, %arg28: tensor<7x10xf32>, %arg29: tensor<7x10xf32>, %arg30: tensor<10x7xf32>, %arg31: tensor<10xf32>, %arg32: tensor<11x10xf32>, %arg33: tensor<1x2x4x6xf32> {tf.aliasing_output = 4 : i32}, %arg34: tensor<1x2x6x4xf32> {tf.aliasing_output = 5 : i32}, %arg35: tensor<1x2x4x6xf32> {tf.aliasing_output = 6 : i32}, %arg36: tensor<1x2x6x4xf32> {tf.aliasing_output = 7 : i32}) -> (tensor<1x11xf32>, tensor<1x11xf32>, tensor<1x11xi32>, tensor<1xf32>, tensor<1x2x4x6xf32>, tensor<1x2x6x4xf32>, tensor<1x2x4x6xf32>, tensor<1x2x6x4xf32>) {
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
    %12 = stablehlo.dynamic_slice %arg4, %11, %c, sizes = [1, 10] : (tensor<11x10xf32>, tensor<i32>, tensor<i32>) -> tensor<1x10xf32>
    %13 = stablehlo.reshape %12 : (tensor<1x10xf32>) -> tensor<1x1x10xf32>
    %14:3 = call @layers(%13, %arg5, %arg6, %arg10, %9, %10, %arg7, %arg11, %arg8, %arg12, %arg33, %arg1, %arg34, %arg9, %arg13, %arg14, %arg15, %arg16, %arg17) : (tensor<1x1x10xf32>, tensor<10xf32>, tensor<2x3x4x10xf32>, tensor<2x3x4xf32>, tensor<1x1x4xf32>, tensor<1x1x4xf32>, tensor<2x4x10xf32>, tensor<2x4xf32>, tensor<2x4x10xf32>, tensor<2x4xf32>, tensor<1x2x4x6xf32>, tensor<1xi32>, tensor<1x2x6x4xf32>, tensor<10x2x3x4xf32>, tensor<10xf32>, tensor<10xf32>, tensor<7x10xf32>, tensor<7x10xf32>, tensor<10x7xf32>) -> (tensor<1x1x10xf32>, tensor<1x2x4x6xf32>, tensor<1x2x6x4xf32>)
    %15:3 = call @layers(%14#0, %arg18, %arg19, %arg23, %9, %10, %arg20, %arg24, %arg21, %arg25, %arg35, %arg1, %arg36, %arg22, %arg26, %arg27, %arg28, %arg29, %arg30) : (tensor<1x1x10xf32>, tensor<10xf32>, tensor<2x3x4x10xf32>, tensor<2x3x4xf32>, tensor<1x1x4xf32>, tensor<1x1x4xf32>, tensor<2x4x10xf32>, tensor<2x4xf32>, tensor<2x4x10xf32>, tensor<2x4xf32>, tensor<1x2x4x6xf32>, tensor<1xi32>, tensor<1x2x6x4xf32>, tensor<10x2x3x4xf32>, tensor<10xf32>, tensor<10xf32>, tensor<7x10xf32>, tensor<7x10xf32>, tensor<10x7xf32>) -> (tensor<1x1x10xf32>, tensor<1x2x4x6xf32>, tensor<1x2x6x4xf32>)
    %16 = stablehlo.multiply %15#0, %15#0 : tensor<1x1x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %17 = stablehlo.reduce(%16 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<1x1x10xf32>, tensor<f32>) -> tensor<1x1xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %19 = stablehlo.multiply %17, %18 : tensor<1x1xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %20 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %21 = stablehlo.add %19, %20 : tensor<1x1xf32>
    %22 = stablehlo.rsqrt %21 : tensor<1x1xf32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x10xf32>
    %24 = stablehlo.multiply %15#0, %23 : tensor<1x1x10xf32>
    %25 = stablehlo.broadcast_in_dim %arg31, dims = [2] : (tensor<10xf32>) -> tensor<1x1x10xf32>
    %26 = stablehlo.multiply %24, %25 : tensor<1x1x10xf32>
    %c_2 = stablehlo.constant dense<1> : tensor<i32>
    %27 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<1xi32>
    %28 = stablehlo.subtract %arg2, %27 : tensor<1xi32>
    %29 = stablehlo.reshape %28 : (tensor<1xi32>) -> tensor<i32>
    %c_3 = stablehlo.constant dense<0> : tensor<i32>
    %30 = stablehlo.dynamic_slice %26, %c_3, %29, %c_3, sizes = [1, 1, 10] : (tensor<1x1x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x10xf32>
    %31 = stablehlo.reshape %30 : (tensor<1x1x10xf32>) -> tensor<1x10xf32>
    %32 = stablehlo.dot_general %arg32, %31, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<11x10xf32>, tensor<1x10xf32>) -> tensor<11x1xf32>
    %33 = stablehlo.transpose %32, dims = [1, 0] : (tensor<11x1xf32>) -> tensor<1x11xf32>
    %34 = stablehlo.iota dim = 1 : tensor<1x11xi32>
    %35:2 = "stablehlo.sort"(%33, %34) <{dimension = 1 : i64, is_stable = true}> ({
    ^bb0(%arg37: tensor<f32>, %arg38: tensor<f32>, %arg39: tensor<i32>, %arg40: tensor<i32>):
      %49 = stablehlo.compare GT, %arg37, %arg38, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %49 : tensor<i1>
    }) : (tensor<1x11xf32>, tensor<1x11xi32>) -> (tensor<1x11xf32>, tensor<1x11xi32>)
    %36 = stablehlo.slice %35#0 [0:1, 0:11] : (tensor<1x11xf32>) -> tensor<1x11xf32>
    %37 = stablehlo.slice %35#1 [0:1, 0:11] : (tensor<1x11xi32>) -> tensor<1x11xi32>
    %cst_4 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %38 = stablehlo.reduce(%32 init: %cst_4) applies stablehlo.maximum across dimensions = [0] : (tensor<11x1xf32>, tensor<f32>) -> tensor<1xf32>
    %39 = stablehlo.is_finite %38 : (tensor<1xf32>) -> tensor<1xi1>
    %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %40 = stablehlo.broadcast_in_dim %cst_5, dims = [] : (tensor<f32>) -> tensor<1xf32>
    %41 = stablehlo.select %39, %38, %40 : tensor<1xi1>, tensor<1xf32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [1] : (tensor<1xf32>) -> tensor<11x1xf32>
    %43 = stablehlo.subtract %32, %42 : tensor<11x1xf32>
    %44 = stablehlo.exponential %43 : tensor<11x1xf32>
    %cst_6 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %45 = stablehlo.reduce(%44 init: %cst_6) applies stablehlo.add across dimensions = [0] : (tensor<11x1xf32>, tensor<f32>) -> tensor<1xf32>
    %46 = stablehlo.log %45 : tensor<1xf32>
    %47 = stablehlo.add %46, %41 : tensor<1xf32>
    %48 = stablehlo.transpose %32, dims = [1, 0] : (tensor<11x1xf32>) -> tensor<1x11xf32>
    return %48, %36, %37, %47, %14#1, %14#2, %15#1, %15#2 : tensor<1x11xf32>, tensor<1x11xf32>, tensor<1x11xi32>, tensor<1xf32>, tensor<1x2x4x6xf32>, tensor<1x2x6x4xf32>, tensor<1x2x4x6xf32>, tensor<1x2x6x4xf32>
  }
  func.func private @layers(%arg0: tensor<1x1x10xf32>, %arg1: tensor<10xf32>, %arg2: tensor<2x3x4x10xf32>, %arg3: tensor<2x3x4xf32>, %arg4: tensor<1x1x4xf32>, %arg5: tensor<1x1x4xf32>, %arg6: tensor<2x4x10xf32>, %arg7: tensor<2x4xf32>, %arg8: tensor<2x4x10xf32>, %arg9: tensor<2x4xf32>, %arg10: tensor<1x2x4x6xf32>, %arg11: tensor<1xi32>, %arg12: tensor<1x2x6x4xf32>, %arg13: tensor<10x2x3x4xf32>, %arg14: tensor<10xf32>, %arg15: tensor<10xf32>, %arg16: tensor<7x10xf32>, %arg17: tensor<7x10xf32>, %arg18: tensor<10x7xf32>) -> (tensor<1x1x10xf32>, tensor<1x2x4x6xf32>, tensor<1x2x6x4xf32>) {
    %0 = stablehlo.multiply %arg0, %arg0 : tensor<1x1x10xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %1 = stablehlo.reduce(%0 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<1x1x10xf32>, tensor<f32>) -> tensor<1x1xf32>
    %cst_0 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %3 = stablehlo.multiply %1, %2 : tensor<1x1xf32>
    %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %5 = stablehlo.add %3, %4 : tensor<1x1xf32>
    %6 = stablehlo.rsqrt %5 : tensor<1x1xf32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x10xf32>
    %8 = stablehlo.multiply %arg0, %7 : tensor<1x1x10xf32>
    %9 = stablehlo.broadcast_in_dim %arg1, dims = [2] : (tensor<10xf32>) -> tensor<1x1x10xf32>
    %10 = stablehlo.multiply %8, %9 : tensor<1x1x10xf32>
    %11 = stablehlo.dot_general %arg2, %10, contracting_dims = [3] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4x10xf32>, tensor<1x1x10xf32>) -> tensor<2x3x4x1x1xf32>
    %12 = stablehlo.broadcast_in_dim %arg3, dims = [0, 1, 2] : (tensor<2x3x4xf32>) -> tensor<2x3x4x1x1xf32>
    %13 = stablehlo.add %11, %12 : tensor<2x3x4x1x1xf32>
    %14 = stablehlo.slice %13 [0:2, 0:3, 0:2, 0:1, 0:1] : (tensor<2x3x4x1x1xf32>) -> tensor<2x3x2x1x1xf32>
    %15 = stablehlo.slice %13 [0:2, 0:3, 2:4, 0:1, 0:1] : (tensor<2x3x4x1x1xf32>) -> tensor<2x3x2x1x1xf32>
    %16 = stablehlo.concatenate %14, %15, dim = 2 : (tensor<2x3x2x1x1xf32>, tensor<2x3x2x1x1xf32>) -> tensor<2x3x4x1x1xf32>
    %17 = stablehlo.transpose %arg4, dims = [2, 0, 1] : (tensor<1x1x4xf32>) -> tensor<4x1x1xf32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [2, 3, 4] : (tensor<4x1x1xf32>) -> tensor<2x3x4x1x1xf32>
    %19 = stablehlo.multiply %16, %18 : tensor<2x3x4x1x1xf32>
    %20 = stablehlo.negate %15 : tensor<2x3x2x1x1xf32>
    %21 = stablehlo.concatenate %20, %14, dim = 2 : (tensor<2x3x2x1x1xf32>, tensor<2x3x2x1x1xf32>) -> tensor<2x3x4x1x1xf32>
    %22 = stablehlo.transpose %arg5, dims = [2, 0, 1] : (tensor<1x1x4xf32>) -> tensor<4x1x1xf32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [2, 3, 4] : (tensor<4x1x1xf32>) -> tensor<2x3x4x1x1xf32>
    %24 = stablehlo.multiply %21, %23 : tensor<2x3x4x1x1xf32>
    %25 = stablehlo.add %19, %24 : tensor<2x3x4x1x1xf32>
    %cst_2 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %26 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<2x3x4x1x1xf32>
    %27 = stablehlo.multiply %25, %26 : tensor<2x3x4x1x1xf32>
    %28 = stablehlo.dot_general %arg6, %10, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x10xf32>, tensor<1x1x10xf32>) -> tensor<2x4x1x1xf32>
    %29 = stablehlo.broadcast_in_dim %arg7, dims = [0, 1] : (tensor<2x4xf32>) -> tensor<2x4x1x1xf32>
    %30 = stablehlo.add %28, %29 : tensor<2x4x1x1xf32>
    %31 = stablehlo.slice %30 [0:2, 0:2, 0:1, 0:1] : (tensor<2x4x1x1xf32>) -> tensor<2x2x1x1xf32>
    %32 = stablehlo.slice %30 [0:2, 2:4, 0:1, 0:1] : (tensor<2x4x1x1xf32>) -> tensor<2x2x1x1xf32>
    %33 = stablehlo.concatenate %31, %32, dim = 1 : (tensor<2x2x1x1xf32>, tensor<2x2x1x1xf32>) -> tensor<2x4x1x1xf32>
    %34 = stablehlo.transpose %arg4, dims = [2, 0, 1] : (tensor<1x1x4xf32>) -> tensor<4x1x1xf32>
    %35 = stablehlo.broadcast_in_dim %34, dims = [1, 2, 3] : (tensor<4x1x1xf32>) -> tensor<2x4x1x1xf32>
    %36 = stablehlo.multiply %33, %35 : tensor<2x4x1x1xf32>
    %37 = stablehlo.negate %32 : tensor<2x2x1x1xf32>
    %38 = stablehlo.concatenate %37, %31, dim = 1 : (tensor<2x2x1x1xf32>, tensor<2x2x1x1xf32>) -> tensor<2x4x1x1xf32>
    %39 = stablehlo.transpose %arg5, dims = [2, 0, 1] : (tensor<1x1x4xf32>) -> tensor<4x1x1xf32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [1, 2, 3] : (tensor<4x1x1xf32>) -> tensor<2x4x1x1xf32>
    %41 = stablehlo.multiply %38, %40 : tensor<2x4x1x1xf32>
    %42 = stablehlo.add %36, %41 : tensor<2x4x1x1xf32>
    %43 = stablehlo.dot_general %arg8, %10, contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x4x10xf32>, tensor<1x1x10xf32>) -> tensor<2x4x1x1xf32>
    %44 = stablehlo.broadcast_in_dim %arg9, dims = [0, 1] : (tensor<2x4xf32>) -> tensor<2x4x1x1xf32>
    %45 = stablehlo.add %43, %44 : tensor<2x4x1x1xf32>
    %46 = stablehlo.transpose %42, dims = [2, 0, 1, 3] : (tensor<2x4x1x1xf32>) -> tensor<1x2x4x1xf32>
    %47 = stablehlo.reshape %arg11 : (tensor<1xi32>) -> tensor<i32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %48 = stablehlo.dynamic_update_slice %arg10, %46, %c, %c, %c, %47 : (tensor<1x2x4x6xf32>, tensor<1x2x4x1xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x4x6xf32>
    %49 = stablehlo.optimization_barrier %48 : tensor<1x2x4x6xf32>
    %50 = stablehlo.transpose %45, dims = [2, 0, 3, 1] : (tensor<2x4x1x1xf32>) -> tensor<1x2x1x4xf32>
    %51 = stablehlo.reshape %arg11 : (tensor<1xi32>) -> tensor<i32>
    %c_3 = stablehlo.constant dense<0> : tensor<i32>
    %52 = stablehlo.dynamic_update_slice %arg12, %50, %c_3, %c_3, %51, %c_3 : (tensor<1x2x6x4xf32>, tensor<1x2x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x6x4xf32>
    %53 = stablehlo.optimization_barrier %52 : tensor<1x2x6x4xf32>
    %54 = stablehlo.broadcast_in_dim %arg11, dims = [0] : (tensor<1xi32>) -> tensor<1x1xi32>
    %55 = stablehlo.iota dim = 0 : tensor<1xi32>
    %56 = stablehlo.broadcast_in_dim %55, dims = [1] : (tensor<1xi32>) -> tensor<1x1xi32>
    %57 = stablehlo.add %54, %56 : tensor<1x1xi32>
    %58 = stablehlo.broadcast_in_dim %57, dims = [0, 1] : (tensor<1x1xi32>) -> tensor<1x1x6xi32>
    %59 = stablehlo.iota dim = 0 : tensor<6xi32>
    %60 = stablehlo.broadcast_in_dim %59, dims = [2] : (tensor<6xi32>) -> tensor<1x1x6xi32>
    %61 = stablehlo.subtract %58, %60 : tensor<1x1x6xi32>
    %62 = stablehlo.dot_general %27, %49, batching_dims = [3, 0] x [0, 1], contracting_dims = [2] x [2], precision = [HIGHEST, HIGHEST] : (tensor<2x3x4x1x1xf32>, tensor<1x2x4x6xf32>) -> tensor<1x2x3x1x6xf32>
    %c_4 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<1x1x6xi32>
    %64 = stablehlo.compare GE, %61, %63, SIGNED : (tensor<1x1x6xi32>, tensor<1x1x6xi32>) -> tensor<1x1x6xi1>
    %65 = stablehlo.broadcast_in_dim %64, dims = [0, 3, 4] : (tensor<1x1x6xi1>) -> tensor<1x2x3x1x6xi1>
    %cst_5 = stablehlo.constant dense<-1.000000e+30> : tensor<f32>
    %66 = stablehlo.broadcast_in_dim %cst_5, dims = [] : (tensor<f32>) -> tensor<1x2x3x1x6xf32>
    %67 = stablehlo.select %65, %62, %66 : tensor<1x2x3x1x6xi1>, tensor<1x2x3x1x6xf32>
    %cst_6 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %68 = stablehlo.reduce(%67 init: %cst_6) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x3x1x6xf32>, tensor<f32>) -> tensor<1x2x3x1xf32>
    %69 = stablehlo.broadcast_in_dim %68, dims = [0, 1, 2, 3] : (tensor<1x2x3x1xf32>) -> tensor<1x2x3x1x6xf32>
    %70 = stablehlo.subtract %67, %69 : tensor<1x2x3x1x6xf32>
    %71 = stablehlo.exponential %70 : tensor<1x2x3x1x6xf32>
    %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %72 = stablehlo.reduce(%71 init: %cst_7) applies stablehlo.add across dimensions = [4] : (tensor<1x2x3x1x6xf32>, tensor<f32>) -> tensor<1x2x3x1xf32>
    %73 = stablehlo.broadcast_in_dim %72, dims = [0, 1, 2, 3] : (tensor<1x2x3x1xf32>) -> tensor<1x2x3x1x6xf32>
    %74 = stablehlo.divide %71, %73 : tensor<1x2x3x1x6xf32>
    %75 = stablehlo.dot_general %74, %53, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<1x2x3x1x6xf32>, tensor<1x2x6x4xf32>) -> tensor<1x2x3x1x4xf32>
    %76 = stablehlo.dot_general %arg13, %75, contracting_dims = [1, 2, 3] x [1, 2, 4], precision = [HIGHEST, HIGHEST] : (tensor<10x2x3x4xf32>, tensor<1x2x3x1x4xf32>) -> tensor<10x1x1xf32>
    %77 = stablehlo.broadcast_in_dim %arg14, dims = [0] : (tensor<10xf32>) -> tensor<10x1x1xf32>
    %78 = stablehlo.add %76, %77 : tensor<10x1x1xf32>
    %79 = stablehlo.transpose %78, dims = [1, 2, 0] : (tensor<10x1x1xf32>) -> tensor<1x1x10xf32>
    %80 = stablehlo.add %arg0, %79 : tensor<1x1x10xf32>
    %81 = stablehlo.multiply %80, %80 : tensor<1x1x10xf32>
    %cst_8 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %82 = stablehlo.reduce(%81 init: %cst_8) applies stablehlo.add across dimensions = [2] : (tensor<1x1x10xf32>, tensor<f32>) -> tensor<1x1xf32>
    %cst_9 = stablehlo.constant dense<1.000000e-01> : tensor<f32>
    %83 = stablehlo.broadcast_in_dim %cst_9, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %84 = stablehlo.multiply %82, %83 : tensor<1x1xf32>
    %cst_10 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %85 = stablehlo.broadcast_in_dim %cst_10, dims = [] : (tensor<f32>) -> tensor<1x1xf32>
    %86 = stablehlo.add %84, %85 : tensor<1x1xf32>
    %87 = stablehlo.rsqrt %86 : tensor<1x1xf32>
    %88 = stablehlo.broadcast_in_dim %87, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x10xf32>
    %89 = stablehlo.multiply %80, %88 : tensor<1x1x10xf32>
    %90 = stablehlo.broadcast_in_dim %arg15, dims = [2] : (tensor<10xf32>) -> tensor<1x1x10xf32>
    %91 = stablehlo.multiply %89, %90 : tensor<1x1x10xf32>
    %92 = stablehlo.dot_general %arg16, %91, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<7x10xf32>, tensor<1x1x10xf32>) -> tensor<7x1x1xf32>
    %93 = stablehlo.dot_general %arg17, %91, contracting_dims = [1] x [2], precision = [HIGHEST, HIGHEST] : (tensor<7x10xf32>, tensor<1x1x10xf32>) -> tensor<7x1x1xf32>
    %94 = stablehlo.logistic %92 : tensor<7x1x1xf32>
    %95 = stablehlo.multiply %92, %94 : tensor<7x1x1xf32>
    %96 = stablehlo.multiply %95, %93 : tensor<7x1x1xf32>
    %97 = stablehlo.dot_general %arg18, %96, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<10x7xf32>, tensor<7x1x1xf32>) -> tensor<10x1x1xf32>
    %98 = stablehlo.transpose %97, dims = [1, 2, 0] : (tensor<10x1x1xf32>) -> tensor<1x1x10xf32>
    %99 = stablehlo.add %80, %98 : tensor<1x1x10xf32>
    return %99, %49, %53 : tensor<1x1x10xf32>, tensor<1x2x4x6xf32>, tensor<1x2x6x4xf32>
  }
}
