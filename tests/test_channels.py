"""Parameters for each channel, through C: the same bits as NumPy's broadcasting through the ufuncs."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

import actc
from actc import _core

LIBRARY = ctypes.CDLL(actc.get_library())
LIBRARY.actc_find.restype = ctypes.c_void_p
PASSES = {"forward": 0, "derivative": 1, "backward": 2, "value_and_derivative": 3, "parameter_backward": 4}
CODES = {"float16": 0, "float32": 2, "float64": 3}
SHAPES = [(4, 3, 1), (1, 5, 7), (7, 3, 50), (2, 3, 64), (3, 2, 301), (5, 700, 2), (3, 1, 9), (300, 2, 3)]
PARAMETRISED = [row for row in _core.rows() if row.parameters]


def apply(
    row: Any, which: str, exact: bool, arrays: list[np.ndarray], outs: list[np.ndarray], params: Any, shape: Any
) -> int:
    def pointers(values: list[np.ndarray]) -> Any:
        return (ctypes.c_void_p * len(values))(*(v.ctypes.data for v in values))

    return LIBRARY.actc_apply_channels(
        ctypes.c_void_p(LIBRARY.actc_find(row.name.encode())), PASSES[which] + 256 * exact, CODES[arrays[0].dtype.name],
        pointers(arrays), pointers(outs), ctypes.c_size_t(arrays[0].size), ctypes.c_void_p(params.ctypes.data),
        ctypes.c_size_t(shape[1]), ctypes.c_size_t(shape[2]),
    )  # fmt: skip


def of_channels(row: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A row of values near the default for every parameter."""
    rng = np.random.default_rng(row.index)
    defaults = np.array(list(row.parameters.values()))[:, None]
    return np.ascontiguousarray(defaults + rng.uniform(0, 0.5, (defaults.size, shape[1])))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("real", CODES)
@pytest.mark.parametrize("row_", PARAMETRISED, ids=lambda r: r.name)
def test_as_broadcasting(row_: Any, real: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    x, g = ((3 * rng.normal(size=shape)).astype(real) for _ in range(2))
    params = of_channels(row_, shape)
    columns = [p[:, None] for p in params]
    for exact, functions in ((False, actc.elementwise), (True, actc.exact.elementwise)):
        f = functions[row_.name]
        for which, arrays, want in (
            ("forward", [x], [f(x, *columns)]),
            ("derivative", [x], [f.derivative(x, *columns)]),
            ("backward", [g, x], [f.backward(g, x, *columns)]),
            ("value_and_derivative", [x], f.value_and_derivative(x, *columns)),
        ):
            outs = [np.full_like(x, 7) for _ in want]
            assert apply(row_, which, exact, arrays, outs, params, shape) == 0
            for got, expected in zip(outs, want, strict=True):
                assert got.tobytes() == np.asarray(expected).tobytes(), which
    outs = [np.full(shape[1], 7.0) for _ in params]
    assert apply(row_, "parameter_backward", False, [g, x], outs, params, shape) == 0
    want = actc.elementwise[row_.name].parameter_backward(g, x, *columns)
    for got, expected in zip(outs, want.values(), strict=True):
        np.testing.assert_allclose(got, expected.ravel(), rtol=1e-12, atol=1e-10)


def test_refusals_write_nothing() -> None:
    elu, relu = (next(r for r in _core.rows() if r.name == n) for n in ("elu", "relu"))
    x, y = np.ones(12, "f4"), np.full(12, 7, "f4")
    params = np.ones(12)
    for row, shape in ((elu, (1, 5, 1)), (elu, (1, 0, 1)), (elu, (1, 1, 0)), (elu, (1, 4, 2)), (relu, (1, 3, 4))):
        assert apply(row, "forward", False, [x], [y], params, shape) == -1
    assert (y == 7).all()
