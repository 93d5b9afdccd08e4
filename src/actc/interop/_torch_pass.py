"""A pass of a function on tensors: what autograd and torch.compile have to know of it."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch

from actc.interop import _call


def _array(t: Any) -> Any:
    """A view of a tensor; bfloat16 by its bits, for NumPy knows the type through ml_dtypes only."""
    if not isinstance(t, torch.Tensor):
        return t
    if t.dtype != torch.bfloat16:
        return t.detach().numpy()
    from ml_dtypes import bfloat16

    return t.detach().view(torch.uint16).numpy().view(bfloat16)


def _empty(arrays: Any, *_: str) -> torch.Tensor:
    x, *more = [a for a in arrays if isinstance(a, torch.Tensor)]
    shapes = [a.shape for a in more if a.shape != x.shape]
    shape = torch.broadcast_shapes(x.shape, *shapes) if shapes else x.shape  # broadcasting takes 9 us
    return torch.empty_like(x) if x.shape == shape else x.new_empty(shape)


def _compute(arrays: Any, name: str, kind: str) -> torch.Tensor:
    out = _empty(arrays)
    _call.pass_of(name, kind)(*map(_array, arrays), out=_array(out))
    return out


def _sums(arrays: Any, name: str) -> list[torch.Tensor]:
    """The gradients with respect to the parameters, of g, x and them."""
    found = _call.pass_of(name, "parameter_backward")(*map(_array, arrays))
    return [torch.from_numpy(np.array(v)) for v in found.values()]


# The two as torch.compile sees them, which cannot look into NumPy; called by way of these a function would take 30 us
_OPERATORS = {
    f: torch.library.custom_op(f"actc::{f.__name__}", f, mutates_args=(), schema=schema, device_types="cpu")
    for f, schema in ((_compute, "(Tensor[] a, str n, str k) -> Tensor"), (_sums, "(Tensor[] a, str n) -> Tensor[]"))
}
_OPERATORS[_compute].register_fake(_empty)
_OPERATORS[_sums].register_fake(lambda arrays, name: [a.new_empty(a.shape, dtype=torch.float64) for a in arrays[2:]])


def _run(f: Any, arrays: Any, *names: str) -> Any:
    if not torch.compiler.is_compiling():
        return f(arrays, *names)
    tensors = [a if isinstance(a, torch.Tensor) else torch.tensor(a, dtype=torch.float64) for a in arrays]
    return _OPERATORS[f](tensors, *names)


class _Pass(torch.autograd.Function):  # type: ignore[misc]
    """One pass of one function; f(x, parameters) and backward(g, x, parameters) can be differentiated."""

    @staticmethod
    def forward(name: str, kind: str, *arrays: Any) -> torch.Tensor:
        return _run(_compute, arrays, name, kind)  # type: ignore[no-any-return]

    # torch binds each call's arguments to the signature, and takes 30 us to find out what it is
    forward.__signature__ = inspect.signature(lambda *arguments: None)  # type: ignore[attr-defined]

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: torch.Tensor) -> None:
        ctx.name, ctx.kind, *arrays = inputs
        ctx.numbers = [None if isinstance(a, torch.Tensor) else a for a in arrays]
        ctx.save_for_backward(*(a for a in arrays if isinstance(a, torch.Tensor)))

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> Any:
        tensors, needed = iter(ctx.saved_tensors), ctx.needs_input_grad[2:]
        arrays = [next(tensors) if n is None else n for n in ctx.numbers]
        first = ctx.kind == ""
        if ctx.kind == "second_derivative" or (not first and any(needed[2:])):
            raise NotImplementedError(f"{ctx.name}: actc has no derivative of {ctx.kind} with respect to this")
        x = arrays if first else arrays[1:]
        found: list[Any] = [differentiable(ctx.name, "backward", g, *x)]
        if not first:
            found.append(g * arrays[0] * differentiable(ctx.name, "second_derivative", *x))
        elif any(needed[1:]):
            found += _run(_sums, [g, *x], ctx.name)
        found += [None] * (len(arrays) - len(found))
        each = zip(found, arrays, needed, strict=True)
        return None, None, *(d.sum_to_size(a.shape).to(a.dtype) if wanted else None for d, a, wanted in each)


def differentiable(name: str, kind: str, *arrays: Any) -> torch.Tensor:
    tracked = torch.is_grad_enabled() and any(isinstance(a, torch.Tensor) and a.requires_grad for a in arrays)
    return _Pass.apply(name, kind, *arrays) if tracked else _run(_compute, arrays, name, kind)  # type: ignore[no-any-return]
