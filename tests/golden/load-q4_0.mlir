module @load {
  func.func public @main(%arg0: tensor<6x2x18xui8>) -> tensor<3x2x64xf32> {
    %0 = stablehlo.slice %arg0 [0:6, 0:2, 2:18] : (tensor<6x2x18xui8>) -> tensor<6x2x16xui8>
    %c = stablehlo.constant dense<15> : tensor<ui8>
    %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<ui8>) -> tensor<6x2x16xui8>
    %2 = stablehlo.and %0, %1 : tensor<6x2x16xui8>
    %c_0 = stablehlo.constant dense<4> : tensor<ui8>
    %3 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<ui8>) -> tensor<6x2x16xui8>
    %4 = stablehlo.shift_right_logical %0, %3 : tensor<6x2x16xui8>
    %5 = stablehlo.concatenate %2, %4, dim = 2 : (tensor<6x2x16xui8>, tensor<6x2x16xui8>) -> tensor<6x2x32xui8>
    %6 = stablehlo.convert %5 : (tensor<6x2x32xui8>) -> tensor<6x2x32xf32>
    %cst = stablehlo.constant dense<8.000000e+00> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<6x2x32xf32>
    %8 = stablehlo.subtract %6, %7 : tensor<6x2x32xf32>
    %9 = stablehlo.slice %arg0 [0:6, 0:2, 0:2] : (tensor<6x2x18xui8>) -> tensor<6x2x2xui8>
    %10 = stablehlo.bitcast_convert %9 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %11 = stablehlo.convert %10 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x32xf32>
    %13 = stablehlo.multiply %8, %12 : tensor<6x2x32xf32>
    %14 = stablehlo.reshape %13 : (tensor<6x2x32xf32>) -> tensor<6x64xf32>
    %15 = stablehlo.reshape %14 : (tensor<6x64xf32>) -> tensor<3x2x64xf32>
    return %15 : tensor<3x2x64xf32>
  }
}
