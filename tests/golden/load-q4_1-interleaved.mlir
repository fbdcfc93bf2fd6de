module @load {
  func.func public @main(%arg0: tensor<6x2x20xui8>) -> tensor<3x2x64xf32> {
    %0 = stablehlo.slice %arg0 [0:6, 0:2, 4:20] : (tensor<6x2x20xui8>) -> tensor<6x2x16xui8>
    %c = stablehlo.constant dense<15> : tensor<ui8>
    %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<ui8>) -> tensor<6x2x16xui8>
    %2 = stablehlo.and %0, %1 : tensor<6x2x16xui8>
    %c_0 = stablehlo.constant dense<4> : tensor<ui8>
    %3 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<ui8>) -> tensor<6x2x16xui8>
    %4 = stablehlo.shift_right_logical %0, %3 : tensor<6x2x16xui8>
    %5 = stablehlo.concatenate %2, %4, dim = 2 : (tensor<6x2x16xui8>, tensor<6x2x16xui8>) -> tensor<6x2x32xui8>
    %6 = stablehlo.convert %5 : (tensor<6x2x32xui8>) -> tensor<6x2x32xf32>
    %7 = stablehlo.slice %arg0 [0:6, 0:2, 0:2] : (tensor<6x2x20xui8>) -> tensor<6x2x2xui8>
    %8 = stablehlo.bitcast_convert %7 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %9 = stablehlo.convert %8 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %10 = stablehlo.broadcast_in_dim %9, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x32xf32>
    %11 = stablehlo.multiply %6, %10 : tensor<6x2x32xf32>
    %12 = stablehlo.slice %arg0 [0:6, 0:2, 2:4] : (tensor<6x2x20xui8>) -> tensor<6x2x2xui8>
    %13 = stablehlo.bitcast_convert %12 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %14 = stablehlo.convert %13 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x32xf32>
    %16 = stablehlo.add %11, %15 : tensor<6x2x32xf32>
    %17 = stablehlo.reshape %16 : (tensor<6x2x32xf32>) -> tensor<6x64xf32>
    %18 = stablehlo.reshape %17 : (tensor<6x64xf32>) -> tensor<3x1x2x64xf32>
    %19 = stablehlo.transpose %18, dims = [0, 2, 1, 3] : (tensor<3x1x2x64xf32>) -> tensor<3x2x1x64xf32>
    %20 = stablehlo.reshape %19 : (tensor<3x2x1x64xf32>) -> tensor<3x2x64xf32>
    return %20 : tensor<3x2x64xf32>
  }
}
