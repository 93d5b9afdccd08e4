"""Differentiable functions of JAX arrays, computed on the host: see `help(actc.interop)`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from actc.interop import _call


def _elementwise(host: Any, arrays: Any) -> Any:
    rank = max(a.ndim for a in arrays)
    aligned = [a.reshape((1,) * (rank - a.ndim) + a.shape) for a in arrays]  # vmap puts an axis in front of each
    result = jax.ShapeDtypeStruct(jnp.broadcast_shapes(*(a.shape for a in arrays)), arrays[0].dtype)
    return jax.pure_callback(host, result, *aligned, vmap_method="expand_dims")


def _fit(d: Any, like: Any) -> Any:
    """Summed over the axes along which `like` was broadcast."""
    return d if d.shape == like.shape else jax.vjp(lambda a: jnp.broadcast_to(a, d.shape), like)[1](d)[0]


@functools.lru_cache(1024)  # one host function for each, for by it JAX finds what it has compiled
def _differentiable(name: str, kind: str, numbers: tuple[str | None, ...]) -> Any:
    """f(x, arrays) or backward(g, x, arrays), with its rule; `numbers` are hexadecimal, for 0.0 == -0.0."""

    def host(*given: Any, kind: str = kind) -> Any:
        arrays = list(map(np.asarray, given))
        inputs = len(arrays) - numbers.count(None)
        rest = iter(arrays[inputs:])
        parameters = [next(rest) if n is None else float.fromhex(n) for n in numbers]
        return _call.pass_of(name, kind)(*arrays[:inputs], *parameters)

    def sums(*given: Any) -> Any:
        found = zip(host(*given, kind="parameter_backward").values(), numbers, strict=True)
        asked = (d for d, n in found if n is None)
        return [np.asarray(d, p.dtype) for d, p in zip(asked, given[2:], strict=True)]

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def f(*arrays: Any) -> Any:
        return _elementwise(host, arrays)

    def forward(*arrays: Any) -> Any:
        if any(a.perturbed for a in {"": (), "backward": arrays[2:]}.get(kind, arrays)):
            raise NotImplementedError(f"{name}: actc has no derivative of {kind} with respect to this")
        return f(*(a.value for a in arrays)), tuple(a.value for a in arrays)

    def backward(arrays: Any, g: Any) -> Any:
        g = jnp.zeros(g.shape, g.dtype) if isinstance(g, jax.custom_derivatives.SymbolicZero) else g
        x = arrays[1:] if kind else arrays
        found = [_differentiable(name, "backward", numbers)(g, *x)]
        if kind:
            found.append(g * arrays[0] * _differentiable(name, "second_derivative", numbers)(*x))
            found += map(jnp.zeros_like, arrays[2:])  # which nobody asks for: see above
        elif len(arrays) > 1:
            shapes = [jax.ShapeDtypeStruct(p.shape, p.dtype) for p in arrays[1:]]
            found += jax.pure_callback(sums, shapes, g, *arrays, vmap_method="sequential")
        return tuple(_fit(d, a) for d, a in zip(found, arrays, strict=True))

    f.defvjp(forward, backward, symbolic_zeros=True)
    return f


def _function(name: str) -> Any:
    def function(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        x = jnp.asarray(x)
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise TypeError(f"{name}() takes an array of floating-point numbers, not of {x.dtype}")
        given = _call.values(name, args, kwargs).values()
        # A number stays one: JAX would round it to float32
        numbers = tuple(float(p).hex() if isinstance(p, (int, float, np.generic)) else None for p in given)
        arrays = [jnp.asarray(p) for p, n in zip(given, numbers, strict=True) if n is None]
        return _differentiable(name, "", numbers)(x, *arrays)

    return function


_FUNCTIONS = _call.functions(__name__, _function)
if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...  # functions and classes come from the table


globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)
