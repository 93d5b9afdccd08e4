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

if _os.name == "nt":  # where there is no run path
    _os.add_dll_directory(_os.path.join(_os.path.dirname(__file__), "lib"))

from actc import _surface
from actc._config import cpu_features, get_cmake_dir, get_include, get_library, get_library_dir, show_config
from actc._core import isa, isas, use_isa
from actc._threads import from_environment as _from_environment
from actc._threads import get_num_threads, set_num_threads, threads
from actc._version import __version__

if "ACTC_ISA" in _os.environ:  # the C library ignores a name that it does not know; Python should not
    use_isa(_os.environ["ACTC_ISA"])
if "ACTC_NUM_THREADS" in _os.environ:
    _from_environment(_os.environ["ACTC_NUM_THREADS"])

elementwise, _flat = _surface.build(exact=False)
globals().update(_flat)

_MODULES = ("diagnostics", "exact", "init", "interop", "views")
_LAZY = {"preset": "_presets", "maxout_layer": "_maxout_layer"}


def _make_all() -> None:
    """Make the functions that are not elementwise, when first asked for: they would double the time of an import."""
    import importlib

    mappings, flat = importlib.import_module("actc._more").default
    names = ["__version__", *(n for n in globals() if not n.startswith("_"))]
    _flat.update(flat)
    public = sorted({*names, *mappings, *_flat, *_MODULES, *_LAZY})
    globals().update(mappings, **_flat, __all__=public)


def __dir__() -> list[str]:
    if "functions" not in globals():
        _make_all()
    return list(globals()["__all__"])


def __getattr__(name: str) -> object:
    """What is loaded when asked for: `actc.exact` and its functions, `actc.views`, `actc.init`, `actc.diagnostics`,
    `actc.preset`, `actc.maxout_layer`, what `_make_all` makes; and an answer to misspelt names."""
    if name.startswith("_") and name != "__all__":  # as imports of submodules ask
        raise AttributeError(f"module 'actc' has no attribute {name!r}")
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"actc.{name}")
    if name in _LAZY:
        return getattr(importlib.import_module(f"actc.{_LAZY[name]}"), name)
    if "functions" not in globals():
        _make_all()
        if name in globals():
            return globals()[name]
    if name.removeprefix("exact_") in _flat:  # as pickle asks for it
        return getattr(importlib.import_module("actc.exact"), name.removeprefix("exact_"))
    import difflib

    near = difflib.get_close_matches(name, _flat, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise AttributeError(f"module 'actc' has no attribute {name!r}{hint}")
