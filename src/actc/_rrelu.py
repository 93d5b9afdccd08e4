"""RReLU: a leaky ReLU whose slopes are drawn anew for each element in training, and can be drawn again."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from actc import _others, _surface

_KEY_BITS = 64
_DTYPES: dict[Any, int] = {}  # those that a loop takes as they are: found by the first array of each


class RReLU:
    """y = x for x > 0, a*x otherwise; a is drawn from U[lower, upper) in training and their mean in evaluation.

    Parameters
    ----------
    x : array_like
        Input: float16, bfloat16, float32 or float64; bool and integers are converted.
    lower, upper : float, default 1/8 and 1/3
        Bounds of the slopes; finite, lower <= upper.
    training : bool, default False
        Whether to draw: with False every slope is (lower + upper)/2.
    rng : int, numpy Generator, BitGenerator, SeedSequence or None
        Where the key comes from; only training asks for it. An integer from 0 to 2**64 - 1 is the key: the same slopes
        each time. A SeedSequence gives the same key each time. A Generator is drawn from, and None takes the operating
        system's entropy: new slopes each time, so `backward` does not accept them; make a key of them first with `key`.
    first : int, default 0
        Index of x's first element, for arrays that are handed over in pieces.
    out : ndarray, optional
        Where to write; may be x itself.

    Returns
    -------
    y : ndarray or scalar
        Of x's dtype (float32 for bool and 8- and 16-bit integers, float64 for wider ones).

    Raises
    ------
    ValueError
        If lower > upper, a bound is not finite, a key is out of range or shapes differ; nothing is written.
    TypeError
        If x is complex, longdouble, a string or an object, a bound no number or longdouble, or rng none of the above.

    Notes
    -----
    The slope of element i, counted in C order whatever the strides, is a function of key and i alone (Philox 4x32-10
    with counter i // 4, word i % 4, 32 bits of a uniform number): it depends on no chunk, thread, dtype, instruction
    set or platform, and `backward` replays it where other libraries store it. Use another key for every call and layer.
    Correctly rounded in float16, bfloat16 and float32 in both tiers; one product of doubles in float64.
    f'(0) is the slope, as in torch. NaN gives NaN.

    Elsewhere: torch rrelu (same bounds), mxnet LeakyReLU(act_type='rrelu'), paddle rrelu.

    References
    ----------
    .. [1] Xu, Wang, Chen and Li 2015, Empirical evaluation of rectified activations in convolutional network,
       arXiv:1505.00853.
    .. [2] Salmon, Moraes, Dror and Shaw 2011, Parallel random numbers: as easy as 1, 2, 3.

    Examples
    --------
    >>> key = actc.rrelu.key(np.random.default_rng(0))
    >>> y = actc.rrelu(x, training=True, rng=key)
    >>> gx = actc.rrelu.backward(g, x, training=True, rng=key)
    """

    __module__ = "actc"

    def __init__(self, leaky: np.ufunc, exact: bool) -> None:
        self.__name__ = self.__qualname__ = "exact_rrelu" if exact else "rrelu"
        self._leaky = leaky

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__

    def __call__(
        self, x: Any, /, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, rng: Any = None, *,
        first: int = 0, out: Any = None,
    ) -> Any:  # fmt: skip
        bounds = _bounds(lower, upper)
        if not training:
            return self._leaky(x, sum(bounds) / 2, out=out)
        return self._draw("", [x], bounds, self.key(rng), first, out)

    def derivative(
        self, x: Any, /, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, rng: Any = None, *,
        first: int = 0, out: Any = None,
    ) -> Any:  # fmt: skip
        """1 where x > 0, elsewhere the slope that `rrelu` of the same key had; see `rrelu` for the arguments."""
        bounds = _bounds(lower, upper)
        if not training:
            return self._leaky.derivative(x, sum(bounds) / 2, out=out)  # type: ignore[attr-defined]
        return self._draw("derivative", [x], bounds, _replayed(rng, "derivative"), first, out)

    def backward(
        self, g: Any, x: Any, /, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, rng: Any = None, *,
        first: int = 0, out: Any = None,
    ) -> Any:  # fmt: skip
        """Gradient through `rrelu` of the same key: g*f'(x), g of x's shape; see `rrelu` for the arguments."""
        bounds = _bounds(lower, upper)
        if np.shape(g) != np.shape(x):
            raise ValueError(f"rrelu.backward: g has shape {np.shape(g)}, x {np.shape(x)}")
        if not training:
            return self._leaky.backward(g, x, sum(bounds) / 2, out=out)  # type: ignore[attr-defined]
        return self._draw("backward", [g, x], bounds, _replayed(rng, "backward"), first, out)

    @staticmethod
    def key(rng: Any = None) -> int:
        """The key that `rng` stands for: an integer from 0 to 2**64 - 1, which any call replays.

        Parameters
        ----------
        rng : int, numpy Generator, BitGenerator, SeedSequence or None
            An integer is its own key. A Generator advances by one draw of 64 bits; a SeedSequence does not change.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            If an integer is out of range.
        TypeError
            If rng is none of these.
        """
        if rng is None:
            rng = np.random.SeedSequence()
        if isinstance(rng, np.random.SeedSequence):
            return int(rng.generate_state(1, np.uint64)[0])
        if isinstance(rng, np.random.BitGenerator):
            rng = np.random.Generator(rng)
        if isinstance(rng, np.random.Generator):
            return int(rng.integers(0, 1 << _KEY_BITS, dtype=np.uint64))
        return _integer(rng, "rng", "an int, numpy Generator, BitGenerator, SeedSequence or None")

    def _draw(self, which: str, arrays: list[Any], bounds: tuple[float, float], key: int, first: int, out: Any) -> Any:
        first = _integer(first, "first", "an int")
        kinds = [_surface.adaptable(a) for a in arrays]
        arrays = [np.asarray(a) for a in arrays]
        shape, dtype = arrays[-1].shape, arrays[-1].dtype
        if dtype not in _DTYPES or any(a.dtype != dtype for a in arrays):
            ufunc = getattr(self._leaky, which) if which else self._leaky
            dtype = ufunc.resolve_dtypes((*kinds, np.dtype(np.float64), None))[-1]
            _DTYPES[dtype] = _others.DTYPES[dtype.name]
        operands = [np.ascontiguousarray(a, dtype) for a in arrays]
        operands = [a if a.flags.aligned else a.copy() for a in operands]
        target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
        if target is None:
            target = np.empty(shape, dtype)
        elif not isinstance(target, np.ndarray):
            raise TypeError(f"rrelu: out must be an array, not {type(target).__name__}")
        elif target.shape != shape:
            raise ValueError(f"rrelu: out has shape {target.shape}, x {shape}")
        elif not target.flags.writeable:
            raise ValueError("rrelu: out is read-only")
        elif not np.can_cast(dtype, target.dtype, "same_kind"):
            raise TypeError(f"rrelu: cannot cast the result from {dtype} to {target.dtype}, the dtype of out")
        direct = target.dtype == dtype and target.flags.carray
        direct = direct and all(a is target or not np.may_share_memory(a, target) for a in operands)
        result = target if direct else np.empty(shape, dtype)
        _others.rrelu(which, _DTYPES[dtype], operands, result, *bounds, key, first)
        if not direct:
            np.copyto(target, result, casting="same_kind")
        return target[()] if out is None else target


def _bounds(lower: Any, upper: Any) -> tuple[float, float]:
    for name, value in (("lower", lower), ("upper", upper)):
        given = np.asarray(value)
        if given.ndim or given.dtype.kind not in "biufV" or given.dtype.char in "gV":
            raise TypeError(f"rrelu: {name} must be a number that float64 holds, not {value!r} of {given.dtype}")
    lower, upper = float(lower), float(upper)
    if not (math.isfinite(upper - lower) and math.isfinite(upper + lower)):  # of which the mean is half
        raise ValueError(f"rrelu: bounds, their distance and sum must be finite, not lower={lower}, upper={upper}")
    if lower > upper:
        raise ValueError(f"rrelu: lower must not exceed upper, but lower={lower}, upper={upper}")
    return lower, upper


def _integer(value: Any, name: str, expected: str) -> int:
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"rrelu: {name} must be {expected}, not {type(value).__name__}") from None
    if not 0 <= number < 1 << _KEY_BITS:
        raise ValueError(f"rrelu: {name} must lie between 0 and 2**{_KEY_BITS} - 1, not be {number}")
    return number


def _replayed(rng: Any, which: str) -> int:
    """The key of a pass that repeats the slopes of another."""
    if rng is None or isinstance(rng, (np.random.Generator, np.random.BitGenerator)):
        raise TypeError(
            f"rrelu.{which} replays slopes and needs the key that they were drawn with, not {type(rng).__name__}: "
            "take key = rrelu.key(rng) once and pass rng=key to both calls"
        )
    return RReLU.key(rng)


def build(functions: Any, exact: bool) -> dict[str, Any]:
    """The flat names of one tier."""
    rrelu = RReLU(functions["leaky_relu"], exact)
    return {"rrelu": rrelu, "rrelu_derivative": rrelu.derivative, "rrelu_backward": rrelu.backward}
