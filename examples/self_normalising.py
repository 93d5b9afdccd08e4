"""Does SELU keep mean 0 and variance 1 through many layers?

It is said that with its two constants and weights of variance 1/fan_in activations are drawn to mean 0 and variance 1,
a fixed point, whatever the layers before did to them. Measured are mean and variance over units and samples, layer by
layer, from inputs that are off; and the same for relu and elu, and for SELU with weights that are not those.
"""

from __future__ import annotations

import sys
from typing import Any

import common
import numpy as np
from common import Claim

import actc
from actc import diagnostics, init

LAYERS = 50
NETWORKS = {
    "selu": ("selu", 1.0),
    "selu, He's weights": ("selu", "relu"),
    "relu, He's weights": ("relu", "relu"),
    "elu, its own gain": ("elu", "elu"),
}
START = 0.5, 1.5  # mean and variance of the inputs


def measure(quick: bool) -> Any:
    """For each network an array of (mean, variance) of the inputs and of what every layer gives."""
    width, samples = (256, 64) if quick else (512, 256)
    found = {}
    for name, (f, gain) in NETWORKS.items():
        rng = np.random.default_rng(0)
        x = START[0] + np.sqrt(START[1]) * rng.standard_normal((samples, width))
        shape = (width, width)
        weights = [init.lecun_normal(shape, gain, layout="keras", rng=rng, dtype=float) for _ in range(LAYERS)]
        outputs = [x, *(actc.functions[f](z) for z in diagnostics.preactivations(f, weights, x))]
        found[name] = np.array([diagnostics.moments(y) for y in outputs])
    return found


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""

    def said(name: str) -> str:
        mean, variance = found[name][-1]
        return f"{name}: mean {mean:.2g}, variance {variance:.2g}"

    selu, relu = found["selu"][10:], "relu, He's weights"
    return [
        Claim(
            f"from mean {START[0]}, variance {START[1]}, SELU is at 0 (+-0.1) and 1 (+-0.3) from layer 10 on",
            bool((abs(selu[:, 0]) < 0.1).all() and (abs(selu[:, 1] - 1) < 0.3).all()),
            f"means from {selu[:, 0].min():.3f} to {selu[:, 0].max():.3f}, "
            f"variances from {selu[:, 1].min():.2f} to {selu[:, 1].max():.2f}",
        ),
        Claim(
            "it needs weights of variance 1/fan_in: with He's the variance leaves 1 by more than a half",
            bool(abs(found["selu, He's weights"][-1, 1] - 1) > 0.5),
            said("selu, He's weights"),
        ),
        Claim(
            "relu and elu do not do that",
            bool(all(abs(found[n][-1] - (0, 1)).max() > 0.15 for n in ("relu, He's weights", "elu, its own gain"))),
            f"after layer {LAYERS} {said(relu)}; {said('elu, its own gain')}. "
            "Their gains keep the second moment, not where the mean is, nor do they draw it back to 1",
        ),
    ]


def draw(found: Any) -> Any:
    """Means and variances, layer by layer."""
    figure, (left, right) = common.plots(2)
    for (name, moments), color in zip(found.items(), common.COLORS, strict=False):
        left.plot(moments[:, 0], color=color, linewidth=1.8, label=name)
        right.semilogy(moments[:, 1], color=color, linewidth=1.8)
    for plot, title in ((left, "mean"), (right, "variance")):
        plot.set_title(f"{title} of activations", fontsize=10, loc="left")
        plot.set_xlabel("layer", fontsize=9)
    left.set_ylim(-0.5, 2)  # He's leave it, as the other plot shows
    left.legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
