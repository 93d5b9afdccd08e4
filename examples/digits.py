"""Train a small network on handwritten digits whose only activation code is actc, and compare three functions.

The data are the 1,797 real 8x8 images of scikit-learn. The forward pass is `f(z)`, the backward pass the fused
`f.backward(g, z)`; everything else is matrix products in NumPy.

    python examples/digits.py [picture.png]
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import actc

NAMES = ("relu", "sigmoid", "gelu")
MUST_LEARN = ("relu", "gelu")  # sigmoid may lag behind: that is what the picture shows
GOAL = 0.95
EPOCHS = 40
COLORS = ("#1f6feb", "#bf3989", "#1a7f37")
Array = np.ndarray[Any, Any]


@dataclass
class Data:
    """Standardised images and their labels."""

    train_x: Array
    train_y: Array
    test_x: Array
    test_y: Array


def load(seed: int = 0) -> Data:
    """A fifth of the images is kept for the test; only the rest decides how to standardise."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped,import-not-found,unused-ignore]

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(images))
    images, labels = images[order].astype(np.float32), labels[order]
    train = len(images) * 4 // 5
    mean, deviation = images[:train].mean(0), images[:train].std(0)
    images = (images - mean) / np.maximum(deviation, 1)  # pixels that are always 0 stay 0
    return Data(images[:train], labels[:train], images[train:], labels[train:])


