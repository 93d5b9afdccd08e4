"""What the tests of this directory run over: every function of `actc.functions`, as calls on arrays.

Expected are the bits that the same call gives on plain arrays. crelu makes two elements of one and is tested with the
functions of rows.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np
import pytest

import actc

REQUIRED = {"apl": {"a": [0.2, -0.1], "b": [0.0, 1.0]}}
NAMES = [name for name in actc.functions if name != "crelu"]
X = np.random.default_rng(0).standard_normal(24).astype(np.float32) * 3
G = np.random.default_rng(1).standard_normal(24).astype(np.float32)


def need(*modules: str) -> Any:
    """The last of the modules, or the test is skipped."""
    for module in modules:
        pytest.importorskip(module, reason=f"{module} is missing: pip install 'actc[interop]'")
    return importlib.import_module(modules[-1])


def passes(name: str, *kinds: str) -> dict[str, Any]:
    """Passes of a function as calls that need no parameters; "" is the forward one."""
    f = actc.functions[name]
    return {k: functools.partial(getattr(f, k) if k else f, **REQUIRED.get(name, {})) for k in kinds}


def of_one(name: str) -> dict[str, Any]:
    """Passes that make one array of one."""
    return passes(name, "", "derivative", "second_derivative")


def other(name: str) -> dict[str, float]:
    """Parameters that are not the defaults."""
    return other_of(actc.functions[name]) if name in actc.functions else {}


def other_of(f: Any) -> dict[str, float]:
    return {p: v * 0.75 + 0.125 for p, v in getattr(f, "parameters", {}).items()}


ROWS = [name for name in actc.row_functions if name != "maxout"]
# those of them whose gradient can be differentiated
TWICE = {"softmax", "softmin", "log_softmax", "logsumexp", "logmeanexp", "hardmax", "sparsemax"}
every_function = pytest.mark.parametrize("name", NAMES)
every_row_function = pytest.mark.parametrize("name", [n for n, f in actc.row_functions.items() if n != "maxout"])
