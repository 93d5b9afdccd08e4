"""What the examples that put a claim to the test have in common: a small network, the frame of a script, the picture.

Each of them states claims, measures, says of every claim whether it holds in what was measured, and draws a picture:

    python examples/vanishing_gradient.py [--quick] [picture.png]

One that has a `table` of figures prints it, and with `--page` puts it into a page between the lines that say so.
"""

from __future__ import annotations

import argparse
import itertools
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import actc

Array = np.ndarray[Any, Any]
COLORS = ("#1f6feb", "#bf3989", "#1a7f37", "#9a6700", "#8250df", "#57606a")


class Claim(NamedTuple):
    """What is said, whether it holds in what was measured, and the numbers."""

    said: str
    holds: bool
    measured: str


class Network:
    """Fully connected layers with one activation function, trained by plain gradient descent on the cross-entropy.

    Weights are (inputs, outputs), biases 0 at first; `shift` is added to what the function gives.
    """

    def __init__(
        self, f: str, sizes: Sequence[int], initialise: Callable[..., Array], rng: Any, shift: float = 0.0, **more: Any
    ) -> None:
        self.f, self.shift = actc.elementwise[f], np.float32(shift)
        rng = np.random.default_rng(rng)
        shapes = list(itertools.pairwise(sizes))
        self.weights = [initialise(shape, layout="keras", rng=rng, **more) for shape in shapes]
        self.biases = [np.zeros(outputs, np.float32) for _, outputs in shapes]

    def forward(self, x: Array) -> tuple[list[Array], list[Array]]:
        """The input of every layer, and what every layer computes before its activation; the last has none."""
        inputs, sums = [x], []
        for w, b in zip(self.weights, self.biases, strict=True):
            sums.append(inputs[-1] @ w + b)
            inputs.append(self.f(sums[-1]) + self.shift)
        return inputs[:-1], sums

    def gradients(self, x: Array, labels: Array) -> tuple[float, list[tuple[Array, Array]]]:
        """Cross-entropy, and its gradients with respect to the weights and the biases of every layer."""
        inputs, sums = self.forward(x)
        z = sums[-1] - sums[-1].max(1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
        rows = np.arange(len(x))
        loss, g = -float(log_p[rows, labels].mean()), np.exp(log_p)
        g[rows, labels] -= 1
        g /= len(x)
        found = []
        for layer in reversed(range(len(sums))):
            found.append((inputs[layer].T @ g, g.sum(0)))
            if layer:
                g = self.f.backward(g @ self.weights[layer].T, sums[layer - 1])
        return loss, found[::-1]

    def train(self, x: Array, labels: Array, rate: float, epochs: int, rng: Any, batch: int = 32) -> list[float]:
        """Mean loss of every epoch; ends early, with infinity, where the loss is not a number any more."""
        rng, losses = np.random.default_rng(rng), []
        for _ in range(epochs):
            order, sum_ = rng.permutation(len(x)), 0.0
            with np.errstate(all="ignore"):  # rates that are too high are part of some claims
                for start in range(0, len(x) - batch + 1, batch):
                    some = order[start : start + batch]
                    loss, gradients = self.gradients(x[some], labels[some])
                    for w, b, (gw, gb) in zip(self.weights, self.biases, gradients, strict=True):
                        w -= np.float32(rate) * gw
                        b -= np.float32(rate) * gb
                    sum_ += loss
            losses.append(sum_ / (len(x) // batch) if np.isfinite(sum_) else np.inf)
            if losses[-1] == np.inf:
                break
        return losses

    def accuracy(self, x: Array, labels: Array) -> float:
        """Share of the samples that are recognised."""
        with np.errstate(all="ignore"):
            return float((self.forward(x)[1][-1].argmax(1) == labels).mean())


def plots(count: int, width: float = 10.0) -> tuple[Any, list[Any]]:
    """A figure with so many plots beside each other."""
    from matplotlib.figure import Figure

    from actc._plot import SHADE, tidy

    figure = Figure(figsize=(width, 3.6), layout="constrained")
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    for a in axes:
        a.set_axisbelow(True)
        a.grid(axis="y", which="major", color=SHADE, linewidth=0.5)
        tidy(a)
    return figure, axes


def main(example: ModuleType | Any, arguments: Sequence[str] | None = None) -> int:
    """Run an example's `measure`, print its `claims`, write what its `draw` draws."""
    parser = argparse.ArgumentParser(description=example.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    name = Path(str(example.__file__)).stem
    parser.add_argument("picture", nargs="?", default=f"{name}.png", help="where to draw (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="smaller and fewer: seconds instead of a minute")
    if hasattr(example, "table"):
        parser.add_argument("--page", type=Path, metavar="FILE", help="the page whose table of figures is renewed")
    given = parser.parse_args(arguments)
    page = getattr(given, "page", None)
    if page and not page.is_file():
        parser.error(f"--page: there is no file {page}")
    start = time.perf_counter()
    found = example.measure(given.quick)
    print(f"{str(example.__doc__).strip().splitlines()[0]}\n")
    for claim in example.claims(found):
        print(f"{'holds' if claim.holds else 'DOES NOT HOLD'}: {claim.said}\n    {claim.measured}")
    if hasattr(example, "table"):
        lines = "\n".join(example.table(found))
        print(f"\n{lines}")
        if page:
            page.write_text(with_table(page.read_text(), name, lines))
    example.draw(found).savefig(given.picture, dpi=150)
    print(f"\n{given.picture}, {time.perf_counter() - start:.1f} s")
    return 0


def with_table(page: str, name: str, lines: str) -> str:
    """The page with these lines in the place that is marked for them."""
    first, last = f"% begin: examples/{name}.py\n", f"% end: examples/{name}.py\n"
    renewed, count = re.subn(f"(?<={first}).*?(?={last})", lambda _: f"\n{lines}\n\n", page, flags=re.S)
    if count != 1:
        raise ValueError(f"the page has {count} places between {first.strip()!r} and {last.strip()!r}, not one")
    return renewed
