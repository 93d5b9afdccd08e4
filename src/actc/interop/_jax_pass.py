"""A pass of a function on JAX arrays, computed on the host, with the rule by which JAX differentiates it."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from actc.interop import _rules


def _fit(d: Any, like: Any) -> Any:
    """Summed over the axes along which `like` was broadcast."""
    return d if d.shape == like.shape else jax.vjp(lambda a: jnp.broadcast_to(a, d.shape), like)[1](d)[0]


@functools.lru_cache(4096)  # one function for each, for by it JAX finds what it has compiled
def _differentiable(name: str, kind: str, numbers: tuple[str | None, ...]) -> Any:
    """The pass of arrays; `numbers` are the operands that are none, hexadecimal, for 0.0 == -0.0."""
    places = [i for i, n in enumerate(numbers) if n is None]
    sums, rows = kind == "parameter_backward", name in _rules.ROWS
    method = "sequential" if sums else "broadcast_all" if rows else "expand_dims"

    def operands(arrays: Any) -> list[Any]:
        rest = iter(arrays)
        return [next(rest) if n is None else float.fromhex(n) for n in numbers]

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def f(*arrays: Any) -> Any:
        shapes = _rules.shapes(name, kind, list(map(np.shape, operands(arrays))), jnp.broadcast_shapes)
        like = [getattr(p, "dtype", arrays[0].dtype) for p in operands(arrays)[2:]] if sums else [arrays[0].dtype] * 2
        results = [jax.ShapeDtypeStruct(s, t) for s, t in zip(shapes, like, strict=False)]

        def host(*given: Any) -> Any:
            found = _rules.run(name, kind, *operands(map(np.asarray, given)))
            return [np.asarray(v, r.dtype) for v, r in zip(found, results, strict=True)]

        if not rows and not sums:  # vmap puts an axis in front of each
            rank = max(a.ndim for a in arrays)
            arrays = tuple(a.reshape((1,) * (rank - a.ndim) + a.shape) for a in arrays)
        return jax.pure_callback(host, results, *arrays, vmap_method=method)

    def forward(*arrays: Any) -> Any:
        covered = _rules.covered(name, kind, len(numbers))
        if any(a.perturbed for a, i in zip(arrays, places, strict=True) if i not in covered):
            raise NotImplementedError(f"{name}: actc has no derivative of {kind or name} with respect to this")
        given = tuple(a.value for a in arrays)
        y = f(*given)
        return y, (given, y[0] if _rules.keeps_result(name, kind) else None)

    def backward(saved: Any, gs: Any) -> Any:
        given, y = saved
        zero = jax.custom_derivatives.SymbolicZero
        gs = [jnp.zeros(g.shape, g.dtype) if isinstance(g, zero) else g for g in gs]
        covered = _rules.covered(name, kind, len(numbers))
        needed = [i in covered and i in places for i in range(len(numbers))]
        found = _rules.gradients(call, name, kind, operands(given), y, gs, needed)
        pairs = zip((found[i] for i in places), given, strict=True)
        return tuple(jnp.zeros_like(a) if d is None else _fit(d, a).astype(a.dtype) for d, a in pairs)

    f.defvjp(forward, backward, symbolic_zeros=True)
    return f


def call(name: str, kind: str, *given: Any) -> Any:
    """The results of a pass. A number stays one: JAX would round it to float32."""
    numbers = tuple(float(p).hex() if isinstance(p, (int, float, np.generic)) else None for p in given)
    arrays = (jnp.asarray(p) for p, n in zip(given, numbers, strict=True) if n is None)
    return _differentiable(name, kind, numbers)(*arrays)
