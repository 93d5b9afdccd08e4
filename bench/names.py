"""What functions are called elsewhere: texts over the arrays of `cases` and the parameters of actc's functions.

Only what follows neither from the formulas of actc's tables nor from `actc.preset`.
"""

# (function, pass): an expression that beats the formula
NUMPY = {("softplus", "forward"): "np.logaddexp(x, 0, out=y)"}

SCIPY = {
    "sigmoid": "special.expit(x, out=y)",
    "log_sigmoid": "special.log_expit(x, out=y)",
    "softplus": "np.negative(special.log_expit(np.negative(x)), out=y)",
    "silu": "np.multiply(x, special.expit(x), out=y)",
    "gelu": "np.multiply(x, special.ndtr(x), out=y)",
    "glu": "np.multiply(u, special.expit(x), out=y)",
    "softmax": "special.softmax(x, axis=axis)",
    "log_softmax": "special.log_softmax(x, axis=axis)",
    "logsumexp": "special.logsumexp(x, axis=axis)",
}

_SELU = "1.6732632423543772, 1.0507009873554805"

# what f is, and what g f' is; "": no kernel of its own, for autograd to find; None: no gradient
TORCH = {
    "identity": ("y.copy_(x)", "y.copy_(g)"),
    "binary_step": ("torch.heaviside(x, unit, out=y)", None),
    "sigmoid": ("torch.sigmoid(x, out=y)", "aten.sigmoid_backward.grad_input(g, s, grad_input=y)"),
    "tanh": ("torch.tanh(x, out=y)", "aten.tanh_backward.grad_input(g, s, grad_input=y)"),
    "arctan": ("torch.atan(x, out=y)", ""),
    "softsign": ("F.softsign(x)", ""),
    "relu": ("torch.clamp_min(x, 0, out=y)", "aten.threshold_backward.grad_input(g, x, 0, grad_input=y)"),
    "leaky_relu": (
        "nn.leaky_relu(x, negative_slope, out=y)",
        "aten.leaky_relu_backward.grad_input(g, x, negative_slope, False, grad_input=y)",
    ),
    "prelu": ("torch.prelu(x, weight)", "aten._prelu_kernel_backward(g, x, weight)"),
    "elu": (
        "nn.elu(x, alpha, out=y)",
        "aten.elu_backward.grad_input(g, alpha, 1, 1, False, x, grad_input=y)",
    ),
    "selu": (
        f"nn.elu(x, {_SELU}, out=y)",
        f"aten.elu_backward.grad_input(g, {_SELU}, 1, False, x, grad_input=y)",
    ),
    "celu": (
        "nn.elu(x, alpha, 1, 1/alpha, out=y)",
        "aten.elu_backward.grad_input(g, alpha, 1, 1/alpha, False, x, grad_input=y)",
    ),
    "softplus": (
        "nn.softplus(x, beta, 20, out=y)",
        "aten.softplus_backward.grad_input(g, x, beta, 20, grad_input=y)",
    ),
    "silu": ("nn.silu(x, out=y)", "aten.silu_backward.grad_input(g, x, grad_input=y)"),
    "gelu": ("nn.gelu(x, out=y)", "aten.gelu_backward.grad_input(g, x, grad_input=y)"),
    "gelu_tanh": (
        "nn.gelu(x, approximate='tanh', out=y)",
        "aten.gelu_backward.grad_input(g, x, approximate='tanh', grad_input=y)",
    ),
    "mish": ("nn.mish(x, out=y)", "aten.mish_backward(g, x)"),
    "log_sigmoid": ("nn.log_sigmoid(x, out=y)", ""),
    "hard_sigmoid": ("nn.hardsigmoid(x, out=y)", "aten.hardsigmoid_backward.grad_input(g, x, grad_input=y)"),
    "hard_swish": ("nn.hardswish(x, out=y)", "aten.hardswish_backward(g, x)"),
    "hard_tanh": (
        "nn.hardtanh(x, min_val, max_val, out=y)",
        "aten.hardtanh_backward.grad_input(g, x, min_val, max_val, grad_input=y)",
    ),
    "relu6": ("nn.hardtanh(x, 0, 6, out=y)", "aten.hardtanh_backward.grad_input(g, x, 0, 6, grad_input=y)"),
    "thresholded_relu": (
        "torch.threshold(x, theta, 0, out=y)",
        "aten.threshold_backward.grad_input(g, x, theta, grad_input=y)",
    ),
    "threshold": (
        "torch.threshold(x, threshold, value, out=y)",
        "aten.threshold_backward.grad_input(g, x, threshold, grad_input=y)",
    ),
    "softshrink": (
        "nn.softshrink(x, lambd, out=y)",
        "aten.softshrink_backward.grad_input(g, x, lambd, grad_input=y)",
    ),
    "hardshrink": (
        "torch.hardshrink(x, lambd, out=y)",
        "aten.hardshrink_backward.grad_input(g, x, lambd, grad_input=y)",
    ),
    "tanhshrink": ("torch.sub(x, torch.tanh(x, out=t), out=y)", ""),
    "relu_squared": ("torch.square(torch.clamp_min(x, 0, out=t), out=y)", ""),
    "exponential": ("torch.exp(x, out=y)", ""),
    "sinusoid": ("torch.sin(x, out=y)", ""),
    "glu": ("nn.glu(ux, 0, out=y)", "aten.glu_backward.grad_input(g, ux, 0, grad_input=yd)"),
    "reglu": (
        "torch.mul(u, torch.clamp_min(x, 0, out=t), out=y)",
        "(torch.mul(g, torch.clamp_min(x, 0, out=t), out=y), "
        "aten.threshold_backward.grad_input(torch.mul(g, u, out=t), x, 0, grad_input=d))",
    ),
    "bilinear": ("torch.mul(u, x, out=y)", "(torch.mul(g, x, out=y), torch.mul(g, u, out=d))"),
    **{
        gate: (
            f"torch.mul(u, nn.{f}(x{mode}, out=t), out=y)",
            f"(torch.mul(g, nn.{f}(x{mode}, out=t), out=y), "
            f"aten.{f}_backward.grad_input(torch.mul(g, u, out=t), x{mode}, grad_input=d))",
        )
        for gate, f, mode in (
            ("swiglu", "silu", ""),
            ("geglu", "gelu", ""),
            ("geglu_tanh", "gelu", ", approximate='tanh'"),
        )
    },
    "softmax": (
        "torch.softmax(x, axis, out=y)",
        "aten._softmax_backward_data.out(g, s, axis, x.dtype, grad_input=y)",
    ),
    "log_softmax": (
        "torch.log_softmax(x, axis, out=y)",
        "aten._log_softmax_backward_data.out(g, s, axis, x.dtype, out=y)",
    ),
    "logsumexp": ("torch.logsumexp(x, axis, out=y)", ""),
    "standardize": ("torch.layer_norm(x, x.shape[-1:], None, None, eps)", ""),
}
# layer_norm knows the last axes only; along the first one it is what batch_norm does in training
TORCH_COLUMNS = "torch.batch_norm(x, None, None, None, None, True, 0.1, eps, False)"

