"""Plots of f, f' and f'' as small SVG that takes its colours from the page, so that they suit light and dark.

Drawn by hand: a path, a frame of ticks and the dots that say what holds at a kink are less text than a plotting
library's setting up, and 60 pages take a second.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

REACH, TALL = 8.0, 10.0
SETTINGS: dict[str, Any] = {"a": [0.2, -0.1], "b": [0.0, 1.0]}  # of what has no defaults: apl
PASSES = {"f": "", "f'": "derivative", "f''": "second_derivative"}
SPACE = {n: getattr(np, n) for n in ("sqrt", "log", "pi")}


def settings(f: Any) -> dict[str, Any]:
    """The parameters to draw it with."""
    return {n: SETTINGS[n] for n in f.info.get("required", ())} or dict(f.parameters)


def kinks(f: Any, given: Mapping[str, Any]) -> list[float]:
    """Where f, f' or f'' jumps."""
    if f.info.get("required"):
        return sorted({0.0, *given["b"]})
    texts = [t for t in f.info["kinks"].split(", ") if t]
    return sorted({float(eval(t, {"__builtins__": {}}, SPACE | dict(given))) for t in texts})


def reach(f: Any, given: Mapping[str, Any]) -> float:
    """How far to look: 8, or until a bounded function has come half of its way."""
    limit, far = abs(float(np.max(f(np.inf if f.info.get("shape") is None else [np.inf], **given)))), REACH
    while math.isfinite(limit) and far < 1e3 and abs(float(np.max(f([far], **given)))) < limit / 2:
        far *= 2
    return far


def curves(f: Any, kind: str, given: Mapping[str, Any], far: float, count: int) -> list[list[tuple[Any, Any]]]:
    """Branches between kinks, of one curve or of each half: (x, y) in doubles."""
    g = getattr(f, kind) if kind else f
    inside = [k for k in kinks(f, given) if -far < k < far]
    edges = [-far, *inside, far]
    branches = []
    for low, high in itertools.pairwise(edges):
        x = np.linspace(low, high, max(9, int(count * (high - low) / (2 * far))))
        if low in inside:
            x[0] = np.nextafter(low, np.inf)
        if high in inside:
            x[-1] = np.nextafter(high, -np.inf)
        y = g(x[:, None], **given) if f.info.get("shape") == "doubled" else g(x, **given)[:, None]
        branches.append((x, y))
    return [[(x, y[:, i]) for x, y in branches] for i in range(branches[0][1].shape[1])]


def _step(span: float, most: int) -> float:
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= most)


def _ticks(low: float, high: float, most: int) -> Iterable[float]:
    step = _step(high - low, most)
    return (i * step for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1))


def _number(v: float) -> str:
    return f"{v:.6g}".replace("-", "−")


def _path(points: Iterable[tuple[float, float]]) -> str:
    """A polyline without the points that lie on a straight line between their neighbours."""
    kept: list[tuple[float, float]] = []
    for p in points:
        while len(kept) > 1:
            (ax, ay), (bx, by) = kept[-2:]
            if abs((bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax)) > 0.02 * math.hypot(p[0] - ax, p[1] - ay):
                break
            kept.pop()
        kept.append(p)
    return "M" + "L".join(f"{x:.1f} {y:.2f}" for x, y in kept)


