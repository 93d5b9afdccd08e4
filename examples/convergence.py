"""Do networks learn faster with relu than with sigmoid or tanh, and fastest with elu?

It is said that relu converges much faster than sigmoid and tanh, and that elu, leaky_relu, relu, tanh, sigmoid is the
order of merit. Measured on real digits are training loss and test accuracy, each function with weights at its own gain,
at one learning rate for all and at the best of several for each.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import common
import digits
import numpy as np
from common import Claim

from actc import init

NAMES = ("elu", "leaky_relu", "relu", "tanh", "sigmoid")  # in the order that is told
RATES = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0)
COMMON = RATES[0]  # the rate for all


def measure(quick: bool) -> Any:
    """The losses of every epoch, and the test accuracy: {(function, rate): ((seeds, epochs), (seeds,))}."""
    data, found = digits.load(), {}
    for name in NAMES:
        for rate in RATES:
            losses, accuracies = [], []
            for seed in range(3 if quick else 8):
                network = common.Network(name, (64, 128, 64, 10), init.he_normal, seed, gain=name)
                epochs = 6 if quick else 20
                run = network.train(data.train_x, data.train_y, rate, epochs, rng=seed)
                losses.append(run + [np.inf] * (epochs - len(run)))
                accuracies.append(network.accuracy(data.test_x, data.test_y))
            found[name, rate] = np.array(losses), np.array(accuracies)
    return found


def best_rate(found: Any, name: str) -> float:
    """The rate of the least loss in the end, in the median of the seeds."""
    return min(RATES, key=lambda rate: float(np.median(found[name, rate][0][:, -1])))


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    at_one = {name: float(np.median(found[name, COMMON][0][:, -1])) for name in NAMES}
    rates = {name: best_rate(found, name) for name in NAMES}
    at_best = {name: float(np.median(found[name, rates[name]][0][:, -1])) for name in NAMES}
    accuracy = {name: float(found[name, rates[name]][1].mean()) for name in NAMES}
    error = {name: float(found[name, rates[name]][1].std()) / np.sqrt(len(found[name, COMMON][1])) for name in NAMES}
    apart = max(accuracy.values()) - min(accuracy.values())

    def said(losses: dict[str, float]) -> str:
        return ", ".join(f"{name} {losses[name]:.2g}" for name in sorted(losses, key=lambda n: losses[n]))

    return [
        Claim(
            f"at one learning rate ({COMMON:g}) relu's loss is less than half of tanh's and of sigmoid's",
            at_one["relu"] < 0.5 * min(at_one["tanh"], at_one["sigmoid"]),
            said(at_one),
        ),
        Claim(
            "each at its best rate, relu's loss is less than half of sigmoid's",
            at_best["relu"] < 0.5 * at_best["sigmoid"],
            said(at_best),
        ),
        Claim(
            "each at its best rate, relu's loss is less than half of tanh's",
            at_best["relu"] < 0.5 * at_best["tanh"],
            "best rates: " + ", ".join(f"{name} {rates[name]:g}" for name in NAMES),
        ),
        Claim(
            "the order is elu, leaky_relu, relu, tanh, sigmoid (of the losses, each at its best rate)",
            all(at_best[a] < at_best[b] for a, b in itertools.pairwise(NAMES)),
            said(at_best),
        ),
        Claim(
            "it is the order of the test accuracies too",
            all(accuracy[a] > accuracy[b] for a, b in itertools.pairwise(NAMES)),
            ", ".join(f"{name} {accuracy[name]:.1%} +- {error[name]:.1%}" for name in NAMES)
            + f": all within {apart:.1%}, as this task is an easy one",
        ),
    ]


def draw(found: Any) -> Any:
    """Losses by epoch at one rate and at the best, and by rate."""
    figure, axes = common.plots(3, width=12)
    for name, color in zip(NAMES, common.COLORS, strict=False):
        best = best_rate(found, name)
        for plot, rate in zip(axes, (COMMON, best), strict=False):
            losses = np.median(found[name, rate][0], axis=0)
            plot.semilogy(range(1, len(losses) + 1), losses, color=color, linewidth=1.8, label=f"{name}, {rate:g}")
        ends = [np.median(found[name, rate][0][:, -1]) for rate in RATES]
        axes[2].loglog(RATES, ends, "o-", color=color, linewidth=1.8, markersize=3, label=name)
    for plot, title in zip(axes, ("at one rate", "at the best rate", "in the end, by rate"), strict=True):
        plot.set_title(f"training loss {title}", fontsize=10, loc="left")
        plot.legend(frameon=False, fontsize=8)
    for plot, label in zip(axes, ("epoch", "epoch", "learning rate"), strict=True):
        plot.set_xlabel(label, fontsize=9)
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