# swish is silu there; hard_swish and hard_sigmoid have other slopes
THINC = {
    "relu": ("ops.relu(x)", "ops.backprop_relu(g, s)"),
    "sigmoid": ("ops.sigmoid(x)", "ops.backprop_sigmoid(g, s)"),
    "silu": ("ops.swish(x)", "ops.backprop_swish(g, x, s)"),
    "gelu": ("ops.gelu(x)", "ops.backprop_gelu(g, x)"),
    "gelu_tanh": ("ops.gelu_approx(x)", "ops.backprop_gelu_approx(g, x)"),
    "mish": ("ops.mish(x)", "ops.backprop_mish(g, x)"),
    "dish": ("ops.dish(x)", "ops.backprop_dish(g, x)"),
    "hard_sigmoid_onnx": ("ops.hard_sigmoid(x)", "ops.backprop_hard_sigmoid(g, x)"),
    "hard_swish": ("ops.hard_swish_mobilenet(x)", "ops.backprop_hard_swish_mobilenet(g, x)"),
    "hard_tanh": ("ops.hard_tanh(x)", "ops.backprop_hard_tanh(g, x)"),
    "relu6": ("ops.relu_k(x)", "ops.backprop_relu_k(g, x)"),
    "softmax": ("ops.softmax(x, axis=axis)", "ops.backprop_softmax(s, g, axis=axis)"),
}

# the others follow from actc.preset("jax") and the formulas
JAX = {
    "softmax": "nn.softmax(x, axis=axis)",
    "log_softmax": "nn.log_softmax(x, axis=axis)",
    "logsumexp": "nn.logsumexp(x, axis=axis)",
    "standardize": "nn.standardize(x, axis=axis, epsilon=eps)",
    "gelu": "nn.gelu(x, approximate=False)",
    "gelu_tanh": "nn.gelu(x)",
    "glu": "u * nn.sigmoid(x)",
    "reglu": "u * nn.relu(x)",
    "swiglu": "u * nn.silu(x)",
    "geglu": "u * nn.gelu(x, approximate=False)",
    "geglu_tanh": "u * nn.gelu(x)",
}

# operators with their inputs, and attributes as keywords; the others follow from actc.preset("onnx")
ONNX = {
    "prelu": "PRelu(x, alpha)",
    "silu": "microsoft.QuickGelu(x, alpha=1.0)",
    "gelu_quick": "microsoft.QuickGelu(x, alpha=1.702)",
    "gelu": "Gelu(x)",
    "gelu_tanh": "Gelu(x, approximate='tanh')",
    "hard_tanh": "Clip(x, min_val, max_val)",
    "relu6": "Clip(x, 0.0, 6.0)",
    "softshrink": "Shrink(x, lambd=lambd, bias=lambd)",
    "hardshrink": "Shrink(x, lambd=lambd)",
    "tanhshrink": "Sub(x, Tanh(x))",
    "glu": "Mul(u, Sigmoid(x))",
    "reglu": "Mul(u, Relu(x))",
    "geglu": "Mul(u, Gelu(x))",
    "geglu_tanh": "Mul(u, Gelu(x, approximate='tanh'))",
    "swiglu": "Mul(u, microsoft.QuickGelu(x, alpha=1.0))",
    "bilinear": "Mul(u, x)",
    "softmax": "Softmax(x, axis=axis)",
    "log_softmax": "LogSoftmax(x, axis=axis)",
    "logsumexp": "ReduceLogSumExp(x, axes, keepdims=0)",
    "standardize": "LayerNormalization(x, weight, axis=axis, epsilon=eps)",
}
