"""A pass of a function on tensors: what autograd and torch.compile have to know of it."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch

from actc.interop import _rules


def _array(t: Any) -> Any:
    """A view of a tensor; bfloat16 by its bits, for NumPy knows the type through ml_dtypes only."""
    if not isinstance(t, torch.Tensor):
        return t
    if t.dtype != torch.bfloat16:
        return t.detach().numpy()
    from ml_dtypes import bfloat16

    return t.detach().view(torch.uint16).numpy().view(bfloat16)


def _empty(arrays: Any, name: str, kind: str) -> list[torch.Tensor]:
    like, *others = [a for a in arrays if isinstance(a, torch.Tensor)]
    given = [getattr(a, "shape", ()) for a in arrays]
    if kind == "parameter_backward":
        return [like.new_empty(s, dtype=torch.float64) for s in given[2:]]
    if name not in _rules.ROWS and all(a.shape == like.shape for a in others):  # to find this broadcasting takes 9 us
        return [torch.empty_like(like) for _ in range(_rules.count(name, kind))]
    made = _rules.shapes(name, kind, given, torch.broadcast_shapes)
    return [torch.empty_like(like) if s == like.shape else like.new_empty(s) for s in made]


def _compute(arrays: Any, name: str, kind: str) -> list[torch.Tensor]:
    found = list(map(_array, arrays))
    if kind == "parameter_backward":
        return [torch.from_numpy(np.array(v)) for v in _rules.run(name, kind, *found)]
    results = _empty(arrays, name, kind)
    _rules.run(name, kind, *found, out=tuple(map(_array, results)))
    return results


# As torch.compile sees it, which cannot look into NumPy; called by way of this a function would take 30 us
_OPERATOR = torch.library.custom_op(
    "actc::compute", _compute, mutates_args=(), schema="(Tensor[] a, str n, str k) -> Tensor[]", device_types="cpu"
)
_OPERATOR.register_fake(_empty)


def _run(arrays: Any, name: str, kind: str) -> Any:
    if not torch.compiler.is_compiling():
        return _compute(arrays, name, kind)
    tensors = [a if isinstance(a, torch.Tensor) else torch.tensor(a, dtype=torch.float64) for a in arrays]
    return _OPERATOR(tensors, name, kind)


class _Pass(torch.autograd.Function):  # type: ignore[misc]
    """One pass of one function, by the rules that all libraries share."""

    @staticmethod
    def forward(name: str, kind: str, *arrays: Any) -> Any:
        return tuple(_run(arrays, name, kind))

    # torch binds each call's arguments to the signature, and takes 30 us to find out what it is
    forward.__signature__ = inspect.signature(lambda *arguments: None)  # type: ignore[attr-defined]

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.name, ctx.kind, *arrays = inputs
        arrays.append(output[0] if _rules.keeps_result(ctx.name, ctx.kind) else None)
        ctx.others = [None if isinstance(a, torch.Tensor) else (a,) for a in arrays]
        ctx.save_for_backward(*(a for a in arrays if isinstance(a, torch.Tensor)))

    @staticmethod
    def backward(ctx: Any, *gs: torch.Tensor) -> Any:
        tensors, needed = iter(ctx.saved_tensors), ctx.needs_input_grad[2:]
        *arrays, y = [next(tensors) if other is None else other[0] for other in ctx.others]
        found = _rules.gradients(call, ctx.name, ctx.kind, arrays, y, gs, needed)
        pairs = zip(found, arrays, strict=True)
        return None, None, *(None if d is None else d.sum_to_size(a.shape).to(a.dtype) for d, a in pairs)


def call(name: str, kind: str, *arrays: Any) -> Any:
    """The results of a pass."""
    tracked = torch.is_grad_enabled() and any(isinstance(a, torch.Tensor) and a.requires_grad for a in arrays)
    return _Pass.apply(name, kind, *arrays) if tracked else _run(arrays, name, kind)
