"""examples/scale_out.py says what its numbers say."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tables import X, need

import actc

FOLDER = Path(__file__).resolve().parents[2] / "examples"
pytestmark = [
    pytest.mark.skipif(not FOLDER.exists(), reason="needs the source tree"),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Examples import each other by bare names, as scripts do."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in ("scale_out", "common"):
        sys.modules.pop(name, None)


def test_scale_out(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claims of correctness hold; those of speed are left to a machine with nothing else to do."""
    need("matplotlib", "dask", "zarr", "distributed")
    example: Any = importlib.import_module("scale_out")
    np.testing.assert_allclose(example.by_hand(X), actc.gelu_tanh(X), rtol=1e-4, atol=1e-5)
    found = example.measure(True)
    holds = [claim.holds for claim in example.claims(found)]
    assert holds[:2] == [True, True], example.claims(found)
    assert found["killed"] and found["bytes"] == 4 * 2**25
    assert len(found["same"]) == 5 and len(found["seconds"]) == len(found["memory"]) == 6
    for broken in (dict(same=[*found["same"][1:], False]), dict(killed=False)):
        assert not example.claims(found | broken)[0].holds
    slow = found["seconds"] | {(example.WAYS[0], 2): [1e9]}
    greedy = found["memory"] | {(example.WAYS[0], 1): example.LIMIT}
    assert not example.claims(found | dict(seconds=slow))[2].holds
    assert not example.claims(found | dict(memory=greedy))[1].holds
    monkeypatch.setattr(example, "measure", lambda quick: found)
    page = tmp_path / "page.md"
    page.write_text("a\n% begin: examples/scale_out.py\nold\n% end: examples/scale_out.py\nz\n")
    assert example.common.main(example, ["--quick", "--page", str(page), str(tmp_path / "picture.png")]) == 0
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    assert "holds: with a worker killed" in (printed := capsys.readouterr().out)
    written = "\n".join(example.table(found))
    assert written in printed and written in page.read_text() and "old" not in page.read_text()
    assert page.read_text().startswith("a\n% begin") and page.read_text().endswith("\nz\n")
    with pytest.raises(ValueError, match="0 places"):
        example.common.with_table("a\n", "scale_out", "")
    with pytest.raises(SystemExit):
        example.common.main(example, ["--page", str(tmp_path / "none.md")])


def test_memory_is_seen() -> None:
    """Of this process alone, and anew once it is told to forget."""
    need("zarr")
    example: Any = importlib.import_module("scale_out")
    before = example.forget_peak()
    assert np.ones(2**23).sum() == 2**23
    assert 2**26 - 2**22 < example.peak() - before < 2**26 + 2**24
    if sys.platform == "linux":
        assert example.forget_peak() < before + 2**25


def test_arrays_are_compared(tmp_path: Path) -> None:
    """A bit in the last chunk is seen, and the sign of zero."""
    zarr = need("zarr")
    example: Any = importlib.import_module("scale_out")
    x = np.zeros(example.CHUNK + 5, np.float32)
    np.save(tmp_path / "x.npy", x)
    stored = zarr.create_array(tmp_path / "x.zarr", shape=x.shape, chunks=(example.CHUNK,), dtype="f4")
    assert example.same_array(tmp_path / "x.npy", tmp_path / "x.zarr")
    stored[-1] = -0.0
    assert not example.same_array(tmp_path / "x.npy", tmp_path / "x.zarr")
