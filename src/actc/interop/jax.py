"""Differentiable functions of JAX arrays, computed on the host: see `help(actc.interop)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from actc.interop import _call, _jax_pass


def _check(name: str, x: Any) -> Any:
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"{name}() takes an array of floating-point numbers, not of {x.dtype}")
    return x


_FUNCTIONS = _call.functions(__name__, _jax_pass.call, _check, jnp.moveaxis)
if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # functions come from the tables


globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)
