"""Initial weights: random, orthogonal, sparse and identity, with the gain of every activation function.

>>> rng = np.random.default_rng(0)
>>> w = actc.init.he_normal((512, 784), gain="gelu", rng=rng)              # torch's (out, in, *kernel)
>>> v = actc.init.xavier_uniform((784, 512), layout="keras", rng=rng)      # (*kernel, in, out), as x @ v wants it

All take `rng`, `dtype` and `out`:

rng : None, int, SeedSequence, BitGenerator or Generator, default None
    What `numpy.random.default_rng` takes: None draws afresh, an int or a SeedSequence gives the same weights each time,
    a Generator goes on where it is. Give one Generator, not one int, to the layers of a network: equal seeds make
    equal weights. The streams are NumPy's, and as stable as those.
dtype : float16, bfloat16, float32 or float64, default float32 (that of `out`, where given)
    Numbers are drawn as float64 and then converted, so that a seed gives the same weights in every type.
out : ndarray, optional
    Where to write, of the given shape.

They raise ValueError for a negative or mismatched shape and for parameters out of range, TypeError for other types;
nothing is written then.

Names are PyTorch's; `glorot_*` is `xavier_*` and `kaiming_*` is `he_*`. What Keras and JAX call glorot_normal,
he_normal and lecun_normal is truncated: here xavier_truncated_normal and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from actc._draw import (
    Array,
    Layout,
    axes_of,
    finite,
    generator_of,
    normal,
    sizes_of,
    target_of,
    truncated_normal,
    uniform,
    write,
)
from actc._gain import gain

__all__ = [
    "fans", "gain", "glorot_normal", "glorot_truncated_normal", "glorot_uniform", "he_normal", "he_truncated_normal",
    "he_uniform", "identity", "kaiming_normal", "kaiming_truncated_normal", "kaiming_uniform", "lecun_normal",
    "lecun_truncated_normal", "lecun_uniform", "normal", "orthogonal", "sparse", "truncated_normal", "uniform",
    "variance_scaling", "xavier_normal", "xavier_truncated_normal", "xavier_uniform",
]  # fmt: skip

Gain: TypeAlias = float | str | Callable[..., Any]

MODES: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda i, o: i,
    "fan_out": lambda i, o: o,
    "fan_avg": lambda i, o: (i + o) / 2,
    "fan_geo_avg": lambda i, o: math.sqrt(i) * math.sqrt(o),
}


# ---- by fans ---------------------------------------------------------------------------------------------------------


def fans(shape: Sequence[int], layout: Layout = "torch") -> tuple[int, int]:
    """How many inputs a unit has, and into how many units an input goes.

    Parameters
    ----------
    shape : tuple of ints
        Of the weights, at least two axes; the axes other than inputs and outputs are the kernel.
    layout : {"torch", "keras"} or (int, int), default "torch"
        Which axes are which: "torch" is (out, in, *kernel), "keras" and JAX's (*kernel, in, out); or the axes of the
        inputs and of the outputs themselves.

    Returns
    -------
    fan_in, fan_out : int
        Each with the kernel's size as a factor.
    """
    sizes = sizes_of(shape)
    i, o = axes_of(sizes, layout)
    kernel = math.prod(n for axis, n in enumerate(sizes) if axis not in (i, o))
    return kernel * sizes[i], kernel * sizes[o]


def variance_scaling(
    shape: Sequence[int], distribution: str = "normal", mode: str = "fan_in", gain: Gain = 1.0, *,
    layout: Layout = "torch", rng: Any = None, dtype: Any = None, out: Array | None = None,
) -> Array:  # fmt: skip
    """Weights of mean 0 and standard deviation gain/sqrt(fan).

    Parameters
    ----------
    shape : tuple of ints
        At least two axes.
    distribution : {"normal", "uniform", "truncated_normal"}, default "normal"
        Uniform: within +-sqrt(3) gain/sqrt(fan). Truncated: see `truncated_normal`, bound 2.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}, default "fan_in"
        Which fan: inputs, outputs, their arithmetic or their geometric mean.
    gain : float, str or ufunc, default 1
        A number, or an activation function or its name, for `actc.init.gain` of it (forward, default parameters).
    layout : {"torch", "keras"} or (int, int), default "torch"
        Which axes are inputs and outputs: see `fans`.
    rng, dtype, out
        See `actc.init`.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        For a fan of 0 (fan_avg: either of them), fewer than two axes, an unknown distribution, mode, layout or
        function, or a gain that is not positive and finite.
    """
    factor = _gain(gain)
    target = target_of(shape, dtype, out)
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    if distribution not in DISTRIBUTIONS:
        raise ValueError(f"distribution must be one of {', '.join(DISTRIBUTIONS)}, not {distribution!r}")
    fan_in, fan_out = fans(target.shape, layout)
    zero = "fan_in" if fan_in == 0 else "fan_out" if fan_out == 0 else ""
    if MODES[mode](fan_in, fan_out) == 0 or (zero and mode == "fan_avg"):
        raise ValueError(f"{mode} of shape {target.shape}: {zero} is 0, so that gain/sqrt(fan) has no meaning")
    return DISTRIBUTIONS[distribution](target, factor / math.sqrt(MODES[mode](fan_in, fan_out)), rng)


DISTRIBUTIONS: dict[str, Callable[[Array, float, Any], Array]] = {
    "normal": lambda to, std, rng: normal(to.shape, std=std, rng=rng, out=to),
    "uniform": lambda to, std, rng: uniform(to.shape, -math.sqrt(3) * std, math.sqrt(3) * std, rng=rng, out=to),
    "truncated_normal": lambda to, std, rng: truncated_normal(to.shape, std=std, rng=rng, out=to),
}


def _gain(value: Gain) -> float:
    number = value if isinstance(value, (int, float, np.integer, np.floating)) else gain(value)
    return finite("gain", float(number), positive=True)


def _family(
    family: str, mode: str, gain: Gain, reference: str
) -> tuple[Callable[..., Array], Callable[..., Array], Callable[..., Array]]:
    """The uniform, the normal and the truncated normal initialiser of one paper."""
    default_mode, default_gain = mode, gain

    def make(distribution: str) -> Callable[..., Array]:
        def initialise(
            shape: Sequence[int], gain: Gain = default_gain, mode: str = default_mode, *,
            layout: Layout = "torch", rng: Any = None, dtype: Any = None, out: Array | None = None,
        ) -> Array:  # fmt: skip
            return variance_scaling(shape, distribution, mode, gain, layout=layout, rng=rng, dtype=dtype, out=out)

        initialise.__name__ = initialise.__qualname__ = f"{family}_{distribution}"
        initialise.__doc__ = f"""Weights of {FORMULAS[distribution]}, fan being {mode} unless said.