@dataclass
class Network:
    """64 pixels, two hidden layers, 10 digits; trained by Adam."""

    name: str
    sizes: tuple[int, ...] = (64, 128, 64, 10)
    seed: int = 0
    activation_seconds: float = 0.0
    weights: list[Array] = field(default_factory=list)
    momenta: list[tuple[Array, Array]] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        self.f = actc.elementwise[self.name]
        rng = np.random.default_rng(self.seed)
        for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False):
            he = rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)
            self.weights += [he.astype(np.float32), np.zeros(outputs, np.float32)]
        self.momenta = [(np.zeros_like(w), np.zeros_like(w)) for w in self.weights]

    def timed(self, ufunc: Any, *arrays: Array) -> Array:
        """Call actc, and remember how long it took."""
        start = time.perf_counter()
        result: Array = ufunc(*arrays)
        self.activation_seconds += time.perf_counter() - start
        return result

    def forward(self, x: Array) -> tuple[list[Array], list[Array]]:
        """Inputs of every layer, and what every layer computes before its activation."""
        inputs, sums = [x], []
        for w, b in zip(self.weights[::2], self.weights[1::2], strict=True):
            sums.append(inputs[-1] @ w + b)
            if len(sums) < len(self.weights) // 2:
                inputs.append(self.timed(self.f, sums[-1]))
        return inputs, sums

    def gradients(self, x: Array, labels: Array) -> tuple[float, list[Array]]:
        """Cross-entropy and its gradient with respect to every weight."""
        inputs, sums = self.forward(x)
        p = np.exp(sums[-1] - sums[-1].max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        rows = np.arange(len(x))
        loss = -float(np.log(np.maximum(p[rows, labels], 1e-30)).mean())
        p[rows, labels] -= 1
        g, found = p / len(x), []
        for layer in reversed(range(len(sums))):
            found += [g.sum(0), inputs[layer].T @ g]
            if layer:
                g = self.timed(self.f.backward, g @ self.weights[2 * layer].T, sums[layer - 1])
        return loss, found[::-1]

    def step(self, x: Array, labels: Array, rate: float) -> float:
        """One step of Adam on one batch."""
        loss, gradients = self.gradients(x, labels)
        self.steps += 1
        scale = rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for w, g, (m, v) in zip(self.weights, gradients, self.momenta, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            w -= np.float32(scale) * m / (np.sqrt(v) + 1e-8)
        return loss

    def accuracy(self, x: Array, labels: Array) -> float:
        """Share of the images that are recognised."""
        return float((self.forward(x)[1][-1].argmax(1) == labels).mean())


@dataclass
class Run:
    """What one training showed."""

    name: str
    losses: list[float]
    accuracies: list[float]
    seconds: float
    share: float

    def epochs_to(self, goal: float) -> int | None:
        return next((i + 1 for i, a in enumerate(self.accuracies) if a >= goal), None)


def train(name: str, data: Data, epochs: int = EPOCHS, batch: int = 32, rate: float = 1e-3, seed: int = 0) -> Run:
    """Train one network; the clock runs while it learns, not while it is tested."""
    network = Network(name, seed=seed)
    rng = np.random.default_rng(seed)
    losses, accuracies, seconds, spent = [], [], 0.0, 0.0
    for _ in range(epochs):
        order = rng.permutation(len(data.train_x))
        start, before = time.perf_counter(), network.activation_seconds
        batches = np.array_split(order, len(order) // batch)
        losses.append(float(np.mean([network.step(data.train_x[b], data.train_y[b], rate) for b in batches])))
        seconds += time.perf_counter() - start
        spent += network.activation_seconds - before
        accuracies.append(network.accuracy(data.test_x, data.test_y))
    return Run(name, losses, accuracies, seconds, spent / seconds)


def report(runs: list[Run]) -> None:
    """The table of results."""
    print(f"{'function':10} {'test accuracy':>14} {'epochs to 90 %':>15} {'seconds':>8} {'in activations':>15}")
    for run in runs:
        epochs = run.epochs_to(0.9) or "never"
        print(f"{run.name:10} {run.accuracies[-1]:14.1%} {epochs:>15} {run.seconds:8.2f} {run.share:15.1%}")


def picture(runs: list[Run], target: Path) -> None:
    """Each function beside its derivative, and how the networks learned."""
    from matplotlib.figure import Figure

    from actc._plot import SHADE, draw, tidy

    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=[3, 2], wspace=0.04)
    left, right = halves
    for run, color, axes in zip(runs, COLORS, left.subplots(len(runs), 2, sharex=True, squeeze=False), strict=False):
        draw(axes[0], axes[1], run.name, {}, color)
    loss, accuracy = right.subplots(2, 1, sharex=True)
    for run, color in zip(runs, COLORS, strict=False):
        epochs = range(1, len(run.losses) + 1)
        loss.plot(epochs, run.losses, color=color, linewidth=1.8, label=run.name)
        accuracy.plot(epochs, run.accuracies, color=color, linewidth=1.8, label=run.name)
    loss.set_yscale("log")
    loss.set_title("training loss", fontsize=10, loc="left")
    accuracy.set_title("test accuracy", fontsize=10, loc="left")
    accuracy.set_ylim(0.8, 1.0)
    accuracy.set_yticks([0.8, 0.85, 0.9, 0.95, 1.0])
    accuracy.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    accuracy.legend(frameon=False, fontsize=9, loc="lower right")
    accuracy.set_xlabel("epoch", fontsize=9)
    for axes in (loss, accuracy):
        axes.grid(axis="y", which="major", color=SHADE, linewidth=0.5)
        tidy(axes)
    figure.savefig(target, dpi=150)


def main(target: str = "demo.png") -> int:
    """Everything; the exit code says whether the networks learned."""
    data = load()
    count, test = len(data.train_x) + len(data.test_x), len(data.test_x)
    print(f"{count} images of digits, {test} of them for the test; {EPOCHS} epochs\n", flush=True)
    runs = [train(name, data) for name in NAMES]
    report(runs)
    picture(runs, Path(target))
    print(f"\nFunctions, derivatives and learning curves: {target}\n", flush=True)
    bench = [sys.executable, "-m", "actc", "bench", *NAMES, "--pass", "forward", "backward"]
    subprocess.run(bench, check=True)
    failed = [f"{r.name} {r.accuracies[-1]:.1%}" for r in runs if r.name in MUST_LEARN and r.accuracies[-1] < GOAL]
    if failed:
        print(f"\nbelow {GOAL:.0%} test accuracy: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
