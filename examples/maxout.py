"""Does a maxout unit fit any convex function, the better the more pieces it has?

It is said that the largest of k affine maps is relu or the modulus with two pieces, fits any convex function with
enough of them, and that differences of two units fit what is not convex. Fitted on [-1, 1] are |x|, x^2 and sin(3x), by
gradient descent through `actc.maxout_layer`. With k pieces of equal length x^2 can be fitted to a root mean square
error of 4/(sqrt(180) k^2), and not better.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import common
import numpy as np
from common import Claim

import actc

TARGETS: dict[str, Any] = {"|x|": np.abs, "x^2": np.square, "sin(3x)": lambda x: np.sin(3 * x)}
PIECES = (2, 4, 8, 12)
X = np.linspace(-1, 1, 129)[:, None]


def fit(target: Any, pieces: int, signs: tuple[float, ...], steps: int, starts: int) -> tuple[Any, Any, Any]:
    """Least squares by Adam, from several starts at once: of each the error (root mean square), the fitted values, and
    how many pieces of a unit are the largest anywhere.

    A fit is the sum of a maxout unit for each sign; they are units of one layer, with nothing in common but x."""
    rng, count = np.random.default_rng(0), starts * len(signs)
    sign = np.tile(signs, starts)
    weights = [rng.uniform(-2, 2, (1, count, pieces)), rng.uniform(-1, 0.5, (count, pieces))]
    momenta = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]

    def residuals() -> Any:
        units: Any = actc.maxout_layer(X, *weights) * sign
        return units.reshape(len(X), starts, -1).sum(2) - target(X)

    for step in range(1, steps + 1):
        g = np.repeat(2 * residuals() / len(X), len(signs), axis=1) * sign
        gradients = actc.maxout_layer.backward(g, X, *weights)[1:]
        rate = 0.02 * (1 - step / (steps + 1)) * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        for w, gw, (m, v) in zip(weights, gradients, momenta, strict=True):
            m += 0.1 * (gw - m)
            v += 0.001 * (gw * gw - v)
            w -= rate * m / (np.sqrt(v) + 1e-12)
    largest = (X[:, :, None] * weights[0] + weights[1]).argmax(-1)
    used = np.array([len(set(unit)) for unit in largest.T]).reshape(starts, -1).mean(1)
    return np.sqrt((residuals() ** 2).mean(0)), residuals() + target(X), used


def measure(quick: bool) -> Any:
    """The best fit of several starts: {(target, units, pieces): (error, values, errors and pieces used of all)}."""
    found, steps, starts = {}, 1000 if quick else 4000, 8 if quick else 32
    for name, target in TARGETS.items():
        for units, signs in (("one unit", (1.0,)), ("difference of two", (1.0, -1.0))):
            if units == "one unit" or name == "sin(3x)":
                for pieces in PIECES:
                    errors, values, used = fit(target, pieces, signs, steps, starts)
                    best = int(np.argmin(errors))
                    found[name, units, pieces] = float(errors[best]), values[:, best], errors, used
    return found


def least(pieces: int) -> float:
    """The least error that x^2 allows."""
    return float(4 / (np.sqrt(180) * pieces**2))


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    square = {k: found["x^2", "one unit", k] for k in PIECES}
    wave = {units: [found["sin(3x)", units, k][0] for k in PIECES] for units in ("one unit", "difference of two")}
    median = {k: float(np.median(square[k][2])) / least(k) for k in PIECES}
    return [
        Claim(
            "two pieces make |x| (error below 0.001)",
            found["|x|", "one unit", 2][0] < 1e-3,
            f"{found['|x|', 'one unit', 2][0]:.1e}",
        ),
        Claim(
            "the more pieces, the better is the fit of x^2 (best of the starts)",
            all(square[a][0] > square[b][0] for a, b in itertools.pairwise(PIECES)),
            ", ".join(f"k={k}: {square[k][0]:.2g} ({square[k][0] / least(k):.2f} times the least)" for k in PIECES),
        ),
        Claim(
            "any start gets there (the median within 1.5 times the least for every k)",
            max(median.values()) < 1.5,
            ", ".join(
                f"k={k}: {m:.1f} times, with {np.mean(square[k][3]):.1f} pieces in use" for k, m in median.items()
            )
            + ". A piece that is never the largest gets no gradient: it is dead, as a relu may be",
        ),
        Claim(
            "one unit fits sin(3x) too, with enough pieces (error below 0.1)",
            min(wave["one unit"]) < 0.1,
            f"{min(wave['one unit']):.2f} at best: a maximum of affine maps is convex",
        ),
        Claim(
            "the difference of two units does (error below 0.1)",
            min(wave["difference of two"]) < 0.1,
            f"{min(wave['difference of two']):.2g} with k={PIECES[int(np.argmin(wave['difference of two']))]}",
        ),
    ]


def draw(found: Any) -> Any:
    """The fits with 4 pieces, and the error by pieces."""
    figure, axes = common.plots(3, width=12)
    for plot, name in zip(axes, ("x^2", "sin(3x)"), strict=False):
        plot.plot(X, TARGETS[name](X), color=common.COLORS[-1], linewidth=4, alpha=0.3, label=name)
        for (target, units, pieces), (_, values, *_) in found.items():
            if target == name and pieces == 4:
                color = common.COLORS[units != "one unit"]
                plot.plot(X, values, color=color, linewidth=1.8, label=f"{units}, 4 pieces")
        plot.set_title(name, fontsize=10, loc="left")
    for (name, units), color in zip(dict.fromkeys(key[:2] for key in found), common.COLORS, strict=False):
        errors = [found[name, units, k][0] for k in PIECES]
        axes[2].loglog(PIECES, errors, "o-", color=color, linewidth=1.8, markersize=3, label=f"{name}, {units}")
    axes[2].loglog(PIECES, [least(k) for k in PIECES], ":", color=common.COLORS[-1], label="the least for x^2")
    axes[2].set_title("error by pieces", fontsize=10, loc="left")
    for plot in axes:
        plot.legend(frameon=False, fontsize=8)
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
