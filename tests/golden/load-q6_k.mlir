module @load {
  func.func public @main(%arg0: tensor<6x2x210xui8>) -> tensor<3x2x512xf32> {
    %0 = stablehlo.slice %arg0 [0:6, 0:2, 0:128] : (tensor<6x2x210xui8>) -> tensor<6x2x128xui8>
    %1 = stablehlo.reshape %0 : (tensor<6x2x128xui8>) -> tensor<6x2x2x64xui8>
    %c = stablehlo.constant dense<15> : tensor<ui8>
    %2 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<ui8>) -> tensor<6x2x2x64xui8>
    %3 = stablehlo.and %1, %2 : tensor<6x2x2x64xui8>
    %c_0 = stablehlo.constant dense<4> : tensor<ui8>
    %4 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<ui8>) -> tensor<6x2x2x64xui8>
    %5 = stablehlo.shift_right_logical %1, %4 : tensor<6x2x2x64xui8>
    %6 = stablehlo.broadcast_in_dim %3, dims = [0, 1, 2, 3] : (tensor<6x2x2x64xui8>) -> tensor<6x2x2x64x1xui8>
    %7 = stablehlo.broadcast_in_dim %5, dims = [0, 1, 2, 3] : (tensor<6x2x2x64xui8>) -> tensor<6x2x2x64x1xui8>
    %8 = stablehlo.concatenate %6, %7, dim = 4 : (tensor<6x2x2x64x1xui8>, tensor<6x2x2x64x1xui8>) -> tensor<6x2x2x64x2xui8>
    %9 = stablehlo.transpose %8, dims = [0, 1, 2, 4, 3] : (tensor<6x2x2x64x2xui8>) -> tensor<6x2x2x2x64xui8>
    %10 = stablehlo.reshape %9 : (tensor<6x2x2x2x64xui8>) -> tensor<6x2x2x128xui8>
    %11 = stablehlo.slice %arg0 [0:6, 0:2, 128:192] : (tensor<6x2x210xui8>) -> tensor<6x2x64xui8>
    %12 = stablehlo.reshape %11 : (tensor<6x2x64xui8>) -> tensor<6x2x2x32xui8>
    %c_1 = stablehlo.constant dense<0> : tensor<ui8>
    %13 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %14 = stablehlo.shift_right_logical %12, %13 : tensor<6x2x2x32xui8>
    %c_2 = stablehlo.constant dense<3> : tensor<ui8>
    %15 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %16 = stablehlo.and %14, %15 : tensor<6x2x2x32xui8>
    %c_3 = stablehlo.constant dense<4> : tensor<ui8>
    %17 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %18 = stablehlo.shift_left %16, %17 : tensor<6x2x2x32xui8>
    %c_4 = stablehlo.constant dense<2> : tensor<ui8>
    %19 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %20 = stablehlo.shift_right_logical %12, %19 : tensor<6x2x2x32xui8>
    %c_5 = stablehlo.constant dense<3> : tensor<ui8>
    %21 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %22 = stablehlo.and %20, %21 : tensor<6x2x2x32xui8>
    %c_6 = stablehlo.constant dense<4> : tensor<ui8>
    %23 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %24 = stablehlo.shift_left %22, %23 : tensor<6x2x2x32xui8>
    %c_7 = stablehlo.constant dense<4> : tensor<ui8>
    %25 = stablehlo.broadcast_in_dim %c_7, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %26 = stablehlo.shift_right_logical %12, %25 : tensor<6x2x2x32xui8>
    %c_8 = stablehlo.constant dense<3> : tensor<ui8>
    %27 = stablehlo.broadcast_in_dim %c_8, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %28 = stablehlo.and %26, %27 : tensor<6x2x2x32xui8>
    %c_9 = stablehlo.constant dense<4> : tensor<ui8>
    %29 = stablehlo.broadcast_in_dim %c_9, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %30 = stablehlo.shift_left %28, %29 : tensor<6x2x2x32xui8>
    %c_10 = stablehlo.constant dense<6> : tensor<ui8>
    %31 = stablehlo.broadcast_in_dim %c_10, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %32 = stablehlo.shift_right_logical %12, %31 : tensor<6x2x2x32xui8>
    %c_11 = stablehlo.constant dense<3> : tensor<ui8>
    %33 = stablehlo.broadcast_in_dim %c_11, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %34 = stablehlo.and %32, %33 : tensor<6x2x2x32xui8>
    %c_12 = stablehlo.constant dense<4> : tensor<ui8>
    %35 = stablehlo.broadcast_in_dim %c_12, dims = [] : (tensor<ui8>) -> tensor<6x2x2x32xui8>
    %36 = stablehlo.shift_left %34, %35 : tensor<6x2x2x32xui8>
    %37 = stablehlo.broadcast_in_dim %18, dims = [0, 1, 2, 3] : (tensor<6x2x2x32xui8>) -> tensor<6x2x2x32x1xui8>
    %38 = stablehlo.broadcast_in_dim %24, dims = [0, 1, 2, 3] : (tensor<6x2x2x32xui8>) -> tensor<6x2x2x32x1xui8>
    %39 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2, 3] : (tensor<6x2x2x32xui8>) -> tensor<6x2x2x32x1xui8>
    %40 = stablehlo.broadcast_in_dim %36, dims = [0, 1, 2, 3] : (tensor<6x2x2x32xui8>) -> tensor<6x2x2x32x1xui8>
    %41 = stablehlo.concatenate %37, %38, %39, %40, dim = 4 : (tensor<6x2x2x32x1xui8>, tensor<6x2x2x32x1xui8>, tensor<6x2x2x32x1xui8>, tensor<6x2x2x32x1xui8>) -> tensor<6x2x2x32x4xui8>
    %42 = stablehlo.transpose %41, dims = [0, 1, 2, 4, 3] : (tensor<6x2x2x32x4xui8>) -> tensor<6x2x2x4x32xui8>
    %43 = stablehlo.reshape %42 : (tensor<6x2x2x4x32xui8>) -> tensor<6x2x2x128xui8>
    %44 = stablehlo.or %10, %43 : tensor<6x2x2x128xui8>
    %45 = stablehlo.reshape %44 : (tensor<6x2x2x128xui8>) -> tensor<6x2x256xui8>
    %46 = stablehlo.reshape %45 : (tensor<6x2x256xui8>) -> tensor<6x2x16x16xui8>
    %47 = stablehlo.slice %arg0 [0:6, 0:2, 192:208] : (tensor<6x2x210xui8>) -> tensor<6x2x16xui8>
    %48 = stablehlo.bitcast_convert %47 : (tensor<6x2x16xui8>) -> tensor<6x2x16xi8>
    %49 = stablehlo.convert %48 : (tensor<6x2x16xi8>) -> tensor<6x2x16xf32>
    %50 = stablehlo.convert %46 : (tensor<6x2x16x16xui8>) -> tensor<6x2x16x16xf32>
    %cst = stablehlo.constant dense<3.200000e+01> : tensor<f32>
    %51 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<6x2x16x16xf32>
    %52 = stablehlo.subtract %50, %51 : tensor<6x2x16x16xf32>
    %53 = stablehlo.slice %arg0 [0:6, 0:2, 208:210] : (tensor<6x2x210xui8>) -> tensor<6x2x2xui8>
    %54 = stablehlo.bitcast_convert %53 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %55 = stablehlo.convert %54 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %56 = stablehlo.broadcast_in_dim %55, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x16xf32>
    %57 = stablehlo.multiply %49, %56 : tensor<6x2x16xf32>
    %58 = stablehlo.broadcast_in_dim %57, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x16xf32>
    %59 = stablehlo.multiply %52, %58 : tensor<6x2x16x16xf32>
    %60 = stablehlo.reshape %59 : (tensor<6x2x16x16xf32>) -> tensor<6x2x256xf32>
    %61 = stablehlo.reshape %60 : (tensor<6x2x256xf32>) -> tensor<6x512xf32>
    %62 = stablehlo.reshape %61 : (tensor<6x512xf32>) -> tensor<3x2x512xf32>
    return %62 : tensor<3x2x512xf32>
  }
}
