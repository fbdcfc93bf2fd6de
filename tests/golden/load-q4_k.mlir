module @load {
  func.func public @main(%arg0: tensor<6x2x144xui8>) -> tensor<3x2x512xf32> {
    %0 = stablehlo.slice %arg0 [0:6, 0:2, 16:144] : (tensor<6x2x144xui8>) -> tensor<6x2x128xui8>
    %1 = stablehlo.reshape %0 : (tensor<6x2x128xui8>) -> tensor<6x2x4x32xui8>
    %c = stablehlo.constant dense<15> : tensor<ui8>
    %2 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<ui8>) -> tensor<6x2x4x32xui8>
    %3 = stablehlo.and %1, %2 : tensor<6x2x4x32xui8>
    %c_0 = stablehlo.constant dense<4> : tensor<ui8>
    %4 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<ui8>) -> tensor<6x2x4x32xui8>
    %5 = stablehlo.shift_right_logical %1, %4 : tensor<6x2x4x32xui8>
    %6 = stablehlo.broadcast_in_dim %3, dims = [0, 1, 2, 3] : (tensor<6x2x4x32xui8>) -> tensor<6x2x4x32x1xui8>
    %7 = stablehlo.broadcast_in_dim %5, dims = [0, 1, 2, 3] : (tensor<6x2x4x32xui8>) -> tensor<6x2x4x32x1xui8>
    %8 = stablehlo.concatenate %6, %7, dim = 4 : (tensor<6x2x4x32x1xui8>, tensor<6x2x4x32x1xui8>) -> tensor<6x2x4x32x2xui8>
    %9 = stablehlo.transpose %8, dims = [0, 1, 3, 2, 4] : (tensor<6x2x4x32x2xui8>) -> tensor<6x2x32x4x2xui8>
    %10 = stablehlo.reshape %9 : (tensor<6x2x32x4x2xui8>) -> tensor<6x2x32x8xui8>
    %11 = stablehlo.slice %arg0 [0:6, 0:2, 4:8] : (tensor<6x2x144xui8>) -> tensor<6x2x4xui8>
    %12 = stablehlo.slice %arg0 [0:6, 0:2, 8:12] : (tensor<6x2x144xui8>) -> tensor<6x2x4xui8>
    %13 = stablehlo.slice %arg0 [0:6, 0:2, 12:16] : (tensor<6x2x144xui8>) -> tensor<6x2x4xui8>
    %c_1 = stablehlo.constant dense<15> : tensor<ui8>
    %14 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %15 = stablehlo.and %13, %14 : tensor<6x2x4xui8>
    %c_2 = stablehlo.constant dense<6> : tensor<ui8>
    %16 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %17 = stablehlo.shift_right_logical %11, %16 : tensor<6x2x4xui8>
    %c_3 = stablehlo.constant dense<4> : tensor<ui8>
    %18 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %19 = stablehlo.shift_left %17, %18 : tensor<6x2x4xui8>
    %20 = stablehlo.or %15, %19 : tensor<6x2x4xui8>
    %c_4 = stablehlo.constant dense<63> : tensor<ui8>
    %21 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %22 = stablehlo.and %11, %21 : tensor<6x2x4xui8>
    %23 = stablehlo.concatenate %22, %20, dim = 2 : (tensor<6x2x4xui8>, tensor<6x2x4xui8>) -> tensor<6x2x8xui8>
    %24 = stablehlo.convert %23 : (tensor<6x2x8xui8>) -> tensor<6x2x8xf32>
    %c_5 = stablehlo.constant dense<4> : tensor<ui8>
    %25 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %26 = stablehlo.shift_right_logical %13, %25 : tensor<6x2x4xui8>
    %c_6 = stablehlo.constant dense<6> : tensor<ui8>
    %27 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %28 = stablehlo.shift_right_logical %12, %27 : tensor<6x2x4xui8>
    %c_7 = stablehlo.constant dense<4> : tensor<ui8>
    %29 = stablehlo.broadcast_in_dim %c_7, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %30 = stablehlo.shift_left %28, %29 : tensor<6x2x4xui8>
    %31 = stablehlo.or %26, %30 : tensor<6x2x4xui8>
    %c_8 = stablehlo.constant dense<63> : tensor<ui8>
    %32 = stablehlo.broadcast_in_dim %c_8, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %33 = stablehlo.and %12, %32 : tensor<6x2x4xui8>
    %34 = stablehlo.concatenate %33, %31, dim = 2 : (tensor<6x2x4xui8>, tensor<6x2x4xui8>) -> tensor<6x2x8xui8>
    %35 = stablehlo.convert %34 : (tensor<6x2x8xui8>) -> tensor<6x2x8xf32>
    %36 = stablehlo.convert %10 : (tensor<6x2x32x8xui8>) -> tensor<6x2x32x8xf32>
    %37 = stablehlo.slice %arg0 [0:6, 0:2, 0:2] : (tensor<6x2x144xui8>) -> tensor<6x2x2xui8>
    %38 = stablehlo.bitcast_convert %37 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %39 = stablehlo.convert %38 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x8xf32>
    %41 = stablehlo.multiply %24, %40 : tensor<6x2x8xf32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [0, 1, 3] : (tensor<6x2x8xf32>) -> tensor<6x2x32x8xf32>
    %43 = stablehlo.multiply %36, %42 : tensor<6x2x32x8xf32>
    %44 = stablehlo.slice %arg0 [0:6, 0:2, 2:4] : (tensor<6x2x144xui8>) -> tensor<6x2x2xui8>
    %45 = stablehlo.bitcast_convert %44 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %46 = stablehlo.convert %45 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %47 = stablehlo.broadcast_in_dim %46, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x8xf32>
    %48 = stablehlo.multiply %35, %47 : tensor<6x2x8xf32>
    %49 = stablehlo.broadcast_in_dim %48, dims = [0, 1, 3] : (tensor<6x2x8xf32>) -> tensor<6x2x32x8xf32>
    %50 = stablehlo.subtract %43, %49 : tensor<6x2x32x8xf32>
    %51 = stablehlo.transpose %50, dims = [0, 1, 3, 2] : (tensor<6x2x32x8xf32>) -> tensor<6x2x8x32xf32>
    %52 = stablehlo.reshape %51 : (tensor<6x2x8x32xf32>) -> tensor<6x2x256xf32>
    %53 = stablehlo.reshape %52 : (tensor<6x2x256xf32>) -> tensor<6x512xf32>
    %54 = stablehlo.reshape %53 : (tensor<6x512xf32>) -> tensor<3x2x512xf32>
    return %54 : tensor<3x2x512xf32>
  }
}
