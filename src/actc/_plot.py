"""Functions beside their derivatives, as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import actc

REACH = 8.0
HEIGHT = 1.9  # inches per function
INK, SHADE = "#1f6feb", "#d0d7de"


def title(name: str, parameters: Mapping[str, float]) -> str:
    """`elu, alpha = 0.5`."""
    return ", ".join([name, *(f"{k} = {v:g}" for k, v in parameters.items())])


def _curve(axes: Any, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], jumps: bool) -> None:
    if jumps:  # a vertical stroke where a derivative jumps would claim values that it does not take
        y = np.where(np.append(np.abs(np.diff(y)) > 0.02 * max(1.0, float(np.ptp(y))), False), np.nan, y)
    axes.axhline(0, color=SHADE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=SHADE, linewidth=0.8, zorder=0)
    axes.plot(x, y, color=INK, linewidth=1.8, solid_capstyle="round")
    axes.set_xlim(-REACH, REACH)
    axes.set_xticks([-8, -4, 0, 4, 8])
    axes.tick_params(length=0, labelsize=8, colors="#57606a")
    axes.spines[:].set_visible(False)
    axes.margins(y=0.12)


def draw(left: Any, right: Any, name: str, parameters: Mapping[str, float]) -> None:
    """One function on the left axes, its derivative on the right ones."""
    f: Any = actc.functions[name]
    x = np.linspace(-REACH, REACH, 4001)
    _curve(left, x, f(x, **parameters), jumps=False)
    _curve(right, x, f.derivative(x, **parameters), jumps=True)
    left.set_title(title(name, parameters), fontsize=10, loc="left")
    right.set_title("derivative", fontsize=10, loc="left", color="#57606a")


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
