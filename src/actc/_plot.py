"""Functions beside their derivatives, as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import actc

REACH = 8.0
HEIGHT = 1.9  # inches per function
INK, GREY, SHADE = "#1f6feb", "#57606a", "#d0d7de"


def title(name: str, parameters: Mapping[str, float]) -> str:
    """`elu, alpha = 0.5`."""
    return ", ".join([name, *(f"{k} = {v:g}" for k, v in parameters.items())])


def _curve(axes: Any, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], color: str) -> None:
    axes.axhline(0, color=SHADE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=SHADE, linewidth=0.8, zorder=0)
    axes.plot(x, y, color=color, linewidth=1.8, solid_capstyle="round")
    axes.set_xlim(-REACH, REACH)
    axes.set_xticks([-8, -4, 0, 4, 8])
    axes.margins(y=0.12)
    axes.locator_params(axis="y", nbins=6, steps=[1, 2, 5, 10])
    tidy(axes)


def tidy(axes: Any) -> None:
    """No frame, small grey numbers."""
    axes.tick_params(which="both", length=0, labelsize=8, colors=GREY)
    axes.spines[:].set_visible(False)


def draw(left: Any, right: Any, name: str, parameters: Mapping[str, float], color: str = INK) -> None:
    """One function on the left axes, its derivative on the right ones; of two halves, a curve each."""
    f: Any = actc.functions[name]
    x = np.linspace(-REACH, REACH, 4001)
    if f.info.get("shape") == "doubled":
        x = x[:, None]
    slope = f.derivative(x, **parameters)
    jumps = np.abs(np.diff(slope, axis=0, append=slope[-1:])) > 0.1 * float(np.ptp(slope))
    _curve(left, x, f(x, **parameters), color)
    _curve(
        right, x, np.where(jumps, np.nan, slope), color
    )  # a stroke across a jump would claim values that are not taken
    low, high = right.get_ylim()
    right.set_ylim(min(low, -0.15), max(high, 1.2))  # one scale for most, so that slopes compare
    left.set_title(title(name, parameters), fontsize=10, loc="left")
    right.set_title("derivative", fontsize=10, loc="left", color=GREY)


def save(wanted: Sequence[tuple[str, Mapping[str, float]]], target: str) -> None:
    """A row per function; the suffix of the target says which format."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure  # no pyplot: nothing global, no display

    figure = Figure(figsize=(7.2, 0.4 + HEIGHT * len(wanted)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(wanted), 2, sharex=True, squeeze=False)
    for (left, right), (name, parameters) in zip(axes, wanted, strict=True):
        draw(left, right, name, parameters)
    figure.savefig(target, dpi=150)
