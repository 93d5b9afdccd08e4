"""Differentiable functions for HIPS autograd: see `help(actc.interop)`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import autograd.numpy as anp
from autograd.extend import defjvp_argnums, defvjp_argnums, primitive
from autograd.numpy.numpy_vjps import unbroadcast

import actc
from actc.interop import _call, _rules


class _Results:
    """Of a pass, each a primitive of its own, for autograd's primitives have one result."""

    def __init__(self, *given: Any) -> None:
        self._given = given

    def __getitem__(self, i: int) -> Any:
        name, kind, *arrays = self._given
        return _primitive(name, kind, i)(*arrays)


@functools.cache
def _primitive(name: str, kind: str, i: int) -> Any:
    f = primitive(lambda *arrays: _rules.run(name, kind, *arrays)[i])

    def gradients(argnums: Any, arrays: Any, y: Any, g: Any) -> list[Any]:
        gs = [g if j == i else 0.0 for j in range(2)]
        needed = [j in argnums for j in range(len(arrays))]
        found = _rules.gradients(_Results, name, kind, arrays, y, gs, needed)
        return [found[j] for j in argnums]

    def reverse(argnums: Any, y: Any, arrays: Any, _: Any) -> Any:
        metas = [anp.metadata(arrays[j]) for j in argnums]
        return lambda g: map(unbroadcast, gradients(argnums, arrays, y, g), metas)

    def forward(argnums: Any, tangents: Any, y: Any, arrays: Any, _: Any) -> Any:
        """The same products, where each element has a derivative of its own."""
        if name not in actc.elementwise or max(argnums) > (kind == "backward"):
            raise NotImplementedError(f"{name}: actc has no derivative of forward mode with respect to this")
        return sum(gradients([j], arrays, y, t)[0] for j, t in zip(argnums, tangents, strict=True))

    defvjp_argnums(f, reverse)
    defjvp_argnums(f, forward)
    return f


_FUNCTIONS = _call.functions(__name__, _Results, lambda name, x: x, anp.moveaxis)
if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # functions come from the tables


globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)
