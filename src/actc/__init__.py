"""Neural-network activation functions and their derivatives, as NumPy ufuncs on a C library.

>>> import numpy as np, actc
>>> x = np.array([-1.0, 0.0, 2.0], np.float32)
>>> actc.relu(x)
array([0., 0., 2.], dtype=float32)
>>> actc.elu.derivative(x, alpha=0.5)
array([0.18393973, 0.5       , 1.        ], dtype=float32)

Every function f of `actc.functions` has `f.derivative(x)`, `f.second_derivative(x)`, `f.backward(g, x)`,
`f.value_and_derivative(x)` and `f.info`; functions with parameters have `f.parameter_backward(g, x)`. Every gate of
`actc.gates` has `f(a, b)`, `f.backward(g, a, b)` and, for one array, `f.packed(x, layout=...)`. `actc.exact` is the
same surface, correctly rounded; `actc.preset("torch")` and the like have another library's names and defaults.
"""

import os as _os

from actc import _gates, _row_surface, _rrelu, _surface
from actc._config import cpu_features, get_cmake_dir, get_include, get_library, get_library_dir, show_config
from actc._core import isa, isas, use_isa
from actc._version import __version__

if "ACTC_ISA" in _os.environ:  # the C library ignores a name that it does not know; Python should not
    use_isa(_os.environ["ACTC_ISA"])

functions, _flat = _surface.build(exact=False)
gates, _flat_gates = _gates.build(exact=False)
_flat |= _flat_gates | _rrelu.build(functions, exact=False)
row_functions, _of_rows = _row_surface.build(exact=False)
_flat.update(_of_rows)
globals().update(_flat)

__all__ = [
    "__version__",
    "cpu_features",
    "diagnostics",
    "exact",
    "functions",
    "gates",
    "get_cmake_dir",
    "get_include",
    "get_library",
    "get_library_dir",
    "init",
    "isa",
    "isas",
    "maxout_layer",
    "preset",
    "row_functions",
    "show_config",
    "use_isa",
    *_flat,
]


def __getattr__(name: str) -> object:
    """What is loaded when asked for: `actc.exact` and its functions, `actc.views`, `actc.init`, `actc.diagnostics`,
    `actc.preset`, `actc.maxout_layer`; and an answer to misspelt names."""
    import importlib

    if name in ("exact", "views", "init", "diagnostics"):
        return importlib.import_module(f"actc.{name}")
    if name == "preset":
        return importlib.import_module("actc._presets").preset
    if name == "maxout_layer":
        return importlib.import_module("actc._maxout_layer").maxout_layer
    if name.removeprefix("exact_") in _flat:  # as pickle asks for it
        return getattr(importlib.import_module("actc.exact"), name.removeprefix("exact_"))
    import difflib

    near = difflib.get_close_matches(name, _flat, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise AttributeError(f"module 'actc' has no attribute {name!r}{hint}")
