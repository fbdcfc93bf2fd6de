module @load {
  func.func public @main(%arg0: tensor<6x2x34xui8>) -> tensor<3x2x64xf32> {
    %0 = stablehlo.slice %arg0 [0:6, 0:2, 2:34] : (tensor<6x2x34xui8>) -> tensor<6x2x32xui8>
    %1 = stablehlo.bitcast_convert %0 : (tensor<6x2x32xui8>) -> tensor<6x2x32xi8>
    %2 = stablehlo.convert %1 : (tensor<6x2x32xi8>) -> tensor<6x2x32xf32>
    %3 = stablehlo.slice %arg0 [0:6, 0:2, 0:2] : (tensor<6x2x34xui8>) -> tensor<6x2x2xui8>
    %4 = stablehlo.bitcast_convert %3 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %5 = stablehlo.convert %4 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x32xf32>
    %7 = stablehlo.multiply %2, %6 : tensor<6x2x32xf32>
    %8 = stablehlo.reshape %7 : (tensor<6x2x32xf32>) -> tensor<6x64xf32>
    %9 = stablehlo.reshape %8 : (tensor<6x64xf32>) -> tensor<3x2x64xf32>
    return %9 : tensor<3x2x64xf32>
  }
}
