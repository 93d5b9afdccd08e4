"""actc inside PyTorch: every function of the C table as an autograd.Function, and as operators of torch.library.

    y = activation(x, "elu", 0.5)                       # differentiable twice, eagerly
    y = torch.ops.actc.activation(x, "elu", [0.5])      # the same to the compiler and to torch.export

Both call the C library through ctypes, which releases the GIL: a C++ extension would save a few microseconds a call.
The second derivative is the library's too, so gradients of gradients cost no finite differences.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

import actc

FORWARD, BACKWARD, SECOND_DERIVATIVE = 0, 2, 5  # enum actc_pass
DTYPES = {torch.float16: 0, torch.bfloat16: 1, torch.float32: 2, torch.float64: 3}  # enum actc_dtype

library = ctypes.CDLL(actc.get_library())
library.actc_find.restype = ctypes.c_void_p
library.actc_find.argtypes = [ctypes.c_char_p]
pointers = ctypes.POINTER(ctypes.c_void_p)
library.actc_apply.argtypes = [
    ctypes.c_void_p, ctypes.c_int, ctypes.c_int, pointers, pointers, ctypes.c_size_t, ctypes.POINTER(ctypes.c_double),
]  # fmt: skip


def run(name: str, which: int, parameters: Sequence[float], *inputs: Tensor) -> Tensor:
    """One pass over tensors of one shape and type; no parameters: the defaults of the table."""
    row = library.actc_find(name.encode())
    if not row:
        raise ValueError(f"actc has no function {name!r}")
    expected = len(actc.elementwise[name].parameters)
    if parameters and len(parameters) != expected:
        raise ValueError(f"{name} takes {expected} parameters, not {len(parameters)}")
    x = inputs[-1]
    if x.device.type != "cpu" or x.dtype not in DTYPES:
        raise TypeError(f"expected a CPU tensor of {', '.join(map(str, DTYPES))}, not {x.dtype} on {x.device}")
    dense = [v.to(x.dtype).expand_as(x).contiguous() for v in inputs]
    result = torch.empty_like(x, memory_format=torch.contiguous_format)
    into = (ctypes.c_void_p * len(dense))(*(v.data_ptr() for v in dense))
    out = (ctypes.c_void_p * 1)(result.data_ptr())
    values = (ctypes.c_double * len(parameters))(*parameters) if parameters else None
    library.actc_apply(row, which, DTYPES[x.dtype], into, out, x.numel(), values)
    return result


# ---- autograd.Function -----------------------------------------------------------------------------------------------


class Activation(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, name, parameters):
        ctx.save_for_backward(x)
        ctx.which = name, parameters
        return run(name, FORWARD, parameters, x)

    @staticmethod
    def backward(ctx, g):
        return Gradient.apply(g, *ctx.saved_tensors, *ctx.which), None, None


class Gradient(torch.autograd.Function):
    """g f'(x), whose own derivatives are f'(x) and g f''(x)."""

    @staticmethod
    def forward(ctx, g, x, name, parameters):
        ctx.save_for_backward(g, x)
        ctx.which = name, parameters
        return run(name, BACKWARD, parameters, g, x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gg):
        g, x = ctx.saved_tensors
        name, parameters = ctx.which
        curvature = run(name, SECOND_DERIVATIVE, parameters, x)
        return run(name, BACKWARD, parameters, gg, x), gg * g * curvature, None, None


def activation(x: Tensor, name: str, *parameters: float) -> Tensor:
    """f(x), f being any function of the table; differentiable twice in x."""
    result: Tensor = Activation.apply(x, name, parameters)
    return result


# ---- torch.library ---------------------------------------------------------------------------------------------------


@torch.library.custom_op("actc::activation", mutates_args=(), device_types="cpu")
def forward_op(x: Tensor, name: str, parameters: Sequence[float]) -> Tensor:
    return run(name, FORWARD, parameters, x)


@torch.library.custom_op("actc::gradient", mutates_args=(), device_types="cpu")
def gradient_op(g: Tensor, x: Tensor, name: str, parameters: Sequence[float]) -> Tensor:
    return run(name, BACKWARD, parameters, g, x)


@torch.library.custom_op("actc::second_derivative", mutates_args=(), device_types="cpu")
def second_derivative_op(x: Tensor, name: str, parameters: Sequence[float]) -> Tensor:
    return run(name, SECOND_DERIVATIVE, parameters, x)


@forward_op.register_fake
@second_derivative_op.register_fake
def _(x: Tensor, name: str, parameters: Sequence[float]) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)


@gradient_op.register_fake
def _(g: Tensor, x: Tensor, name: str, parameters: Sequence[float]) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def remember(ctx, inputs, output):
    *tensors, ctx.name, ctx.parameters = inputs
    ctx.save_for_backward(*tensors)


def forward_backward(ctx, g):
    return gradient_op(g, *ctx.saved_tensors, ctx.name, ctx.parameters), None, None


def gradient_backward(ctx, gg):
    g, x = ctx.saved_tensors
    curvature = second_derivative_op(x, ctx.name, ctx.parameters)
    return gradient_op(gg, x, ctx.name, ctx.parameters), gg * g * curvature, None, None


forward_op.register_autograd(forward_backward, setup_context=remember)
gradient_op.register_autograd(gradient_backward, setup_context=remember)
