"""Neural-network activation functions and their derivatives, as NumPy ufuncs on a C library.

>>> import numpy as np, actc
>>> x = np.array([-1.0, 0.0, 2.0], np.float32)
>>> actc.relu(x)
array([0., 0., 2.], dtype=float32)
>>> actc.elu.derivative(x, alpha=0.5)
array([0.18393973, 0.5       , 1.        ], dtype=float32)

Every function f of `actc.functions` has `f.derivative(x)`, `f.backward(g, x)` and `f.value_and_derivative(x)`;
functions with parameters have `f.parameter_backward(g, x)`. `actc.exact` is the same surface, correctly rounded.
"""

import os as _os

from actc import _surface
from actc._config import cpu_features, get_cmake_dir, get_include, get_library, get_library_dir, show_config
from actc._core import isa, isas, use_isa
from actc._version import __version__

if "ACTC_ISA" in _os.environ:  # the C library ignores a name that it does not know; Python should not
    use_isa(_os.environ["ACTC_ISA"])

functions, _flat = _surface.build(exact=False)
globals().update(_flat)

from actc import exact  # noqa: E402

globals().update({f"exact_{name}": f for name, f in exact._flat.items()})

__all__ = [
    "__version__",
    "cpu_features",
    "exact",
    "functions",
    "get_cmake_dir",
    "get_include",
    "get_library",
    "get_library_dir",
    "isa",
    "isas",
    "show_config",
    "use_isa",
    *_flat,
]


def __getattr__(name: str) -> object:
    """`actc.views`, loaded when asked for; and an answer to misspelt names."""
    if name == "views":
        import importlib

        return importlib.import_module("actc.views")
    import difflib

    near = difflib.get_close_matches(name, _flat, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise AttributeError(f"module 'actc' has no attribute {name!r}{hint}")
