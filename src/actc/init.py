"""Initial weights: random, orthogonal, sparse and identity, with the gain of every activation function.

>>> rng = np.random.default_rng(0)
>>> w = actc.init.he_normal((512, 784), gain="gelu", rng=rng)              # torch's (out, in, *kernel)
>>> v = actc.init.xavier_uniform((784, 512), layout="keras", rng=rng)      # (*kernel, in, out), as x @ v wants it

All take `rng`, `dtype` and `out`:

rng : None, int, SeedSequence, BitGenerator or Generator, default None
    What `numpy.random.default_rng` takes: None draws afresh, an int or a SeedSequence gives the same weights each time,
    a Generator goes on where it is. Give one Generator, not one int, to the layers of a network: equal seeds make
    equal weights.
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
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from actc._gain import gain

__all__ = [
    "fans", "gain", "glorot_normal", "glorot_truncated_normal", "glorot_uniform", "he_normal", "he_truncated_normal",
    "he_uniform", "identity", "kaiming_normal", "kaiming_truncated_normal", "kaiming_uniform", "lecun_normal",
    "lecun_truncated_normal", "lecun_uniform", "normal", "orthogonal", "sparse", "truncated_normal", "uniform",
    "variance_scaling", "xavier_normal", "xavier_truncated_normal", "xavier_uniform",
]  # fmt: skip

Array: TypeAlias = np.ndarray[Any, Any]
Shape: TypeAlias = int | Sequence[int]
Layout: TypeAlias = str | tuple[int, int]
Gain: TypeAlias = float | str | Callable[..., Any]

DTYPES = ("float16", "bfloat16", "float32", "float64")
LAYOUTS = {"torch": (1, 0), "keras": (-2, -1)}  # axes of the inputs and the outputs
MODES: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda i, o: i,
    "fan_out": lambda i, o: o,
    "fan_avg": lambda i, o: (i + o) / 2,
    "fan_geo_avg": lambda i, o: math.sqrt(i) * math.sqrt(o),
}


# ---- what all have in common -----------------------------------------------------------------------------------------


def _shape(shape: Shape) -> tuple[int, ...]:
    try:
        wanted = tuple(map(operator.index, shape if isinstance(shape, Sequence) else (shape,)))
    except TypeError:
        raise TypeError(f"shape must be an int or a tuple of ints, not {shape!r}") from None
    if any(n < 0 for n in wanted):
        raise ValueError(f"shape must not be negative, not {wanted}")
    return wanted


def _target(shape: Shape, dtype: Any, out: Array | None) -> Array:
    """Where the weights go, once shape, dtype and out are known to agree."""
    wanted = _shape(shape)
    if out is not None and not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an ndarray, not {type(out).__name__}")
    if isinstance(dtype, str) and dtype == "bfloat16":
        from ml_dtypes import bfloat16 as dtype
    if dtype is None:
        dtype = np.float32 if out is None else out.dtype
    kind = np.dtype(dtype)
    if kind.name not in DTYPES:
        raise TypeError(f"dtype must be one of {', '.join(DTYPES)}, not {kind}")
    if out is None:
        return np.empty(wanted, kind)
    if out.dtype != kind:
        raise TypeError(f"out is of dtype {out.dtype}, not of the wanted {kind}")
    if out.shape != wanted:
        raise ValueError(f"out is of shape {out.shape}, not of the wanted {wanted}")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
    return out


def _generator(rng: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(rng)
    except TypeError:
        wanted = "None, an int, a SeedSequence, a BitGenerator or a Generator"
        raise TypeError(f"rng must be {wanted}, not {type(rng).__name__}") from None
    except ValueError:
        raise ValueError(f"rng must not be negative, not {rng!r}") from None


def _write(target: Array, values: Any) -> Array:
    with np.errstate(all="ignore"):  # what a half cannot hold becomes 0 or infinite without a warning
        target[...] = values
    return target


def _finite(name: str, value: float, positive: bool = False) -> float:
    if isinstance(value, (complex, str)) or not math.isfinite(value) or (positive and value <= 0):
        raise ValueError(f"{name} must be {'positive and ' if positive else ''}finite, not {value!r}")
    return float(value)


def _axes(shape: tuple[int, ...], layout: Layout) -> tuple[int, int]:
    """Axes of inputs and outputs, counted from the front."""
    if len(shape) < 2:
        raise ValueError(f"weights need an input and an output axis, so at least 2 dimensions; shape is {shape}")
    pair = LAYOUTS.get(layout) if isinstance(layout, str) else layout
    try:
        i, o = (range(len(shape))[operator.index(a)] for a in pair)  # type: ignore[union-attr]
    except (TypeError, ValueError, IndexError):
        i = o = 0
    if i == o:
        known = ", ".join(map(repr, LAYOUTS))
        raise ValueError(f"layout must be {known} or two different axes (in, out) of {len(shape)}, not {layout!r}")
    return i, o


# ---- distributions ---------------------------------------------------------------------------------------------------


def normal(
    shape: Shape, mean: float = 0.0, std: float = 1.0, *, rng: Any = None, dtype: Any = None, out: Array | None = None
) -> Array:
    """Normally distributed weights.

    Parameters
    ----------
    shape : int or tuple of ints
    mean, std : float, default 0 and 1
        Mean and standard deviation; std must be positive.
    rng, dtype, out
        See `actc.init`.

    Returns
    -------
    ndarray
    """
    mean, std = _finite("mean", mean), _finite("std", std, positive=True)
    target = _target(shape, dtype, out)
    return _write(target, mean + std * _generator(rng).standard_normal(target.shape))


def uniform(
    shape: Shape, low: float = 0.0, high: float = 1.0, *, rng: Any = None, dtype: Any = None, out: Array | None = None
) -> Array:
    """Uniformly distributed weights.

    Parameters
    ----------
    shape : int or tuple of ints
    low, high : float, default 0 and 1
        The bounds, low < high. Conversion to less than float64 may round a number up to high itself.
    rng, dtype, out
        See `actc.init`.

    Returns
    -------
    ndarray
    """
    if not _finite("low", low) < _finite("high", high):
        raise ValueError(f"low must be less than high, not {low!r} and {high!r}")
    target = _target(shape, dtype, out)
    share = _generator(rng).random(target.shape)
    return _write(target, low * (1 - share) + high * share)  # high - low may overflow


def truncated_normal(
    shape: Shape, mean: float = 0.0, std: float = 1.0, bound: float = 2.0, *,
    rng: Any = None, dtype: Any = None, out: Array | None = None,
) -> Array:  # fmt: skip
    """Weights of a normal distribution cut off at both ends; `std` is the standard deviation of what remains.

    Parameters
    ----------
    shape : int or tuple of ints
    mean, std : float, default 0 and 1
        Mean and standard deviation of the weights; std must be positive.
    bound : float, default 2
        Where the tails are cut off, in standard deviations of the normal distribution before it is. All weights lie
        within mean +- bound/c std, where c = sqrt(1 - 2 bound phi(bound)/(2 Phi(bound) - 1)) is what cutting leaves of
        the standard deviation: 0.8796 at 2, which makes that +-2.2737 std.
    rng, dtype, out
        See `actc.init`.

    Returns
    -------
    ndarray

    Notes
    -----
    `torch.nn.init.trunc_normal_` cuts at absolute places and does not correct: its result has less than `std`.
    Variance scaling of Keras and JAX corrects, as here.
    """
    mean, std = _finite("mean", mean), _finite("std", std, positive=True)
    bound = _finite("bound", bound, positive=True)
    target, generator = _target(shape, dtype, out), _generator(rng)
    return _write(target, mean + std / _kept(bound) * _within(bound, target.shape, generator))


def _kept(bound: float) -> float:
    """Standard deviation of a standard normal variable given that it lies within +-bound."""
    if bound < 0.01:  # where the difference cancels its series is good to 1e-9
        return bound / math.sqrt(3) * (1 - bound * bound / 15)
    density = math.exp(-bound * bound / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(1 - 2 * bound * density / math.erf(bound / math.sqrt(2)))


def _within(bound: float, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Standard normal numbers within +-bound: those outside are drawn again. Within less than 1.25 uniform numbers are
    the better proposal: half of them at least are taken, however narrow the bound."""
    values, open_ = np.empty(math.prod(shape)), np.arange(math.prod(shape))
    while len(open_):
        if bound < 1.25:
            drawn = rng.uniform(-bound, bound, len(open_))
            taken = rng.random(len(open_)) < np.exp(-drawn * drawn / 2)
        else:
            drawn = rng.standard_normal(len(open_))
            taken = np.abs(drawn) <= bound
        values[open_[taken]] = drawn[taken]
        open_ = open_[~taken]
    return values.reshape(shape)


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
    sizes = _shape(shape)
    i, o = _axes(sizes, layout)
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
        For a fan of 0, fewer than two axes, an unknown distribution, mode, layout or function, or a gain that is not
        positive and finite.
    """
    factor = _gain(gain)
    target = _target(shape, dtype, out)
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    if distribution not in DISTRIBUTIONS:
        raise ValueError(f"distribution must be one of {', '.join(DISTRIBUTIONS)}, not {distribution!r}")
    fan_in, fan_out = fans(target.shape, layout)
    fan = MODES[mode](fan_in, fan_out)
    if fan == 0:
        raise ValueError(f"{mode} of shape {target.shape} is 0: a standard deviation of gain/sqrt(fan) needs a fan")
    return DISTRIBUTIONS[distribution](target, factor / math.sqrt(fan), rng)


DISTRIBUTIONS: dict[str, Callable[[Array, float, Any], Array]] = {
    "normal": lambda to, std, rng: normal(to.shape, std=std, rng=rng, out=to),
    "uniform": lambda to, std, rng: uniform(to.shape, -math.sqrt(3) * std, math.sqrt(3) * std, rng=rng, out=to),
    "truncated_normal": lambda to, std, rng: truncated_normal(to.shape, std=std, rng=rng, out=to),
}


def _gain(value: Gain) -> float:
    number = value if isinstance(value, (int, float, np.integer, np.floating)) else gain(value)
    return _finite("gain", float(number), positive=True)


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
    factor, target = _gain(gain), _target(shape, dtype, out)
    rows = target.shape[_axes(target.shape, layout)[1]]
    if target.size == 0:
        raise ValueError(f"an orthogonal matrix needs rows and columns; shape is {target.shape}")
    columns = target.size // rows
    q, r = np.linalg.qr(_generator(rng).standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.where(np.diagonal(r) < 0, -factor, factor)
    view = np.moveaxis(target, _axes(target.shape, layout)[1], 0)
    _write(view, (q if rows >= columns else q.T).reshape(view.shape))
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
    if not 0 <= _finite("sparsity", sparsity) <= 1:
        raise ValueError(f"sparsity must be from 0 to 1, not {sparsity!r}")
    std, target = _finite("std", std, positive=True), _target(shape, dtype, out)
    if target.ndim != 2:
        raise ValueError(f"sparse weights are a matrix; shape is {target.shape}")
    inputs, _ = _axes(target.shape, layout)
    generator, fan_in = _generator(rng), target.shape[inputs]
    zero = np.expand_dims(np.arange(fan_in) < math.ceil(sparsity * fan_in), 1 - inputs)
    zero = generator.permuted(np.broadcast_to(zero, target.shape), axis=inputs)
    return _write(target, np.where(zero, 0.0, std * generator.standard_normal(target.shape)))


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
    value, target = _finite("gain", gain), _target(shape, dtype, out)
    inputs, outputs = _axes(target.shape, layout)
    if target.size == 0:
        raise ValueError(f"the identity needs inputs, outputs and a kernel; shape is {target.shape}")
    index: list[Any] = [n // 2 for n in target.shape]
    index[inputs] = index[outputs] = np.arange(min(target.shape[inputs], target.shape[outputs]))
    weights = np.zeros(target.shape)
    weights[tuple(index)] = value
    return _write(target, weights)
