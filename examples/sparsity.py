"""Are half of all relu units exactly zero at first, and only 2^-N of the paths through N layers open?

It is said that one-sided functions give true zeros, not small values; that with weights centred at zero half of the
units are off before training; and that the share of paths through the network whose units are all on falls like 2^-N.
Measured are exact zeros, by layer and function, before training and after, and how many units are on for no sample.
"""

from __future__ import annotations

import sys
from typing import Any

import common
import digits
import numpy as np
from common import Claim

from actc import diagnostics, init

NAMES = ("relu", "gelu", "elu", "sigmoid")
LAYERS = 8
WIDTH = 128


def activations(network: common.Network, x: Any) -> list[Any]:
    """What comes out of every hidden layer."""
    return [network.f(z) for z in network.forward(x)[1][:-1]]


def measure(quick: bool) -> Any:
    """Zeros by layer; for relu also open paths by sample, dead units, and all of that after training."""
    data = digits.load()
    found: Any = {}
    for name in NAMES:
        network = common.Network(name, (64, *[WIDTH] * LAYERS, 10), init.he_normal, 0, gain=name)
        for when in ("before", "after"):
            if when == "after":
                network.train(data.train_x, data.train_y, 0.03, epochs=5 if quick else 30, rng=0)
            outputs = activations(network, data.train_x)
            zeros = [diagnostics.sparsity(y) for y in outputs]
            # of all paths, WIDTH^N of them, those whose units are all on: the product of the shares that are
            on = np.stack([1 - diagnostics.sparsity(y, axis=1) for y in outputs])
            dead = np.mean([diagnostics.dead_units(name, z) for z in network.forward(data.train_x)[1][:-1]])
            found[name, when] = {"zeros": zeros, "paths": np.cumprod(on, axis=0).mean(1), "dead": dead}
        found[name, "accuracy"] = network.accuracy(data.test_x, data.test_y)
    return found


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    before, after = found["relu", "before"], found["relu", "after"]
    others = {name: max(found[name, "before"]["zeros"] + found[name, "after"]["zeros"]) for name in NAMES[1:]}
    base = before["paths"][-1] ** (1 / LAYERS)
    return [
        Claim(
            "half of the relu units are zero before training (45 to 55 % in each layer)",
            all(0.45 < share < 0.55 for share in before["zeros"]),
            "by layer: " + ", ".join(f"{share:.0%}" for share in before["zeros"]),
        ),
        Claim(
            "others have next to none (in float32, less than 1 % in any layer)",
            max(others.values()) < 0.01,
            ", ".join(f"{name} {share:.2%}" for name, share in others.items())
            + "; those that there are come of underflow (gelu below -13)",
        ),
        Claim(
            "open paths fall like 2^-N before training (a factor of 0.45 to 0.55 a layer)",
            0.45 < base < 0.55,
            f"{before['paths'][-1]:.2g} after {LAYERS} layers, {base:.3f} a layer",
        ),
        Claim(
            "training keeps relu sparse (40 to 60 % zeros in each layer)",
            all(0.4 < share < 0.6 for share in after["zeros"]),
            "by layer: "
            + ", ".join(f"{share:.0%}" for share in after["zeros"])
            + f"; test accuracy {found['relu', 'accuracy']:.0%}",
        ),
        Claim(
            "zero for one sample is not dead: fewer than 5 % of the units are zero for all",
            before["dead"] < 0.05 and after["dead"] < 0.05,
            f"{before['dead']:.1%} before, {after['dead']:.1%} after training",
        ),
    ]


def draw(found: Any) -> Any:
    """Zeros and open paths, layer by layer."""
    figure, (left, right) = common.plots(2)
    layers = range(1, LAYERS + 1)
    for name, color in zip(NAMES, common.COLORS, strict=False):
        for when, style in (("before", "-"), ("after", "--")):
            label = f"{name}, {when} training"
            left.plot(layers, found[name, when]["zeros"], style, color=color, linewidth=1.8, label=label)
    for when, style in (("before", "-"), ("after", "--")):
        right.semilogy(
            layers, found["relu", when]["paths"], style, color=common.COLORS[0], label=f"relu, {when} training"
        )
    right.semilogy(layers, 0.5 ** np.array(layers), ":", color=common.COLORS[-1], label="2^-N")
    left.set_title("share of exact zeros", fontsize=10, loc="left")
    left.set_ylim(-0.02, 1)
    right.set_title("share of open paths", fontsize=10, loc="left")
    for plot in (left, right):
        plot.set_xlabel("layer", fontsize=9)
        plot.legend(frameon=False, fontsize=8)
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
