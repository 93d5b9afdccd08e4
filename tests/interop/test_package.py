"""`actc.interop` itself: loaded when asked for, complete, and its text says what holds."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
import pytest
from conftest import run_python, same_bits
from tables import X, need, other

import actc
from actc import interop


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    run_python(
        "import sys, actc\n"
        "assert not any(m.startswith('actc.interop') for m in sys.modules)\n"
        "assert 'interop' in dir(actc) and actc.interop.__name__ == 'actc.interop'\n"
        "assert not {'torch', 'jax', 'autograd', 'dask', 'zarr'} & set(sys.modules)"
    )


@pytest.mark.parametrize("library", ["torch", "jax", "autograd"])
def test_each_has_every_function(library: str) -> None:
    need(library)
    module: Any = importlib.import_module(f"actc.interop.{library}")
    every = {**actc.elementwise, **actc.gates, **actc.row_functions}
    del every["maxout"]
    assert set(every) <= set(module.__all__) <= set(vars(module))
    for name, f in every.items():
        made = getattr(module, name)
        assert (made.__name__, made.__module__) == (name, module.__name__)
        assert f.formula in made.__doc__
        signature = inspect.signature(made)
        inputs = ["a", "b"] if name in actc.gates else ["x"]
        own = {**f.parameters, **({"axis": -1} if name in actc.row_functions else {})}
        assert list(signature.parameters) == [*inputs, *own]
        assert {n: p.default for n, p in signature.parameters.items() if n not in inputs} == own
    assert f"`actc.interop.{library}`" in (interop.__doc__ or "")


def test_what_gives_plain_arrays_of_dask() -> None:
    """Functions that are no ufuncs compute at once; block by block they are as lazy as any."""
    da = need("dask.array")
    x, x_lazy = X.reshape(4, 6), da.from_array(X.reshape(4, 6), chunks=(2, 6))
    assert isinstance(actc.maxout(x_lazy, 2), np.ndarray)
    assert isinstance(actc.glu.packed(x_lazy), np.ndarray)
    for f, columns in ((lambda b: actc.maxout(b, 2), 3), (actc.glu.packed, 3), (actc.crelu, 12)):
        lazy = x_lazy.map_blocks(f, chunks=(2, columns), dtype=np.float32)
        assert isinstance(lazy, da.Array)
        same_bits(lazy.compute(), f(x))


@pytest.mark.parametrize("name", [n for n, f in actc.elementwise.items() if f.parameters])
def test_parameter_backward_takes_other_arrays(name: str) -> None:
    """Its sums are computed at once, whatever the arrays are."""
    da = need("dask.array")
    f, x = actc.elementwise[name], da.from_array(X, chunks=7)
    wanted = f.parameter_backward(X, X, **other(name))
    for p, total in f.parameter_backward(x, x, **other(name)).items():
        same_bits(total, wanted[p])


def test_dlpack_alone() -> None:
    """A bare exporter is an object to NumPy."""

    class Exporter:
        def __dlpack__(self, **options: Any) -> Any:
            return X.__dlpack__(**options)

        def __dlpack_device__(self) -> Any:
            return X.__dlpack_device__()

    with pytest.raises(TypeError):
        actc.gelu(Exporter())
    same_bits(actc.gelu(np.from_dlpack(Exporter())), actc.gelu(X))
