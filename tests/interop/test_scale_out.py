"""examples/scale_out.py says what its numbers say."""

from __future__ import annotations

import importlib
import sys
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


def test_scale_out(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claims of correctness hold; those of speed are left to a machine with nothing else to do."""
    need("matplotlib", "dask", "zarr", "distributed")
    monkeypatch.syspath_prepend(str(FOLDER))
    example: Any = importlib.import_module("scale_out")
    np.testing.assert_allclose(example.by_hand(X), actc.gelu_tanh(X), rtol=1e-4, atol=1e-5)
    found = example.measure(True)
    holds = [claim.holds for claim in example.claims(found)]
    assert holds[:2] == [True, True], example.claims(found)
    assert found["killed"] and found["bytes"] == 4 * 2**25
    for broken in (dict(same=False), dict(killed=False)):
        assert not example.claims(found | broken)[0].holds
    monkeypatch.setattr(example, "measure", lambda quick: found)
    assert example.common.main(example, ["--quick", str(tmp_path / "picture.png")]) == 0
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    assert "holds: with a worker killed" in capsys.readouterr().out
    for name in ("scale_out", "common"):
        del sys.modules[name]
