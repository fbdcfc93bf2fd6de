module @load {
  func.func public @main(%arg0: tensor<6x2x176xui8>) -> tensor<3x2x512xf32> {
    %0 = stablehlo.slice %arg0 [0:6, 0:2, 16:48] : (tensor<6x2x176xui8>) -> tensor<6x2x32xui8>
    %c = stablehlo.constant dense<0> : tensor<ui8>
    %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %2 = stablehlo.shift_right_logical %0, %1 : tensor<6x2x32xui8>
    %c_0 = stablehlo.constant dense<1> : tensor<ui8>
    %3 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %4 = stablehlo.and %2, %3 : tensor<6x2x32xui8>
    %c_1 = stablehlo.constant dense<4> : tensor<ui8>
    %5 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %6 = stablehlo.shift_left %4, %5 : tensor<6x2x32xui8>
    %c_2 = stablehlo.constant dense<1> : tensor<ui8>
    %7 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %8 = stablehlo.shift_right_logical %0, %7 : tensor<6x2x32xui8>
    %c_3 = stablehlo.constant dense<1> : tensor<ui8>
    %9 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %10 = stablehlo.and %8, %9 : tensor<6x2x32xui8>
    %c_4 = stablehlo.constant dense<4> : tensor<ui8>
    %11 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %12 = stablehlo.shift_left %10, %11 : tensor<6x2x32xui8>
    %c_5 = stablehlo.constant dense<2> : tensor<ui8>
    %13 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %14 = stablehlo.shift_right_logical %0, %13 : tensor<6x2x32xui8>
    %c_6 = stablehlo.constant dense<1> : tensor<ui8>
    %15 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %16 = stablehlo.and %14, %15 : tensor<6x2x32xui8>
    %c_7 = stablehlo.constant dense<4> : tensor<ui8>
    %17 = stablehlo.broadcast_in_dim %c_7, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %18 = stablehlo.shift_left %16, %17 : tensor<6x2x32xui8>
    %c_8 = stablehlo.constant dense<3> : tensor<ui8>
    %19 = stablehlo.broadcast_in_dim %c_8, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %20 = stablehlo.shift_right_logical %0, %19 : tensor<6x2x32xui8>
    %c_9 = stablehlo.constant dense<1> : tensor<ui8>
    %21 = stablehlo.broadcast_in_dim %c_9, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %22 = stablehlo.and %20, %21 : tensor<6x2x32xui8>
    %c_10 = stablehlo.constant dense<4> : tensor<ui8>
    %23 = stablehlo.broadcast_in_dim %c_10, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %24 = stablehlo.shift_left %22, %23 : tensor<6x2x32xui8>
    %c_11 = stablehlo.constant dense<4> : tensor<ui8>
    %25 = stablehlo.broadcast_in_dim %c_11, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %26 = stablehlo.shift_right_logical %0, %25 : tensor<6x2x32xui8>
    %c_12 = stablehlo.constant dense<1> : tensor<ui8>
    %27 = stablehlo.broadcast_in_dim %c_12, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %28 = stablehlo.and %26, %27 : tensor<6x2x32xui8>
    %c_13 = stablehlo.constant dense<4> : tensor<ui8>
    %29 = stablehlo.broadcast_in_dim %c_13, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %30 = stablehlo.shift_left %28, %29 : tensor<6x2x32xui8>
    %c_14 = stablehlo.constant dense<5> : tensor<ui8>
    %31 = stablehlo.broadcast_in_dim %c_14, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %32 = stablehlo.shift_right_logical %0, %31 : tensor<6x2x32xui8>
    %c_15 = stablehlo.constant dense<1> : tensor<ui8>
    %33 = stablehlo.broadcast_in_dim %c_15, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %34 = stablehlo.and %32, %33 : tensor<6x2x32xui8>
    %c_16 = stablehlo.constant dense<4> : tensor<ui8>
    %35 = stablehlo.broadcast_in_dim %c_16, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %36 = stablehlo.shift_left %34, %35 : tensor<6x2x32xui8>
    %c_17 = stablehlo.constant dense<6> : tensor<ui8>
    %37 = stablehlo.broadcast_in_dim %c_17, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %38 = stablehlo.shift_right_logical %0, %37 : tensor<6x2x32xui8>
    %c_18 = stablehlo.constant dense<1> : tensor<ui8>
    %39 = stablehlo.broadcast_in_dim %c_18, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %40 = stablehlo.and %38, %39 : tensor<6x2x32xui8>
    %c_19 = stablehlo.constant dense<4> : tensor<ui8>
    %41 = stablehlo.broadcast_in_dim %c_19, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %42 = stablehlo.shift_left %40, %41 : tensor<6x2x32xui8>
    %c_20 = stablehlo.constant dense<7> : tensor<ui8>
    %43 = stablehlo.broadcast_in_dim %c_20, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %44 = stablehlo.shift_right_logical %0, %43 : tensor<6x2x32xui8>
    %c_21 = stablehlo.constant dense<1> : tensor<ui8>
    %45 = stablehlo.broadcast_in_dim %c_21, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %46 = stablehlo.and %44, %45 : tensor<6x2x32xui8>
    %c_22 = stablehlo.constant dense<4> : tensor<ui8>
    %47 = stablehlo.broadcast_in_dim %c_22, dims = [] : (tensor<ui8>) -> tensor<6x2x32xui8>
    %48 = stablehlo.shift_left %46, %47 : tensor<6x2x32xui8>
    %49 = stablehlo.broadcast_in_dim %6, dims = [0, 1, 2] : (tensor<6x2x32xui8>) -> tensor<6x2x32x1xui8>
    %50 = stablehlo.broadcast_in_dim %12, dims = [0, 1, 2] : (tensor<6x2x32xui8>) -> tensor<6x2x32x1xui8>
    %51 = stablehlo.broadcast_in_dim %18, dims = [0, 1, 2] : (tensor<6x2x32xui8>) -> tensor<6x2x32x1xui8>
    %52 = stablehlo.broadcast_in_dim %24, dims = [0, 1, 2] : (tensor<6x2x32xui8>) -> tensor<6x2x32x1xui8>
    %53 = stablehlo.broadcast_in_dim %30, dims = [0, 1, 2] : (tensor<6x2x32xui8>) -> tensor<6x2x32x1xui8>
    %54 = stablehlo.broadcast_in_dim %36, dims = [0, 1, 2] : (tensor<6x2x32xui8>) -> tensor<6x2x32x1xui8>
    %55 = stablehlo.broadcast_in_dim %42, dims = [0, 1, 2] : (tensor<6x2x32xui8>) -> tensor<6x2x32x1xui8>
    %56 = stablehlo.broadcast_in_dim %48, dims = [0, 1, 2] : (tensor<6x2x32xui8>) -> tensor<6x2x32x1xui8>
    %57 = stablehlo.concatenate %49, %50, %51, %52, %53, %54, %55, %56, dim = 3 : (tensor<6x2x32x1xui8>, tensor<6x2x32x1xui8>, tensor<6x2x32x1xui8>, tensor<6x2x32x1xui8>, tensor<6x2x32x1xui8>, tensor<6x2x32x1xui8>, tensor<6x2x32x1xui8>, tensor<6x2x32x1xui8>) -> tensor<6x2x32x8xui8>
    %58 = stablehlo.slice %arg0 [0:6, 0:2, 48:176] : (tensor<6x2x176xui8>) -> tensor<6x2x128xui8>
    %59 = stablehlo.reshape %58 : (tensor<6x2x128xui8>) -> tensor<6x2x4x32xui8>
    %c_23 = stablehlo.constant dense<15> : tensor<ui8>
    %60 = stablehlo.broadcast_in_dim %c_23, dims = [] : (tensor<ui8>) -> tensor<6x2x4x32xui8>
    %61 = stablehlo.and %59, %60 : tensor<6x2x4x32xui8>
    %c_24 = stablehlo.constant dense<4> : tensor<ui8>
    %62 = stablehlo.broadcast_in_dim %c_24, dims = [] : (tensor<ui8>) -> tensor<6x2x4x32xui8>
    %63 = stablehlo.shift_right_logical %59, %62 : tensor<6x2x4x32xui8>
    %64 = stablehlo.broadcast_in_dim %61, dims = [0, 1, 2, 3] : (tensor<6x2x4x32xui8>) -> tensor<6x2x4x32x1xui8>
    %65 = stablehlo.broadcast_in_dim %63, dims = [0, 1, 2, 3] : (tensor<6x2x4x32xui8>) -> tensor<6x2x4x32x1xui8>
    %66 = stablehlo.concatenate %64, %65, dim = 4 : (tensor<6x2x4x32x1xui8>, tensor<6x2x4x32x1xui8>) -> tensor<6x2x4x32x2xui8>
    %67 = stablehlo.transpose %66, dims = [0, 1, 3, 2, 4] : (tensor<6x2x4x32x2xui8>) -> tensor<6x2x32x4x2xui8>
    %68 = stablehlo.reshape %67 : (tensor<6x2x32x4x2xui8>) -> tensor<6x2x32x8xui8>
    %69 = stablehlo.or %68, %57 : tensor<6x2x32x8xui8>
    %70 = stablehlo.slice %arg0 [0:6, 0:2, 4:8] : (tensor<6x2x176xui8>) -> tensor<6x2x4xui8>
    %71 = stablehlo.slice %arg0 [0:6, 0:2, 8:12] : (tensor<6x2x176xui8>) -> tensor<6x2x4xui8>
    %72 = stablehlo.slice %arg0 [0:6, 0:2, 12:16] : (tensor<6x2x176xui8>) -> tensor<6x2x4xui8>
    %c_25 = stablehlo.constant dense<15> : tensor<ui8>
    %73 = stablehlo.broadcast_in_dim %c_25, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %74 = stablehlo.and %72, %73 : tensor<6x2x4xui8>
    %c_26 = stablehlo.constant dense<6> : tensor<ui8>
    %75 = stablehlo.broadcast_in_dim %c_26, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %76 = stablehlo.shift_right_logical %70, %75 : tensor<6x2x4xui8>
    %c_27 = stablehlo.constant dense<4> : tensor<ui8>
    %77 = stablehlo.broadcast_in_dim %c_27, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %78 = stablehlo.shift_left %76, %77 : tensor<6x2x4xui8>
    %79 = stablehlo.or %74, %78 : tensor<6x2x4xui8>
    %c_28 = stablehlo.constant dense<63> : tensor<ui8>
    %80 = stablehlo.broadcast_in_dim %c_28, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %81 = stablehlo.and %70, %80 : tensor<6x2x4xui8>
    %82 = stablehlo.concatenate %81, %79, dim = 2 : (tensor<6x2x4xui8>, tensor<6x2x4xui8>) -> tensor<6x2x8xui8>
    %83 = stablehlo.convert %82 : (tensor<6x2x8xui8>) -> tensor<6x2x8xf32>
    %c_29 = stablehlo.constant dense<4> : tensor<ui8>
    %84 = stablehlo.broadcast_in_dim %c_29, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %85 = stablehlo.shift_right_logical %72, %84 : tensor<6x2x4xui8>
    %c_30 = stablehlo.constant dense<6> : tensor<ui8>
    %86 = stablehlo.broadcast_in_dim %c_30, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %87 = stablehlo.shift_right_logical %71, %86 : tensor<6x2x4xui8>
    %c_31 = stablehlo.constant dense<4> : tensor<ui8>
    %88 = stablehlo.broadcast_in_dim %c_31, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %89 = stablehlo.shift_left %87, %88 : tensor<6x2x4xui8>
    %90 = stablehlo.or %85, %89 : tensor<6x2x4xui8>
    %c_32 = stablehlo.constant dense<63> : tensor<ui8>
    %91 = stablehlo.broadcast_in_dim %c_32, dims = [] : (tensor<ui8>) -> tensor<6x2x4xui8>
    %92 = stablehlo.and %71, %91 : tensor<6x2x4xui8>
    %93 = stablehlo.concatenate %92, %90, dim = 2 : (tensor<6x2x4xui8>, tensor<6x2x4xui8>) -> tensor<6x2x8xui8>
    %94 = stablehlo.convert %93 : (tensor<6x2x8xui8>) -> tensor<6x2x8xf32>
    %95 = stablehlo.convert %69 : (tensor<6x2x32x8xui8>) -> tensor<6x2x32x8xf32>
    %96 = stablehlo.slice %arg0 [0:6, 0:2, 0:2] : (tensor<6x2x176xui8>) -> tensor<6x2x2xui8>
    %97 = stablehlo.bitcast_convert %96 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %98 = stablehlo.convert %97 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %99 = stablehlo.broadcast_in_dim %98, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x8xf32>
    %100 = stablehlo.multiply %83, %99 : tensor<6x2x8xf32>
    %101 = stablehlo.broadcast_in_dim %100, dims = [0, 1, 3] : (tensor<6x2x8xf32>) -> tensor<6x2x32x8xf32>
    %102 = stablehlo.multiply %95, %101 : tensor<6x2x32x8xf32>
    %103 = stablehlo.slice %arg0 [0:6, 0:2, 2:4] : (tensor<6x2x176xui8>) -> tensor<6x2x2xui8>
    %104 = stablehlo.bitcast_convert %103 : (tensor<6x2x2xui8>) -> tensor<6x2xf16>
    %105 = stablehlo.convert %104 : (tensor<6x2xf16>) -> tensor<6x2xf32>
    %106 = stablehlo.broadcast_in_dim %105, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x8xf32>
    %107 = stablehlo.multiply %94, %106 : tensor<6x2x8xf32>
    %108 = stablehlo.broadcast_in_dim %107, dims = [0, 1, 3] : (tensor<6x2x8xf32>) -> tensor<6x2x32x8xf32>
    %109 = stablehlo.subtract %102, %108 : tensor<6x2x32x8xf32>
    %110 = stablehlo.transpose %109, dims = [0, 1, 3, 2] : (tensor<6x2x32x8xf32>) -> tensor<6x2x8x32xf32>
    %111 = stablehlo.reshape %110 : (tensor<6x2x8x32xf32>) -> tensor<6x2x256xf32>
    %112 = stablehlo.reshape %111 : (tensor<6x2x256xf32>) -> tensor<6x512xf32>
    %113 = stablehlo.reshape %112 : (tensor<6x512xf32>) -> tensor<3x2x512xf32>
    return %113 : tensor<3x2x512xf32>
  }
}