class Plot:
    """One panel, width by height pixels; y clipped to what is worth seeing."""

    def __init__(self, width: int, height: int, far: float, values: list[np.ndarray], margin: int) -> None:
        y = np.clip(
            np.concatenate([v[np.isfinite(v)] for v in values] + [np.zeros(1)]), -max(TALL, far), max(TALL, far)
        )
        low, high = float(y.min()), float(y.max())
        if high - low < 1e-9:
            low, high = -1.0, 1.0
        pad = 0.08 * (high - low)
        self.low, self.high, self.far, self.width, self.height = low - pad, high + pad, far, width, height
        self.margin = margin
        self.parts: list[str] = []

    def x(self, v: float) -> float:
        return self.margin + (v + self.far) / (2 * self.far) * (self.width - self.margin)

    def y(self, v: float) -> float:
        bottom = self.height - (14 if self.margin else 0)
        return float(bottom - (np.clip(v, -1e4, 1e4) - self.low) / (self.high - self.low) * bottom)

    def axes(self) -> None:
        for v in _ticks(-self.far, self.far, 4):
            css = "end" if v == self.far else "start" if v == -self.far else "x"
            self.parts.append(f'<text class="{css}" x="{self.x(v):.0f}" y="{self.height - 2}">{_number(v)}</text>')
        for v in _ticks(self.low, self.high, 5):
            self.parts.append(f'<text class="y" x="{self.margin - 5}" y="{self.y(v) + 3:.1f}">{_number(v)}</text>')

    def zero(self) -> None:
        left, bottom = self.margin, self.height - (14 if self.margin else 0)
        y = self.y(0)
        self.parts.append(f'<path class="axis" d="M{left} {y:.1f}H{self.width}M{self.x(0):.1f} 0V{bottom}"/>')

    def curve(self, branches: list[tuple[Any, Any]], css: str) -> None:
        pieces = []
        for x, y in branches:
            edges = np.flatnonzero(np.diff(np.concatenate([[0], np.isfinite(y), [0]])))
            for start, end in edges.reshape(-1, 2):
                pieces.append(_path((self.x(a), self.y(b)) for a, b in zip(x[start:end], y[start:end], strict=True)))
        bottom = self.height - (14 if self.margin else 0)
        self.parts.append(
            f'<svg x="{self.margin}" width="{self.width - self.margin}" height="{bottom}" '
            f'viewBox="{self.margin} 0 {self.width - self.margin} {bottom}">'
            f'<path class="{css}" d="{"".join(pieces)}"/></svg>'
        )

    def jumps(self, branches: list[tuple[Any, Any]], g: Any) -> None:
        """Where the curve jumps, a full dot for the value that holds and rings for the others."""
        for (_, left), (x, right) in itertools.pairwise(branches):
            at = float(np.round(x[0], 12))
            sides = [float(left[-1]), float(right[0])]
            if all(map(math.isfinite, sides)) and abs(sides[0] - sides[1]) > 0.004 * (self.high - self.low):
                value = float(np.ravel(g(at))[0])
                for side in sides:
                    if abs(side - value) > 1e-9 and self.low <= side <= self.high:
                        self.parts.append(f'<circle class="ring" cx="{self.x(at):.1f}" cy="{self.y(side):.1f}" r="3"/>')
                if self.low <= value <= self.high:
                    self.parts.append(f'<circle class="dot" cx="{self.x(at):.1f}" cy="{self.y(value):.1f}" r="3"/>')

    def svg(self, title: str, css: str) -> str:
        return (
            f'<svg class="{css}" viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{title}">'
            f"<title>{title}</title>{''.join(self.parts)}</svg>"
        )


def figure(f: Any, given: Mapping[str, Any]) -> str:
    """f, f' and f'' side by side, one below the other on a phone."""
    far, panels = reach(f, given), []
    for sign, kind in PASSES.items():
        lines = curves(f, kind, given, far, 400)
        plot = Plot(300, 200, far, [y for line in lines for _, y in line], 40)
        plot.zero()
        plot.axes()
        for i, line in enumerate(lines):
            plot.curve(line, f"curve c{i}")
        if len(lines) == 1:
            g = getattr(f, kind) if kind else f
            plot.jumps(lines[0], lambda x, g=g: g(np.float64(x), **given))
        shown = sign.replace("''", "″").replace("'", "′")
        title = f"{shown} of {f.info['name']} from {-far:g} to {far:g}"
        panels.append(f"<figure><figcaption>{shown}(x)</figcaption>{plot.svg(title, 'plot')}</figure>")
    return f'<div class="plots">{"".join(panels)}</div>'


def thumbnail(f: Any) -> str:
    """f, and f' thinner, for the gallery."""
    given = settings(f)
    far = reach(f, given) * 0.625
    lines = {kind: curves(f, kind, given, far, 120) for kind in ("derivative", "")}
    plot = Plot(150, 100, far, [y for line in lines[""] for _, y in line], 0)
    plot.zero()
    for i, line in enumerate(lines["derivative"]):
        plot.curve(line, f"slope c{i}")
    for i, line in enumerate(lines[""]):
        plot.curve(line, f"curve c{i}")
    return plot.svg(f"{f.info['name']} and its derivative", "thumbnail")


STYLE = """
svg { font: 11px system-ui, sans-serif }
text { fill: #1f2328 } .axis { stroke: #d0d7de } .curve, .slope { stroke: #0b57d0 } .c1 { stroke: #b3006b }
path { fill: none; stroke-linejoin: round; stroke-linecap: round } .curve { stroke-width: 2 } .slope { opacity: 0.75 }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e6e8 } .axis { stroke: #363b42 } .curve, .slope { stroke: #8ab4f8 } .c1 { stroke: #ff8bc4 }
}
"""


def overview(functions: Iterable[Any], columns: int = 8) -> str:
    """All functions in one picture that stands alone, with a thinner line for their derivatives."""
    cells = []
    for i, f in enumerate(functions):
        x, y = i % columns * 120, i // columns * 112
        name = f"<text x='{x + 2}' y='{y + 14}'>{f.info['name']}</text>"
        picture = thumbnail(f).replace("<svg ", f"<svg x='{x}' y='{y + 22}' width='108' height='72' ", 1)
        cells.append(name + picture)
    size = f"{columns * 120 - 12} {-(-len(cells) // columns) * 112 - 12}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}">\n<style>{STYLE}</style>\n'
        + "\n".join(cells)
        + "\n</svg>\n"
    )
