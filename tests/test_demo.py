"""The demonstration learns, and its gradients are those of its loss."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "digits.py"

pytest.importorskip("sklearn")
pytestmark = pytest.mark.skipif(not EXAMPLE.exists(), reason="needs the source tree")


@pytest.fixture(scope="module")
def digits():
    import sys

    spec = importlib.util.spec_from_file_location("digits_example", EXAMPLE)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def data(digits):
    return digits.load()


def test_data(data):
    assert len(data.train_x) + len(data.test_x) == 1797
    assert data.train_x.dtype == np.float32 and abs(data.train_x.mean()) < 1e-3
    assert set(data.test_y) == set(range(10))


def test_two_epochs(digits, data, tmp_path):
    runs = [digits.train(name, data, epochs=2) for name in digits.NAMES]
    for run in runs:
        assert run.losses[1] < run.losses[0] and 0 < run.share < 1
    assert all(run.accuracies[-1] > 0.8 for run in runs if run.name in digits.MUST_LEARN)
    pytest.importorskip("matplotlib")
    digits.picture(runs, tmp_path / "demo.png")
    assert (tmp_path / "demo.png").stat().st_size > 20_000


def test_gradients(digits, data):
    """Against differences of the loss, along a random direction of each weight."""
    for name in digits.NAMES:
        network = digits.Network(name)
        x, labels = data.train_x[:8].astype(np.float64), data.train_y[:8]
        network.weights = [w.astype(np.float64) + 0.01 for w in network.weights]
        _, gradients = network.gradients(x, labels)
        rng, h = np.random.default_rng(0), 1e-7
        for i, g in enumerate(gradients):
            w, direction = network.weights[i], rng.standard_normal(g.shape)
            losses = []
            for sign in (1, -1):
                network.weights[i] = w + sign * h * direction
                losses.append(network.gradients(x, labels)[0])
            network.weights[i] = w
            assert (losses[0] - losses[1]) / (2 * h) == pytest.approx((g * direction).sum(), rel=1e-3, abs=1e-7)
