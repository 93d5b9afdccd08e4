"""The factor by which an activation function wants its weights larger."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import actc

PASSES = {"forward": "gain", "backward": "derivative_gain"}
FAR = 54  # exp(-FAR^2/4) is the least that doubles hold
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
Array = np.ndarray[Any, Any]


def gain(function: Any, pass_: str = "forward", **parameters: float) -> float:
    """Gain of an activation function: what its weights are multiplied by to keep the signal's size.

        forward    1/sqrt(E[f(z)^2])       z standard normal
        backward   1/sqrt(E[f'(z)^2])

    Weights of mean 0 and variance gain^2/fan_in keep the second moment of the activations, and with the backward gain
    and fan_out that of the gradients, from layer to layer.

    Parameters
    ----------
    function : str or ufunc
        A function of `actc.functions` or its name, aliases included.
    pass_ : {"forward", "backward"}
        Which signal to keep.
    **parameters : float
        Parameters of the function; those not given have their defaults. apl has none and needs its hinges, ``a=`` and
        ``b=``: sequences of as many numbers each.

    Returns
    -------
    float
        At default parameters the constant of the table (15 digits and more, also ``f.info["gain"]`` and
        ``f.info["derivative_gain"]``), at others a quadrature good to about 13 digits. inf where the function, or its
        slope, is 0 almost everywhere: no weights help. 0 where f(z)^2 overflows within 54 standard deviations. nan
        where f has no value for some z.

    Raises
    ------
    ValueError
        If the function or the pass is unknown, or the hinges of apl are missing or do not match.
    TypeError
        If the function has no such parameter, or a parameter is not a number.

    Notes
    -----
    `torch.nn.init.calculate_gain` has the values that were customary, of six functions: the same for relu and
    leaky_relu, but 5/3 for tanh (here 1.5925, and 1.4674 backward), 3/4 for selu (here 1: it keeps the variance as it
    is) and 1 for sigmoid (here 1.8462). Other functions it refuses. With f(z)^2 the mean counts as signal, as in He et
    al.; where the next layer centres its input, 1/std(f(z)) is what is wanted instead.

    crelu has two outputs for each z. Forward, E[f(z)^2] is the mean over both, as a layer after it has both for inputs;
    backward, the gradients of both meet in z, and E[f'(z)^2] is their sum, which is 1.

    References
    ----------
    .. [1] He, Zhang, Ren and Sun 2015, Delving deep into rectifiers, arXiv:1502.01852.
    .. [2] Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli 2016, Exponential expressivity in deep neural networks
       through transient chaos, arXiv:1606.05340.

    Examples
    --------
    >>> actc.init.gain("relu")
    1.4142135623730951
    >>> actc.init.gain("elu", alpha=0.0)
    1.414213562373095
    """
    f = find(function)
    if pass_ not in PASSES:
        raise ValueError(f"gain: pass_ must be one of {', '.join(PASSES)}, not {pass_!r}")
    if f.info["gain"] is None:
        return _gain_of_hinges(f, pass_, parameters)
    values = {**f.parameters}
    for name, value in parameters.items():
        if name not in f.parameters:
            has = ", ".join(f.parameters) or "none"
            raise TypeError(f"gain: {f.info['name']} has no parameter {name!r}; it has: {has}")
        if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, np.longdouble):  # type: ignore[redundant-expr, unreachable]
            raise TypeError(f"gain: {name} must be a number, not {type(value).__name__}")
        values[name] = float(value)
    if values == dict(f.parameters):
        return float(f.info[PASSES[pass_]])
    return _inverse_root(f, pass_, values, special_points(f.info["kinks"], values))


def _inverse_root(f: Any, pass_: str, values: dict[str, Any], points: Iterable[float]) -> float:
    g = f if pass_ == "forward" else f.derivative
    square = mean_square(lambda z: g(z, **values), points)
    return math.inf if square == 0 else 1 / math.sqrt(square)


def _gain_of_hinges(f: Any, pass_: str, given: dict[str, Any]) -> float:
    """That of apl, whose parameters are arrays and have no defaults."""
    name, required = f.info["name"], f.info["required"]
    wanted = f"{name} needs its hinges, {' and '.join(required)}: one-dimensional, of as many numbers each"
    for parameter in given:
        if parameter not in required:
            raise TypeError(f"gain: {name} has no parameter {parameter!r}; it has: {', '.join(required)}")
    if missing := [p for p in required if p not in given]:
        raise ValueError(f"gain: {wanted}; {' and '.join(missing)} not given")
    hinges = {p: np.asarray(v) for p, v in given.items()}
    for parameter, v in hinges.items():
        if v.dtype.kind not in "biuf":
            raise TypeError(f"gain: {parameter} must hold numbers, not {v.dtype}")
    if {v.ndim for v in hinges.values()} != {1} or len({v.shape for v in hinges.values()}) != 1:
        raise ValueError(f"gain: {wanted}, not {', '.join(f'{p} {v.shape}' for p, v in hinges.items())}")
    places = [float(p) for p in hinges["b"] if abs(p) < FAR]
    return _inverse_root(f, pass_, {p: v.astype(np.float64) for p, v in hinges.items()}, [0.0, *places])


def find(function: Any) -> Any:
    """The function of a name, an alias or a function of actc's own: one of actc.functions, of either tier."""
    f = getattr(actc, function, None) if isinstance(function, str) else function
    if "gain" not in getattr(f, "info", ()):  # row functions and gates have none
        raise ValueError(f"unknown activation function {function!r}: expected one of actc.functions or its name")
    return f


def special_points(kinks: str, values: dict[str, float]) -> list[float]:
    """Where something may happen within little space: the kinks, 0, and every parameter (thresholds and means)."""
    points = [0.0, *values.values(), *(-v for v in values.values())]
    with contextlib.suppress(ZeroDivisionError):  # the parameter sends the kink to infinity
        points += eval(f"[{kinks}]", {"__builtins__": {}}, dict(values))  # an expression of the table, not the user's
    return [float(p) for p in points if abs(p) < FAR]


def mean_square(function: Callable[[Array], Array], points: Iterable[float] = ()) -> float:
    """E[function(z)^2], z standard normal, by Gauss and Legendre's rule on intervals that narrow towards `points`, and
    are halved until the halves add up to the whole.

    Gauss and Hermite's rule does not see kinks: with 100 nodes the backward gain of softshrink is 8 % off."""

    def integral(left: Array, right: Array) -> Array:
        z = (left + right)[:, None] / 2 + (right - left)[:, None] / 2 * NODES
        return np.asarray(((function(z) * np.exp(-z * z / 4)) ** 2 @ WEIGHTS) * (right - left) / 2)

    steps = 2.0 ** np.arange(-40, 3)
    edges = np.concatenate([np.arange(-FAR, FAR + 1.0), *(np.concatenate([p - steps, [p], p + steps]) for p in points)])
    edges = np.unique(np.clip(edges, -FAR, FAR))
    left, right, total = edges[:-1], edges[1:], 0.0
    with np.errstate(all="ignore"):
        whole = integral(left, right)
        while len(left):
            middle = (left + right) / 2
            halves = integral(left, middle), integral(middle, right)
            both = halves[0] + halves[1]
            estimate = total + float(both.sum())
            if not math.isfinite(estimate):
                return estimate
            done = (np.abs(both - whole) <= 1e-16 * estimate) | (middle <= left) | (middle >= right)
            total += float(both[done].sum())
            left, middle, right = left[~done], middle[~done], right[~done]
            left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
            whole = np.concatenate([h[~done] for h in halves])
    return total / math.sqrt(2 * math.pi)