Parameters
----------
shape : tuple of ints
    At least two axes.
gain : float, str or ufunc, default {gain!r}
    A number, or an activation function or its name, for `actc.init.gain` of it.
mode : {{"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}}, default {mode!r}
    Which fan: inputs, outputs, their arithmetic or their geometric mean.
layout : {{"torch", "keras"}} or (int, int), default "torch"
    Which axes are inputs and outputs: see `actc.init.fans`.
rng, dtype, out
    See `actc.init`.

Returns
-------
ndarray

Raises
------
ValueError
    As `actc.init.variance_scaling` does.

References
----------
.. [1] {reference}.
"""
        return initialise

    return make("uniform"), make("normal"), make("truncated_normal")


FORMULAS = {
    "uniform": "the uniform distribution within +-gain sqrt(3/fan)",
    "normal": "the normal distribution of standard deviation gain/sqrt(fan)",
    "truncated_normal": "a normal distribution cut off at two standard deviations, with gain/sqrt(fan) after the cut",
}
xavier_uniform, xavier_normal, xavier_truncated_normal = _family(
    "xavier",
    "fan_avg",
    1.0,
    "Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward networks",
)
he_uniform, he_normal, he_truncated_normal = _family(
    "he", "fan_in", "relu", "He, Zhang, Ren and Sun 2015, Delving deep into rectifiers, arXiv:1502.01852"
)
lecun_uniform, lecun_normal, lecun_truncated_normal = _family(
    "lecun", "fan_in", 1.0, "LeCun, Bottou, Orr and Mueller 1998, Efficient BackProp; Klambauer et al. 2017 for SELU"
)
glorot_uniform, glorot_normal, glorot_truncated_normal = xavier_uniform, xavier_normal, xavier_truncated_normal
kaiming_uniform, kaiming_normal, kaiming_truncated_normal = he_uniform, he_normal, he_truncated_normal


# ---- matrices --------------------------------------------------------------------------------------------------------


def orthogonal(
    shape: Sequence[int], gain: Gain = 1.0, *,
    layout: Layout = "torch", rng: Any = None, dtype: Any = None, out: Array | None = None,
) -> Array:  # fmt: skip
    """A random matrix with orthonormal rows or columns, whichever are fewer, times gain.

    Parameters
    ----------
    shape : tuple of ints
        At least two axes, none of length 0. The matrix has the outputs as rows, all other axes together as columns.
    gain : float, str or ufunc, default 1
        A number, or an activation function or its name, for `actc.init.gain` of it.
    layout : {"torch", "keras"} or (int, int), default "torch"
        Which axes are inputs and outputs: see `fans`.
    rng, dtype, out
        See `actc.init`.

    Returns
    -------
    ndarray

    Notes
    -----
    Q of NumPy's QR decomposition of a normally distributed matrix, each column times the sign of R's diagonal element:
    without that the signs would be LAPACK's and Q not uniformly distributed (Mezzadri 2007, arXiv:math-ph/0609050).

    References
    ----------
    .. [1] Saxe, McClelland and Ganguli 2013, Exact solutions to the nonlinear dynamics of learning in deep linear
       neural networks, arXiv:1312.6120.
    """
    factor, target = _gain(gain), target_of(shape, dtype, out)
    rows = target.shape[axes_of(target.shape, layout)[1]]
    if target.size == 0:
        raise ValueError(f"an orthogonal matrix needs rows and columns; shape is {target.shape}")
    columns = target.size // rows
    q, r = np.linalg.qr(generator_of(rng).standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.where(np.diagonal(r) < 0, -factor, factor)
    view = np.moveaxis(target, axes_of(target.shape, layout)[1], 0)
    write(view, (q if rows >= columns else q.T).reshape(view.shape))
    return target


def sparse(
    shape: Sequence[int], sparsity: float = 0.9, std: float = 0.01, *,
    layout: Layout = "torch", rng: Any = None, dtype: Any = None, out: Array | None = None,
) -> Array:  # fmt: skip
    """Normally distributed weights of which each unit has only a few, the others being 0.

    Parameters
    ----------
    shape : tuple of two ints
    sparsity : float, default 0.9
        Share of a unit's inputs with weight 0, from 0 to 1: exactly ceil(sparsity*fan_in) of them, at random.
    std : float, default 0.01
        Standard deviation of the others; positive.
    layout : {"torch", "keras"} or (int, int), default "torch"
        Which axes are inputs and outputs: see `fans`.
    rng, dtype, out
        See `actc.init`.

    Returns
    -------
    ndarray

    Notes
    -----
    `torch.nn.init.sparse_` puts zeros into the columns of (out, in), so it limits how many units an input goes to, not
    the inputs of a unit as the paper does. ``layout="keras"`` gives that pattern.

    References
    ----------
    .. [1] Martens 2010, Deep learning via Hessian-free optimization.
    """
    if not 0 <= finite("sparsity", sparsity) <= 1:
        raise ValueError(f"sparsity must be from 0 to 1, not {sparsity!r}")
    std, target = finite("std", std, positive=True), target_of(shape, dtype, out)
    if target.ndim != 2:
        raise ValueError(f"sparse weights are a matrix; shape is {target.shape}")
    inputs, _ = axes_of(target.shape, layout)
    generator, fan_in = generator_of(rng), target.shape[inputs]
    zeros = math.ceil(sparsity * fan_in - 1e-9)  # 0.07*100 is more than 7
    zero = np.expand_dims(np.arange(fan_in) < zeros, 1 - inputs)
    zero = generator.permuted(np.broadcast_to(zero, target.shape), axis=inputs)
    return write(target, np.where(zero, 0.0, std * generator.standard_normal(target.shape)))


def identity(
    shape: Sequence[int], gain: float = 1.0, *, layout: Layout = "torch", dtype: Any = None, out: Array | None = None
) -> Array:
    """Weights that hand input i to output i: the identity matrix, or the convolution that does nothing.

    Parameters
    ----------
    shape : tuple of ints
        At least two axes. Where inputs and outputs differ in number, those beyond the smaller get 0.
    gain : float, default 1
        The value on the diagonal. It stands at the centre of the kernel, index size//2 on each axis, as in
        `torch.nn.init.dirac_`.
    layout : {"torch", "keras"} or (int, int), default "torch"
        Which axes are inputs and outputs: see `fans`.
    dtype, out
        See `actc.init`; nothing is random here.

    Returns
    -------
    ndarray

    References
    ----------
    .. [1] Le, Jaitly and Hinton 2015, A simple way to initialize recurrent networks of rectified linear units,
       arXiv:1504.00941.
    """
    value, target = finite("gain", gain), target_of(shape, dtype, out)
    inputs, outputs = axes_of(target.shape, layout)
    if target.size == 0:
        raise ValueError(f"the identity needs inputs, outputs and a kernel; shape is {target.shape}")
    index: list[Any] = [n // 2 for n in target.shape]
    index[inputs] = index[outputs] = np.arange(min(target.shape[inputs], target.shape[outputs]))
    weights = np.zeros(target.shape)
    weights[tuple(index)] = value
    return write(target, weights)
