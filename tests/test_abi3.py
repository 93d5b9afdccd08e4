"""One build of the extensions for Python 3.12 and all later ones: setup.py says when, and what was built says so."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from actc import _core, _others, _rows, views


@pytest.mark.skipif(sys.platform == "win32", reason="has no such suffix")
@pytest.mark.parametrize("module", [_core, _others, _rows, views], ids=lambda m: m.__name__)
def test_limited_api(module: object) -> None:
    limited = sys.version_info >= (3, 12) and not sysconfig.get_config_var("Py_GIL_DISABLED")
    name = Path(str(module.__file__)).name  # type: ignore[attr-defined]
    assert name.endswith(".abi3.so") == limited, name


def test_wheels_are_built_for_it() -> None:
    """The oldest Python has a wheel of its own, 3.12 the one for the others, and Pythons without a GIL theirs."""
    project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if not project.exists():
        pytest.skip("needs the source tree")
    import tomllib

    config = tomllib.loads(project.read_text())["tool"]["cibuildwheel"]
    assert {"cp311-*", "cp312-*", "cp314t-*"} <= set(config["build"])
    (override,) = config["overrides"]
    repair, audit = override["repair-wheel-command"]
    assert repair == config["linux"]["repair-wheel-command"] and "abi3audit --strict" in audit
