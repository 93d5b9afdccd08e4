"""Maxout as a layer: the largest of several affine maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

BLOCK = 1 << 18  # elements of z held at a time: 1 MiB of floats, about a second-level cache
DTYPES = ("float16", "bfloat16", "float32", "float64")
Array = np.ndarray[Any, Any]


def maxout_layer(x: Any, W: Any, b: Any, *, out: Array | None = None) -> Array:
    """Maxout layer: y[..., m] = max over k of (x @ W[:, m, k] + b[m, k]).

    Parameters
    ----------
    x : array_like, shape (..., d)
        Inputs; any number of leading axes.
    W : array_like, shape (d, m, k)
        k affine maps into each of m units.
    b : array_like, shape (m, k)
        Their biases.
    out : ndarray, shape (..., m), optional
        Where to write.

    Returns
    -------
    ndarray, shape (..., m)
        Of the common dtype of x, W and b: float16, bfloat16, float32 or float64 (bool and integers: what NumPy makes of
        them with a float; float64 among themselves). Halves are computed in float32 and rounded once.

    Raises
    ------
    TypeError
        If an input is complex, longdouble, a string or an object, or out has another dtype.
    ValueError
        If shapes do not fit, or k is 0; nothing is written.

    Notes
    -----
    NaN wins: where one of the k maps is NaN, y is. Among equal maps the first wins, which matters to the gradient. A
    result of 0 is +0.

    z = x @ W + b, k times as large as the result, never exists as a whole: BLAS computes blocks of at most 2^18 of its
    elements (2 MiB in float64; k, if k alone is more), as many rows as fit with all units, else as many units with one
    row. W is copied if it is not C-contiguous. Unlike elsewhere in actc, the last bits may depend on shapes, because
    BLAS chooses its order of summation by them.

    ``maxout_layer.backward(g, x, W, b)`` returns the gradients (gx, gW, gb) of x, W and b for the gradient g of y. It
    computes z again, in blocks too, and gives all of g to the map that won, none to the others.

    References
    ----------
    .. [1] Goodfellow, Warde-Farley, Mirza, Courville and Bengio 2013, Maxout networks, arXiv:1302.4389.

    Examples
    --------
    |x| is the larger of x and -x:

    >>> actc.maxout_layer([[-2.0], [3.0]], [[[1.0, -1.0]]], [[0.0, 0.0]])
    array([[2.],
           [3.]])
    """
    flat, maps, biases, shape, dtype = _operands("maxout_layer", x, W, b)
    if out is None:
        out = np.empty(shape, dtype)
    elif not isinstance(out, np.ndarray) or out.dtype != dtype:  # type: ignore[redundant-expr]
        found = getattr(out, "dtype", type(out))
        raise TypeError(f"maxout_layer: out must be an ndarray of dtype {dtype}, not {found}")
    elif out.shape != shape or not out.flags.writeable:
        raise ValueError(f"maxout_layer: out must be writeable and of shape {shape}, not {out.shape}")
    beside = not out.flags.c_contiguous or any(np.may_share_memory(out, a) for a in (flat, maps))
    y = np.empty((len(flat), shape[-1]), dtype) if beside else out.reshape(len(flat), shape[-1])
    for rows, units, z in _blocks(flat, maps, biases):
        y[rows, units] = _largest(z)
    if beside:
        out[...] = y.reshape(shape)
    return out


def backward(g: Any, x: Any, W: Any, b: Any) -> tuple[Array, Array, Array]:
    """Gradients of `maxout_layer` with respect to x, W and b.

    Parameters
    ----------
    g : array_like, shape (..., m)
        Gradient with respect to the result.
    x, W, b : array_like
        As in `maxout_layer`.

    Returns
    -------
    gx, gW, gb : ndarray
        Of the shapes of x, W and b, in their common dtype with g. Sums of halves are held in float32.

    Raises
    ------
    TypeError, ValueError
        As in `maxout_layer`; ValueError too if g is not of the result's shape.
    """
    g = np.asarray(g)
    flat, maps, biases, shape, dtype = _operands("maxout_layer.backward", x, W, b, g)
    if g.shape != shape:
        raise ValueError(f"maxout_layer.backward: g must be of shape {shape}, as the result is, not {g.shape}")
    d, m, k = maps.shape
    flat_g, matrix = g.reshape(len(flat), m).astype(maps.dtype, copy=False), maps.reshape(d, m * k)
    gx, gW, gb = np.zeros((len(flat), d), maps.dtype), np.zeros_like(matrix), np.zeros(m * k, maps.dtype)
    for rows, units, z in _blocks(flat, maps, biases):
        _hand_back(z, flat_g[rows, units])
        columns, gz = slice(units.start * k, units.stop * k), z.reshape(len(z), -1)
        with np.errstate(all="ignore"):
            gx[rows] += gz @ matrix[:, columns].T
            gW[:, columns] += flat[rows].T @ gz
            gb[columns] += gz.sum(0)
    with np.errstate(all="ignore"):  # halves round to infinity
        return tuple(  # type: ignore[return-value]
            a.reshape(of).astype(dtype, copy=False) for a, of in ((gx, (*shape[:-1], d)), (gW, (d, m, k)), (gb, (m, k)))
        )


def _operands(name: str, x: Any, W: Any, b: Any, *more: Array) -> tuple[Array, Array, Array, tuple[int, ...], Any]:
    """x as a matrix, W and b, all of the dtype that it is computed in; shape and dtype of the result."""
    x, W, b = np.asarray(x), np.asarray(W), np.asarray(b)
    if W.ndim != 3 or W.shape[2] == 0:
        raise ValueError(f"{name}: W must be of shape (d, m, k) with k > 0, not {W.shape}")
    if x.ndim == 0 or x.shape[-1] != W.shape[0]:
        raise ValueError(f"{name}: x must be of shape (..., {W.shape[0]}) as W is of shape {W.shape}, not {x.shape}")
    if b.shape != W.shape[1:]:
        raise ValueError(f"{name}: b must be of shape {W.shape[1:]} as W is of shape {W.shape}, not {b.shape}")
    for operand in (x, W, b, *more):
        if operand.dtype.kind not in "biu" and operand.dtype.name not in DTYPES:
            raise TypeError(f"{name}: operands must be real, of up to 64 bits, not {operand.dtype}")
    dtype = np.result_type(x, W, b, *more)
    if dtype.kind in "biu":
        dtype = np.dtype(np.float64)
    computed = np.float32 if dtype.itemsize == 2 else dtype.type
    rows = int(np.prod(x.shape[:-1], dtype=np.intp))
    flat = x.reshape(rows, W.shape[0]).astype(computed, copy=False)
    maps = np.ascontiguousarray(W, computed)
    # + 0 makes -0 of the biases 0, and so of all z: whether -0 or 0 came out of a tie would depend on NumPy's loop
    return flat, maps, b.astype(computed) + computed(0), (*x.shape[:-1], W.shape[1]), dtype


def _blocks(x: Array, W: Array, b: Array) -> Iterator[tuple[slice, slice, Array]]:
    """z = x @ W + b, block by block: which rows, which units, and their z of shape (rows, units, k)."""
    d, m, k = W.shape
    units = min(max(BLOCK // k, 1), max(m, 1))
    rows = max(BLOCK // (units * k), 1)
    matrix = W.reshape(d, m * k)
    with np.errstate(all="ignore"):
        for first in range(0, m, units):
            these = slice(first, min(first + units, m))
            for start in range(0, len(x), rows):
                z = x[start : start + rows] @ matrix[:, first * k : these.stop * k]
                z = z.reshape(len(z), -1, k)
                z += b[these]
                yield slice(start, start + rows), these, z


def _largest(z: Array) -> Array:
    """The largest along the last axis, NaN if there is one. In steps along the axis, which is short: z.max(-1) and
    z.argmax(-1) take each row by itself, which is ten times slower for k = 4. There is no -0 to be mistaken for 0."""
    best = z[..., 0].copy()
    for j in range(1, z.shape[-1]):
        np.maximum(best, z[..., j], out=best)
    return best


def _hand_back(z: Array, g: Array) -> None:
    """z becomes its own gradient: g where the map is the first to be largest, or NaN, and 0 elsewhere."""
    best, open_ = _largest(z), np.ones(z.shape[:-1], bool)
    for j in range(z.shape[-1]):
        map_ = z[..., j]
        won = open_ & ((map_ == best) | (map_ != map_))
        open_ &= ~won
        map_[...] = np.where(won, g, 0)


maxout_layer.backward = backward  # type: ignore[attr-defined]
maxout_layer.__module__ = "actc"
backward.__module__, backward.__name__, backward.__qualname__ = "actc", "backward", "maxout_layer.backward"
