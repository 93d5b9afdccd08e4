"""Do relu units die at a high learning rate, and those of leaky_relu and elu not?

It is said that one large gradient can switch a relu off for ever, that with a high learning rate 40 % of a network may
die, and that leaky_relu and elu cure it. Measured, on real digits, is the share of hidden units whose slope is 0 for
every training sample, after some epochs of plain gradient descent at rates up to where training breaks down.
"""

from __future__ import annotations

import sys
from typing import Any

import common
import digits
import numpy as np
from common import Claim

from actc import diagnostics, init

NAMES = ("relu", "leaky_relu", "elu")
GOOD = 0.95  # test accuracy of a network that has learned


def measure(quick: bool) -> Any:
    """For each function and rate: shares of dead units and accuracies over the seeds; NaN where training diverged."""
    data = digits.load()
    rates = (0.1, 0.9, 1.3) if quick else (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6)
    found: Any = {"rates": rates}
    for name in NAMES:
        dead, accuracy = [], []
        for rate in rates:
            for seed in range(4):
                network = common.Network(name, (64, 128, 128, 10), init.he_normal, seed)
                losses = network.train(data.train_x, data.train_y, rate, epochs=6, rng=seed)
                diverged = losses[-1] == np.inf
                sums = [] if diverged else network.forward(data.train_x)[1][:-1]
                dead.append(np.mean([diagnostics.dead_units(name, z) for z in sums]) if sums else np.nan)
                accuracy.append(np.nan if diverged else network.accuracy(data.test_x, data.test_y))
        found[name] = np.reshape(dead, (len(rates), 4)), np.reshape(accuracy, (len(rates), 4))
    return found


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    dead, accuracy = found["relu"]
    learned = accuracy >= GOOD
    most, alive = np.nanmax(dead), np.max(dead[learned])
    high = max(r for r, a in zip(found["rates"], learned, strict=True) if a.all())
    at = found["rates"].index(high)
    others = {name: found[name] for name in NAMES[1:]}
    return [
        Claim(
            "at a low learning rate relu units do not die",
            dead[0].max() < 0.02,
            f"{dead[0].max():.1%} at rate {found['rates'][0]:g}",
        ),
        Claim(
            "at high ones many do, 40 % in the extreme",
            most >= 0.4,
            f"up to {most:.0%}. But networks that learned all the same (test accuracy {GOOD:.0%} and more) had lost "
            f"{alive:.0%} at most: where more die, training has broken down",
        ),
        Claim(
            "units of leaky_relu and elu do not die in networks that learn",
            all(d[a >= GOOD].max() == 0 for d, a in others.values()),
            "; ".join(f"{name} {d[a >= GOOD].max():.1%}" for name, (d, a) in others.items()),
        ),
        Claim(
            f"so they bear higher learning rates: they learn at {high:g} too, the highest at which relu always does",
            all((a[at] >= GOOD).all() for _, a in others.values()),
            "; ".join(
                f"{name}: {np.isnan(a[at]).sum()} of 4 diverged, {(a[at] >= GOOD).sum()} learned"
                for name, (_, a) in others.items()
            ),
        ),
    ]


def draw(found: Any) -> Any:
    """Dead units and accuracy against the rate; a line ends where every network diverged."""
    figure, (left, right) = common.plots(2)
    for name, color in zip(NAMES, common.COLORS, strict=False):
        for plot, values in zip((left, right), found[name], strict=True):
            mean = [np.mean(v[~np.isnan(v)]) if not np.isnan(v).all() else np.nan for v in values]
            plot.plot(found["rates"], mean, "o-", color=color, linewidth=1.8, markersize=3, label=name)
    left.set_title("share of dead units", fontsize=10, loc="left")
    right.set_title("test accuracy of networks that did not diverge", fontsize=10, loc="left")
    for plot in (left, right):
        plot.set_ylim(-0.02, 1.02)
        plot.set_xlabel("learning rate", fontsize=9)
    left.legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
