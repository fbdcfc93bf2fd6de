"""Small modules that the tests run."""

ADD_INTO = """\
module @m {
  func.func public @main(%arg0: tensor<4xf32> loc("x"), %arg1: tensor<4xf32> {tf.aliasing_output = 1 : i32} loc("state")) -> (tensor<4xf32>, tensor<4xf32>) {
    %0 = stablehlo.add %arg0, %arg1 : tensor<4xf32>
    %1 = stablehlo.multiply %arg0, %arg1 : tensor<4xf32>
    return %0, %1 : tensor<4xf32>, tensor<4xf32>
  }
}
"""


def unary(line: str, *, source: str = "4xf32", target: str = "4xf32") -> str:
    """A module of one operation, which takes %arg0 and makes %0."""
    return f"""\
module @m {{
  func.func public @main(%arg0: tensor<{source}>) -> tensor<{target}> {{
    {line}
    return %0 : tensor<{target}>
  }}
}}
"""


def identity(kind: str) -> str:
    """A module that copies a tensor."""
    return unary(f"%0 = stablehlo.reshape %arg0 : (tensor<{kind}>) -> tensor<{kind}>", source=kind, target=kind)


def doubled(kind: str = "4xf32") -> str:
    """A module that adds a tensor to itself."""
    return unary(f"%0 = stablehlo.add %arg0, %arg0 : tensor<{kind}>", source=kind, target=kind)
