"""Does the gradient vanish in a few layers of sigmoid, and pass through relu unchanged?

It is said that sigmoid', 0.25 at most, makes the gradient vanish after about five layers, that tanh', 1 at most, does
so later, and that relu', which is 0 or 1, leaves it as it is. Measured is the size of the gradient with respect to the
input of each layer of random networks, for weights as Xavier and He make them and for weights with the function's own
backward gain.
"""

from __future__ import annotations

import sys
from typing import Any

import common
import numpy as np
from common import Claim

from actc import diagnostics, init

NAMES = ("sigmoid", "tanh", "relu")
WEIGHTS: dict[str, Any] = {
    "Xavier": lambda f: 1.0,
    "He": lambda f: "relu",
    "own gain": lambda f: init.gain(f, "backward"),
}
LAYERS = 20


def measure(quick: bool) -> Any:
    """The gradient left after each number of layers on the way back: {(function, weights): array}."""
    width, samples = (128, 64) if quick else (256, 256)
    found = {}
    for name in NAMES:
        for weights, gain in WEIGHTS.items():
            rng = np.random.default_rng(0)
            layers = [
                init.xavier_normal((width, width), gain(name), layout="keras", rng=rng, dtype=float)
                for _ in range(LAYERS)
            ]
            x = rng.standard_normal((samples, width))
            found[name, weights] = diagnostics.gradient_attenuation(name, layers, x, rng=rng)[::-1]
    return found


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    left = {key: (size[5], size[LAYERS]) for key, size in found.items()}

    def said(name: str) -> str:
        return "; ".join(
            f"{w}: {left[name, w][0]:.2g} after 5 layers, {left[name, w][1]:.2g} after 20" for w in WEIGHTS
        )

    relu = [left["relu", w][1] for w in WEIGHTS]
    return [
        Claim(
            "with Xavier's and He's weights five layers of sigmoid make the gradient vanish (less than 1 in 100)",
            left["sigmoid", "Xavier"][0] < 0.01 and left["sigmoid", "He"][0] < 0.01,
            said("sigmoid"),
        ),
        Claim(
            "tanh keeps more of it than sigmoid",
            all(left["tanh", w][1] > 10 * left["sigmoid", w][1] for w in WEIGHTS),
            said("tanh"),
        ),
        Claim(
            "relu passes the gradient on unchanged, whatever the depth (within a factor of 2 after 20 layers)",
            all(0.5 < size < 2 for size in relu),
            f"{said('relu')}. Half of the paths are shut, so it shrinks by sqrt(2) a layer unless the weights make up "
            "for it, as He's do",
        ),
    ]


def draw(found: Any) -> Any:
    """A plot for each kind of weights, a line for each function."""
    figure, axes = common.plots(len(WEIGHTS))
    for plot, weights in zip(axes, WEIGHTS, strict=True):
        for name, color in zip(NAMES, common.COLORS, strict=False):
            plot.semilogy(range(LAYERS + 1), found[name, weights], color=color, linewidth=1.8, label=name)
        plot.set_title(f"{weights}: what is left of the gradient", fontsize=10, loc="left")
        plot.set_xlabel("layers back", fontsize=9)
        plot.set_ylim(1e-14, 10)
    axes[0].legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
