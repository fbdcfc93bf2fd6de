module @load {
  func.func public @main(%arg0: tensor<6x2x24xui8>) -> tensor<3x2x64xf32> {
    %0 = stablehlo.slice %arg0 [0:6, 0:2, 4:8] : (tensor<6x2x24xui8>) -> tensor<6x2x4xui8>
    %c = stablehlo.constant dense<0> : tensor<ui8>
    %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %2 = stablehlo.shift_right_logical %0, %1 : tensor<6x2x4xui8>
    %c_0 = stablehlo.constant dense<1> : tensor<ui8>
    %3 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %4 = stablehlo.and %2, %3 : tensor<6x2x4xui8>
    %c_1 = stablehlo.constant dense<4> : tensor<ui8>
    %5 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %6 = stablehlo.shift_left %4, %5 : tensor<6x2x4xui8>
    %c_2 = stablehlo.constant dense<1> : tensor<ui8>
    %7 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %8 = stablehlo.shift_right_logical %0, %7 : tensor<6x2x4xui8>
    %c_3 = stablehlo.constant dense<1> : tensor<ui8>
    %9 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %10 = stablehlo.and %8, %9 : tensor<6x2x4xui8>
    %c_4 = stablehlo.constant dense<4> : tensor<ui8>
    %11 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %12 = stablehlo.shift_left %10, %11 : tensor<6x2x4xui8>
    %c_5 = stablehlo.constant dense<2> : tensor<ui8>
    %13 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %14 = stablehlo.shift_right_logical %0, %13 : tensor<6x2x4xui8>
    %c_6 = stablehlo.constant dense<1> : tensor<ui8>
    %15 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %16 = stablehlo.and %14, %15 : tensor<6x2x4xui8>
    %c_7 = stablehlo.constant dense<4> : tensor<ui8>
    %17 = stablehlo.broadcast_in_dim %c_7, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %18 = stablehlo.shift_left %16, %17 : tensor<6x2x4xui8>
    %c_8 = stablehlo.constant dense<3> : tensor<ui8>
    %19 = stablehlo.broadcast_in_dim %c_8, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %20 = stablehlo.shift_right_logical %0, %19 : tensor<6x2x4xui8>
    %c_9 = stablehlo.constant dense<1> : tensor<ui8>
    %21 = stablehlo.broadcast_in_dim %c_9, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %22 = stablehlo.and %20, %21 : tensor<6x2x4xui8>
    %c_10 = stablehlo.constant dense<4> : tensor<ui8>
    %23 = stablehlo.broadcast_in_dim %c_10, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %24 = stablehlo.shift_left %22, %23 : tensor<6x2x4xui8>
    %c_11 = stablehlo.constant dense<4> : tensor<ui8>
    %25 = stablehlo.broadcast_in_dim %c_11, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %26 = stablehlo.shift_right_logical %0, %25 : tensor<6x2x4xui8>
    %c_12 = stablehlo.constant dense<1> : tensor<ui8>
    %27 = stablehlo.broadcast_in_dim %c_12, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %28 = stablehlo.and %26, %27 : tensor<6x2x4xui8>
    %c_13 = stablehlo.constant dense<4> : tensor<ui8>
    %29 = stablehlo.broadcast_in_dim %c_13, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %30 = stablehlo.shift_left %28, %29 : tensor<6x2x4xui8>
    %c_14 = stablehlo.constant dense<5> : tensor<ui8>
    %31 = stablehlo.broadcast_in_dim %c_14, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %32 = stablehlo.shift_right_logical %0, %31 : tensor<6x2x4xui8>
    %c_15 = stablehlo.constant dense<1> : tensor<ui8>
    %33 = stablehlo.broadcast_in_dim %c_15, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %34 = stablehlo.and %32, %33 : tensor<6x2x4xui8>
    %c_16 = stablehlo.constant dense<4> : tensor<ui8>
    %35 = stablehlo.broadcast_in_dim %c_16, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %36 = stablehlo.shift_left %34, %35 : tensor<6x2x4xui8>
    %c_17 = stablehlo.constant dense<6> : tensor<ui8>
    %37 = stablehlo.broadcast_in_dim %c_17, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %38 = stablehlo.shift_right_logical %0, %37 : tensor<6x2x4xui8>
    %c_18 = stablehlo.constant dense<1> : tensor<ui8>
    %39 = stablehlo.broadcast_in_dim %c_18, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %40 = stablehlo.and %38, %39 : tensor<6x2x4xui8>
    %c_19 = stablehlo.constant dense<4> : tensor<ui8>
    %41 = stablehlo.broadcast_in_dim %c_19, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %42 = stablehlo.shift_left %40, %41 : tensor<6x2x4xui8>
    %c_20 = stablehlo.constant dense<7> : tensor<ui8>
    %43 = stablehlo.broadcast_in_dim %c_20, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %44 = stablehlo.shift_right_logical %0, %43 : tensor<6x2x4xui8>
    %c_21 = stablehlo.constant dense<1> : tensor<ui8>
    %45 = stablehlo.broadcast_in_dim %c_21, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %46 = stablehlo.and %44, %45 : tensor<6x2x4xui8>
    %c_22 = stablehlo.constant dense<4> : tensor<ui8>
    %47 = stablehlo.broadcast_in_dim %c_22, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %48 = stablehlo.shift_left %46, %47 : tensor<6x2x4xui8>
    %49 = stablehlo.broadcast_in_dim %6, dims = [0, 1, 2] : (tensor<6x2x4xui8>) -> tensor<6x2x4x1xui8>
    %50 = stablehlo.broadcast_in_dim %12, dims = [0, 1, 2] : (tensor<6x2x4xui8>) -> tensor<6x2x4x1xui8>
    %51 = stablehlo.broadcast_in_dim %18, dims = [0, 1, 2] : (tensor<6x2x4xui8>) -> tensor<6x2x4x1xui8>
    %52 = stablehlo.broadcast_in_dim %24, dims = [0, 1, 2] : (tensor<6x2x4xui8>) -> tensor<6x2x4x1xui8>
    %53 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2] : (tensor<6x2x4xui8>) -> tensor<6x2x4x1xui8>
    %54 = stablehlo.broadcast_in_dim %36, dims = [0, 1, 2] : (tensor<6x2x4xui8>) -> tensor<6x2x4x1xui8>
    %55 = stablehlo.broadcast_in_dim %42, dims = [0, 1, 2] : (tensor<6x2x4xui8>) -> tensor<6x2x4x1xui8>
    %56 = stablehlo.broadcast_in_dim %48, dims = [0, 1, 2] : (tensor<6x2x4xui8>) -> tensor<6x2x4x1xui8>
    %57 = stablehlo.concatenate %49, %50, %51, %52, %53, %54, %55, %56, dim = 3 : (tensor<6x2x4x1xui8>, tensor<6x2x4x1xui8>, tensor<6x2x4x1xui8>, tensor<6x2x4x1xui8>, tensor<6x2x4x1xui8>, tensor<6x2x4x1xui8>, tensor<6x2x4x1xui8>, tensor<6x2x4x1xui8>) -> tensor<6x2x4x8xui8>
    %58 = stablehlo.slice %arg0 [0:6, 0:2, 8:24] : (tensor<6x2x24xui8>) -> tensor<6x2x16xui8>
    %c_23 = stablehlo.constant dense<15> : tensor<ui8>
    %59 = stablehlo.broadcast_in_dim %c_23, dims = [] : (tensor<ui8>) -> tensor<6x2x16xui8>
    %60 = stablehlo.and %58, %59 : tensor<6x2x16xui8>
    %c_24 = stablehlo.constant dense<4> : tensor<ui8>
    %61 = stablehlo.broadcast_in_dim %c_24, dims = [] : (tensor<ui8>) -> tensor<6x2x16xui8>
    %62 = stablehlo.shift_right_logical %58, %61 : tensor<6x2x16xui8>
    %63 = stablehlo.concatenate %60, %62, dim = 2 : (tensor<6x2x16xui8>, tensor<6x2x16xui8>) -> tensor<6x2x32xui8>
    %64 = stablehlo.convert %63 : (tensor<6x2x32xui8>) -> tensor<6x2x32xf32>
    %65 = stablehlo.reshape %57 : (tensor<6x2x4x8xui8>) -> tensor<6x2x32xui8>
    %66 = stablehlo.convert %65 : (tensor<6x2x32xui8>) -> tensor<6x2x32xf32>
    %67 = stablehlo.add %64, %66 : tensor<6x2x32xf32>
    %68 = stablehlo.slice %arg0 [0:6, 0:2, 0:2] : (tensor<6x2x24xui8>) -> tensor<6x2x2xui8>
    %69 = stablehlo.bitcast_convert %68 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %70 = stablehlo.convert %69 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %71 = stablehlo.broadcast_in_dim %70, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x32xf32>
    %72 = stablehlo.multiply %67, %71 : tensor<6x2x32xf32>
    %73 = stablehlo.slice %arg0 [0:6, 0:2, 2:4] : (tensor<6x2x24xui8>) -> tensor<6x2x2xui8>
    %74 = stablehlo.bitcast_convert %73 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %75 = stablehlo.convert %74 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %76 = stablehlo.broadcast_in_dim %75, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x32xf32>
    %77 = stablehlo.add %72, %76 : tensor<6x2x32xf32>
    %78 = stablehlo.reshape %77 : (tensor<6x2x32xf32>) -> tensor<6x64xf32>
    %79 = stablehlo.reshape %78 : (tensor<6x64xf32>) -> tensor<3x2x64xf32>
    return %79 : tensor<3x2x64xf32>
  }
}
