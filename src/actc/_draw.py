"""What all initialisers have in common, and the distributions that they draw from: see `actc.init`."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Shape: TypeAlias = int | Sequence[int]
Layout: TypeAlias = str | tuple[int, int]

DTYPES = ("float16", "bfloat16", "float32", "float64")
LAYOUTS = {"torch": (1, 0), "keras": (-2, -1)}  # axes of the inputs and the outputs


# ---- what all have in common -----------------------------------------------------------------------------------------


def sizes_of(shape: Shape) -> tuple[int, ...]:
    try:
        wanted = tuple(map(operator.index, shape if isinstance(shape, Sequence) else (shape,)))
    except TypeError:
        raise TypeError(f"shape must be an int or a tuple of ints, not {shape!r}") from None
    if any(n < 0 for n in wanted):
        raise ValueError(f"shape must not be negative, not {wanted}")
    return wanted


def target_of(shape: Shape, dtype: Any, out: Array | None) -> Array:
    """Where the weights go, once shape, dtype and out are known to agree."""
    wanted = sizes_of(shape)
    if out is not None and not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an ndarray, not {type(out).__name__}")
    if isinstance(dtype, str) and dtype == "bfloat16":
        import ml_dtypes

        dtype = ml_dtypes.bfloat16
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


def generator_of(rng: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(rng)
    except TypeError:
        wanted = "None, an int, a SeedSequence, a BitGenerator or a Generator"
        raise TypeError(f"rng must be {wanted}, not {type(rng).__name__}") from None
    except ValueError:
        raise ValueError(f"rng must not be negative, not {rng!r}") from None


def write(target: Array, values: Any) -> Array:
    with np.errstate(all="ignore"):  # what a half cannot hold becomes 0 or infinite without a warning
        target[...] = values
    return target


def finite(name: str, value: float, positive: bool = False) -> float:
    if isinstance(value, (complex, str)) or not math.isfinite(value) or (positive and value <= 0):
        raise ValueError(f"{name} must be {'positive and ' if positive else ''}finite, not {value!r}")
    return float(value)


def axes_of(shape: tuple[int, ...], layout: Layout) -> tuple[int, int]:
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
    mean, std = finite("mean", mean), finite("std", std, positive=True)
    target = target_of(shape, dtype, out)
    return write(target, mean + std * generator_of(rng).standard_normal(target.shape))


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
    if not finite("low", low) < finite("high", high):
        raise ValueError(f"low must be less than high, not {low!r} and {high!r}")
    target = target_of(shape, dtype, out)
    share = generator_of(rng).random(target.shape)
    return write(target, low * (1 - share) + high * share)  # high - low may overflow


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
    mean, std = finite("mean", mean), finite("std", std, positive=True)
    bound = finite("bound", bound, positive=True)
    target, generator = target_of(shape, dtype, out), generator_of(rng)
    return write(target, mean + std / deviation_within(bound) * normal_within(bound, target.shape, generator))


def deviation_within(bound: float) -> float:
    """Standard deviation of a standard normal variable given that it lies within +-bound."""
    if bound < 0.01:  # where the difference cancels its series is good to 1e-9
        return bound / math.sqrt(3) * (1 - bound * bound / 15)
    density = math.exp(-bound * bound / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(1 - 2 * bound * density / math.erf(bound / math.sqrt(2)))


def normal_within(bound: float, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
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
