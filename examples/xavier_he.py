"""Do Xavier's weights suit sigmoid and tanh, and He's relu?

It is said that Xavier's variance 1/fan is made for sigmoid and tanh, and He's 2/fan for relu. Measured is what is left
of the differences between samples (the variance over the batch) layer by layer, with these weights and with the
function's own gain, and how a deep network learns real digits from them.
"""

from __future__ import annotations

import sys
from typing import Any

import common
import digits
import numpy as np
from common import Claim

import actc
from actc import diagnostics, init

NAMES = ("sigmoid", "tanh", "relu")
WEIGHTS: dict[str, Any] = {"Xavier": lambda f: 1.0, "He": lambda f: "relu", "own gain": lambda f: f}
LAYERS = 20
DEPTH = 12  # hidden layers of the network that learns
EARLY = 3  # epochs


def measure(quick: bool) -> Any:
    """Variances over the batch by layer, and test accuracy early and in the end, at the best of some rates."""
    width, samples = (128, 128) if quick else (256, 256)
    data, spread, early, accuracy = digits.load(), {}, {}, {}
    for name in NAMES:
        for weights, gain in WEIGHTS.items():
            rng = np.random.default_rng(0)
            shape, x = (width, width), rng.standard_normal((samples, width))
            layers = [
                init.xavier_normal(shape, gain(name), layout="keras", rng=rng, dtype=float) for _ in range(LAYERS)
            ]
            outputs = [x, *(actc.functions[name](z) for z in diagnostics.preactivations(name, layers, x))]
            spread[name, weights] = np.array([diagnostics.moments(y, axis=0).variance.mean() for y in outputs])
            scores = []
            for rate in (0.01, 0.1) if quick else (0.003, 0.01, 0.03, 0.1, 0.3):
                sizes = (64, *[64] * DEPTH, 10)
                network = common.Network(name, sizes, init.xavier_normal, 0, gain=gain(name))
                for epochs in (EARLY, (8 if quick else 20) - EARLY):
                    network.train(data.train_x, data.train_y, rate, epochs, rng=0)
                    scores.append(network.accuracy(data.test_x, data.test_y))
            early[name, weights], accuracy[name, weights] = max(scores[::2]), max(scores[1::2])
    return {"spread": spread, "early": early, "accuracy": accuracy}


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    spread, early, accuracy = found["spread"], found["early"], found["accuracy"]
    left = {key: s[LAYERS] / s[1] for key, s in spread.items()}

    def said(name: str) -> str:
        parts = (f"{w} {left[name, w]:.2g} (accuracy {accuracy[name, w]:.0%})" for w in WEIGHTS)
        return f"{name}, from layer 1 to {LAYERS}: " + ", ".join(parts)

    return [
        Claim(
            "with relu He's weights keep the differences between samples, Xavier's lose them (below 1 %)",
            left["relu", "He"] > 0.1 and left["relu", "Xavier"] < 0.01,
            said("relu"),
        ),
        Claim(
            f"a relu network of {DEPTH} layers starts to learn sooner from He's",
            early["relu", "He"] > early["relu", "Xavier"],
            f"{early['relu', 'He']:.1%} against {early['relu', 'Xavier']:.1%} after {EARLY} epochs",
        ),
        Claim(
            "and gets further (by 1 % at least)",
            accuracy["relu", "He"] > accuracy["relu", "Xavier"] + 0.01,
            f"{accuracy['relu', 'He']:.1%} against {accuracy['relu', 'Xavier']:.1%} in the end",
        ),
        Claim(
            "with tanh Xavier's weights keep the differences (above a half)",
            left["tanh", "Xavier"] > 0.5,
            f"{said('tanh')}. They are right for a tanh near 0, where it is the identity; where it bends it wants "
            f"{init.gain('tanh'):.2f} times as much",
        ),
        Claim(
            "with sigmoid Xavier's weights keep the differences (above a half)",
            left["sigmoid", "Xavier"] > 0.5,
            f"{said('sigmoid')}. All samples become one, as its slope is 1/4 at most; no gain of these is enough",
        ),
        Claim(
            f"a sigmoid network of {DEPTH} layers learns from Xavier's (over 50 %)",
            accuracy["sigmoid", "Xavier"] > 0.5,
            f"{accuracy['sigmoid', 'Xavier']:.0%}",
        ),
    ]


def draw(found: Any) -> Any:
    """A plot for each function, a line for each kind of weights."""
    figure, axes = common.plots(len(NAMES))
    for plot, name in zip(axes, NAMES, strict=True):
        for weights, color in zip(WEIGHTS, common.COLORS, strict=False):
            label = f"{weights}: learns to {found['accuracy'][name, weights]:.0%}"
            plot.semilogy(found["spread"][name, weights], color=color, linewidth=1.8, label=label)
        plot.set_title(f"{name}: variance over the batch", fontsize=10, loc="left")
        plot.set_xlabel("layer", fontsize=9)
        plot.set_ylim(1e-16, 10)
        plot.legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
