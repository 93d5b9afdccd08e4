"""Do outputs that are not centred at zero make training slower?

It is said that where all inputs of a layer are positive, as sigmoid and relu make them, the updates of all weights of a
unit share one sign, so that gradient descent goes zig-zag; and that tanh and elu, (nearly) centred, learn faster. The
fair test is sigmoid against itself less 1/2: the same slopes, and the same set of networks, for biases make up for the
constant. The same for relu less its mean.
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

RELU_MEAN = 1 / np.sqrt(2 * np.pi)  # of relu(z), z standard normal
VARIANTS = {
    "sigmoid": ("sigmoid", 0.0),
    "sigmoid - 1/2": ("sigmoid", -0.5),
    "relu": ("relu", 0.0),
    "relu - mean": ("relu", -RELU_MEAN),
}
RATES = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0)


def one_sign(gradient: Any) -> float:
    """Share of the units, out of those that have a gradient, whose weights' gradients have one sign (or are 0)."""
    some = (gradient != 0).any(0)
    same = (gradient >= 0).all(0) | (gradient <= 0).all(0)
    return float(same[some].mean())


def measure(quick: bool) -> Any:
    """Means of outputs, signs of gradients by batch size, and the loss of each variant after training at each rate."""
    data = digits.load()
    z = np.random.default_rng(0).standard_normal(100_000)
    found: Any = {"means": {n: diagnostics.moments(actc.functions[n](z)) for n in ("sigmoid", "relu", "tanh", "elu")}}
    found["signs"] = {}
    for name, (f, shift) in VARIANTS.items():
        network = common.Network(f, (64, 128, 64, 10), init.he_normal, 0, shift, gain=f)
        shares = []
        for batch in (1, 32):
            some = [range(i, i + batch) for i in range(0, 320, batch)]
            shares.append(
                np.mean([one_sign(network.gradients(data.train_x[s], data.train_y[s])[1][1][0]) for s in some])
            )
        found["signs"][name] = shares
    found["losses"] = {}
    for name, (f, shift) in VARIANTS.items():
        for rate in RATES:
            runs = []
            for seed in range(2 if quick else 5):
                network = common.Network(f, (64, 128, 64, 10), init.he_normal, seed, shift, gain=f)
                runs.append(network.train(data.train_x, data.train_y, rate, epochs=5 if quick else 15, rng=seed)[-1])
            found["losses"][name, rate] = float(np.median(runs))
    return found


def best(found: Any, name: str) -> tuple[float, float]:
    """The least loss of a variant, and its rate."""
    return min((found["losses"][name, rate], rate) for rate in RATES)


def claims(found: Any) -> list[Claim]:
    """What is said, beside what was measured."""
    off = {name: abs(m.mean) / np.sqrt(m.variance + m.mean**2) for name, m in found["means"].items()}
    signs, losses = found["signs"], found["losses"]
    sides = {n: (best(found, n), best(found, c)) for n, c in (("sigmoid", "sigmoid - 1/2"), ("relu", "relu - mean"))}

    def said(name: str) -> str:
        (raw, rate), (centred, centred_rate) = sides[name]
        return f"loss {raw:.2g} at rate {rate:g}, centred {centred:.2g} at rate {centred_rate:g}"

    low = losses["sigmoid", RATES[0]] / losses["sigmoid - 1/2", RATES[0]]
    return [
        Claim(
            "tanh and elu are nearer to zero mean than sigmoid and relu",
            max(off["tanh"], off["elu"]) < min(off["sigmoid"], off["relu"]),
            "|mean| as a share of the root mean square: " + ", ".join(f"{n} {v:.2f}" for n, v in off.items()),
        ),
        Claim(
            "positive inputs give all weights of a unit gradients of one sign, sample by sample",
            signs["sigmoid"][0] == signs["relu"][0] == 1 and signs["sigmoid - 1/2"][0] < 0.1,
            ", ".join(f"{n} {v[0]:.0%}" for n, v in signs.items()) + " of the units",
        ),
        Claim(
            "so they do in a batch, on which gradient descent really goes",
            signs["sigmoid"][1] > 0.9 and signs["relu"][1] > 0.9,
            "in batches of 32: " + ", ".join(f"{n} {v[1]:.0%}" for n, v in signs.items()),
        ),
        Claim(
            "sigmoid learns faster when centred (a loss at least 1.5 times less, each at its best rate)",
            sides["sigmoid"][0][0] > 1.5 * sides["sigmoid"][1][0],
            f"{said('sigmoid')}; at rate {RATES[0]:g} for both the ratio is {low:.2f}: it helps at high rates",
        ),
        Claim(
            "relu learns faster when centred (a loss at least 1.5 times less, each at its best rate)",
            sides["relu"][0][0] > 1.5 * sides["relu"][1][0],
            said("relu"),
        ),
    ]


def draw(found: Any) -> Any:
    """Loss against the rate, and the signs."""
    figure, (left, right) = common.plots(2)
    for name, color in zip(VARIANTS, common.COLORS, strict=False):
        y = [found["losses"][name, rate] for rate in RATES]
        left.loglog(RATES, y, "o-", color=color, linewidth=1.8, markersize=3, label=name)
    left.set_title("training loss", fontsize=10, loc="left")
    left.set_xlabel("learning rate", fontsize=9)
    left.set_ylim(top=10)
    left.legend(frameon=False, fontsize=9)
    places = np.arange(len(VARIANTS))
    for i, batch in enumerate(("one sample", "batch of 32")):
        shares = [found["signs"][name][i] for name in VARIANTS]
        right.bar(places + 0.4 * i - 0.2, shares, width=0.36, color=common.COLORS[i], label=batch)
    right.set_xticks(places, list(VARIANTS))
    right.set_title("units with gradients of one sign", fontsize=10, loc="left")
    right.legend(frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    sys.exit(common.main(sys.modules[__name__]))
