"""What goes wrong in a network, as numbers: zeros, dead and saturated units, drifting moments, vanishing gradients.

`f` is a function of `actc.functions` or its name, keyword parameters are its own (the hinges a and b of apl too); `z`
is what goes into it, `y` what comes out, with the samples of a batch along axis 0. Everything is counted and summed in
float64. crelu makes two elements of one, along the last axis: both are counted.

The scripts in examples/ put these to the claims that are made about activation functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from actc._gain import find, gain

__all__ = ["Moments", "dead_units", "gradient_attenuation", "moments", "preactivations", "saturation", "sparsity"]

Array: TypeAlias = np.ndarray[Any, Any]
Axis: TypeAlias = int | tuple[int, ...] | None


class Moments(NamedTuple):
    """Mean and variance, each a float or an ndarray."""

    mean: Any
    variance: Any


def sparsity(y: Any, axis: Axis = None) -> Any:
    """Share of exact zeros, of either sign.

    Parameters
    ----------
    y : array_like
        Activations. One-sided functions (relu) make true zeros; small values are none.
    axis : int or tuple of ints, optional
        Over which axes; all by default.

    Returns
    -------
    float or ndarray
        From 0 to 1. NaN counts as no zero.

    Raises
    ------
    ValueError
        If there is nothing to count.
    TypeError
        If y does not hold real numbers.
    """
    return _share(_real(y) == 0, axis)


def dead_units(f: Any, z: Any, axis: Axis = 0, **parameters: float) -> Any:
    """Which units are dead: f'(z) is 0 for every sample, so that no gradient reaches their weights.

    Parameters
    ----------
    f : str or ufunc
    z : array_like, shape (samples, ..., units)
        What goes into f. A unit dead on one batch may live on another: take a large one.
    axis : int or tuple of ints, default 0
        The axes of the samples; for images the pixels' too.
    **parameters : float
        Parameters of f.

    Returns
    -------
    ndarray of bool
        Of z's shape without the axes; its mean is the share of dead units.

    Notes
    -----
    f' is 0 on a half-line for relu, and nowhere for leaky_relu with a slope; for functions with a tail, as elu's, it is
    where it is less than the least number of z's type (elu in float32: z < -104).
    """
    slope = find(f).derivative(np.asarray(z), **parameters)
    _not_empty(slope, axis)
    return np.all(slope == 0, axis=axis)


def saturation(f: Any, z: Any, threshold: float = 0.05, axis: Axis = None, **parameters: float) -> Any:
    """Share of inputs at which f is flat: |f'(z)| is at most `threshold` times the slope that is usual for f.

    Parameters
    ----------
    f : str or ufunc
    z : array_like
        What goes into f.
    threshold : float, default 0.05
        How much less than usual; not negative. 0 counts slopes that are exactly 0.
    axis : int or tuple of ints, optional
        Over which axes; all by default.
    **parameters : float
        Parameters of f.

    Returns
    -------
    float or ndarray
        From 0 to 1. NaN counts as not saturated.

    Notes
    -----
    The usual slope is the root of E[f'(n)^2], n standard normal: one over `actc.init.gain(f, "backward")`, 0.21 for
    sigmoid and 0.68 for tanh, so that by default sigmoid is saturated where |z| > 4.5 and tanh where |z| > 2.4, as one
    function is the other's scaled twin. The largest slope, which is the other candidate, is infinite for relu_squared
    and the like, and in no relation to the rest of a function whose steepest piece is short. A function that is flat
    everywhere (binary_step) is always saturated.
    """
    if not threshold >= 0:
        raise ValueError(f"threshold must not be negative, not {threshold!r}")
    usual = 1 / gain(f, "backward", **parameters)
    slope = np.abs(np.asarray(find(f).derivative(np.asarray(z), **parameters), np.float64))
    return _share(slope <= threshold * usual, axis)


def moments(y: Any, axis: Axis = None) -> Moments:
    """Mean and variance of activations (the population's: divided by n).

    Parameters
    ----------
    y : array_like
    axis : int or tuple of ints, optional
        Over which axes; all by default. Axis 0 gives those of each unit.

    Returns
    -------
    Moments
        The named pair (mean, variance) of floats or ndarrays, float64. NaN makes both NaN; with an infinity the
        variance is NaN and the mean that infinity, NaN where there are both.

    Raises
    ------
    ValueError
        If there is nothing to take the mean of.
    TypeError
        If y does not hold real numbers.
    """
    y = _real(y)
    _not_empty(y, axis)
    wide = y.astype(np.float64, copy=False)
    with np.errstate(all="ignore"):
        return Moments(wide.mean(axis)[()], wide.var(axis)[()])


def preactivations(f: Any, weights: Sequence[Any], x: Any, **parameters: float) -> list[Array]:
    """What goes into f in each layer of the network z[i] = y[i] @ weights[i], y[i + 1] = f(z[i]), y[0] = x.

    Parameters
    ----------
    f : str or ufunc
    weights : sequence of array_like, shapes (inputs, outputs)
        As `actc.init` makes them with ``layout="keras"``.
    x : array_like, shape (samples, inputs)
    **parameters : float
        Parameters of f.

    Returns
    -------
    list of ndarray, shapes (samples, outputs)
        One for each layer; `f` of each is what comes out.

    Raises
    ------
    ValueError
        If shapes do not fit; the message says which layer's.
    """
    function, y, found = find(f), np.asarray(x), []
    if y.ndim != 2:
        raise ValueError(f"x must be of shape (samples, inputs), not {y.shape}")
    for i, w in enumerate(weights):
        w = np.asarray(w)
        if w.ndim != 2 or w.shape[0] != y.shape[1]:
            raise ValueError(f"weights[{i}] must be of shape ({y.shape[1]}, outputs), not {w.shape}")
        with np.errstate(all="ignore"):
            found.append(y @ w)
        y = function(found[-1], **parameters)
    return found


def gradient_attenuation(
    f: Any, weights: Sequence[Any], x: Any, g: Any = None, *, rng: Any = None, **parameters: float
) -> Array:
    """What is left of a gradient on its way back through a network, layer by layer.

    Parameters
    ----------
    f : str or ufunc
    weights : sequence of array_like, shapes (inputs, outputs)
    x : array_like, shape (samples, inputs)
        The network is that of `preactivations`.
    g : array_like, shape (samples, outputs of the last layer), optional
        Gradient of the network's result; by default standard normal numbers.
    rng : None, int, SeedSequence, BitGenerator or Generator
        Where g is drawn from: see `actc.init`.
    **parameters : float
        Parameters of f.

    Returns
    -------
    ndarray, shape (layers + 1,)
        Root mean square of the gradient with respect to y[0] = x, y[1] ... y[layers], divided by the last, that of g.
        Vanishing: [0] is near 0; exploding: it is large.

    Notes
    -----
    With weights of variance s^2/outputs and normally distributed z each layer multiplies it by s times the root of
    E[f'(z)^2], which at unit variance of z is s/gain(f, "backward").

    References
    ----------
    .. [1] Hochreiter 1991, Untersuchungen zu dynamischen neuronalen Netzen.
    .. [2] Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward networks.
    """
    function, zs = find(f), preactivations(f, weights, x, **parameters)
    if not zs:
        raise ValueError("weights is empty: a network needs a layer")
    shape = function(zs[-1], **parameters).shape
    g = np.random.default_rng(rng).standard_normal(shape) if g is None else np.asarray(g, np.float64)
    if g.shape != shape:
        raise ValueError(f"g must be of shape {shape}, as the network's result is, not {g.shape}")
    sizes = [_size(g)]
    with np.errstate(all="ignore"):
        for z, w in zip(reversed(zs), reversed(weights), strict=True):
            g = function.backward(g, z.astype(np.float64, copy=False), **parameters) @ np.asarray(w, np.float64).T
            sizes.append(_size(g))
        return np.array(sizes[::-1]) / sizes[0]


def _real(y: Any) -> Array:
    array: Array = np.asarray(y)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise TypeError(f"y must hold real numbers, not {array.dtype}")
    return array


def _size(g: Array) -> float:
    """Root mean square; scaled first, as the squares of a vanished gradient would underflow."""
    largest = float(np.max(np.abs(g), initial=0))
    return largest * float(np.sqrt(np.mean((g / largest) ** 2))) if 0 < largest < np.inf else largest


def _share(counted: Array, axis: Axis) -> Any:
    _not_empty(counted, axis)
    return np.mean(counted, axis=axis)


def _not_empty(a: Any, axis: Axis) -> None:
    shape = np.shape(a)
    axes = range(len(shape)) if axis is None else normalize_axis_tuple(axis, len(shape))
    if any(shape[i] == 0 for i in axes):
        raise ValueError(f"nothing to count: shape {shape}, axis {axis}")
