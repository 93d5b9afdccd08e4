"""Fixtures that more than one file uses. Tests take their functions from the table, never by name."""

from __future__ import annotations

import functools
import inspect
import itertools
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import oracle
import pytest

import actc
from actc import _core

ROWS = _core.rows()
TIERS = {"default": actc.elementwise, "exact": actc.exact.elementwise}
# attribute of a function -> how many arrays go in before the parameters, and how many come out
PASSES = {
    "": (1, 1),
    "derivative": (1, 1),
    "second_derivative": (1, 1),
    "backward": (2, 1),
    "value_and_derivative": (1, 2),
}
DTYPES = {name: f.dtype for name, f in oracle.FORMATS.items()}
BITS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def pass_of(f: Any, kind: str) -> Any:
    return getattr(f, kind) if kind else f


def bits(a: Any) -> np.ndarray:
    """The bit patterns of an array: what equality means when NaN and signed zeros count."""
    a = np.ascontiguousarray(a)
    return a.view(BITS[a.dtype.itemsize])


def magnitude(a: Any) -> tuple[np.ndarray, int]:
    """The bits without the sign, and those of infinity."""
    a = np.asarray(a)
    f = oracle.FORMATS[a.dtype.name]
    infinity = ((1 << (8 * a.dtype.itemsize - f.digits)) - 1) << (f.digits - 1)
    return (bits(a) & (2 ** (8 * a.dtype.itemsize - 1) - 1)).reshape(a.shape), infinity


def is_nan(a: Any) -> np.ndarray:
    """By the bits: ml_dtypes' own test warns of signalling NaN."""
    size, infinity = magnitude(a)
    return size > infinity


def is_finite(a: Any) -> np.ndarray:
    size, infinity = magnitude(a)
    return size < infinity


def numbers(a: Any) -> np.ndarray:
    """Bit patterns, every NaN the same: its sign, as of a negative root, is the compiler's."""
    a = np.ascontiguousarray(a)
    return np.where(is_nan(a), bits(np.full_like(a, np.nan)), bits(a)) if a.dtype.name in oracle.FORMATS else bits(a)


def same_bits(a: Any, b: Any) -> None:
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    np.testing.assert_array_equal(numbers(a), numbers(b))


def run_python(code: str, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter with this one's actc and the given environment variables."""
    path = os.pathsep.join([str(pathlib.Path(actc.__file__).parents[1]), str(oracle.HERE)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    if check:
        assert done.returncode == 0, done.stderr
    return done


def every_ufunc() -> Iterator[tuple[str, str, str, Any]]:
    """(tier, name, pass, ufunc) of the whole table."""
    for tier, functions in TIERS.items():
        for name, f in functions.items():
            for kind in PASSES:
                yield tier, name, kind, pass_of(f, kind)


UFUNCS = list(every_ufunc())
UFUNC_IDS = ["-".join(filter(None, u[:3])) for u in UFUNCS]


def each(**axes: Any) -> Callable[[Any], Any]:
    """One test that runs over everything there is of some arguments: as tests of their own, those of every ufunc would
    be a hundred thousand, and their bookkeeping would take longer than they do. A failure says where it was."""

    def decorate(test: Any) -> Any:
        signature = inspect.signature(test)

        @functools.wraps(test)
        def run_over(**arguments: Any) -> None:
            for values in itertools.product(*axes.values()):
                own = dict(zip(axes, values, strict=True))
                try:
                    test(**arguments, **own)
                except Exception as error:
                    error.add_note(", ".join(f"{name} = {value}" for name, value in own.items()))
                    raise

        left = [p for name, p in signature.parameters.items() if name not in axes]
        run_over.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return run_over

    return decorate


every_dtype = each(dtype=DTYPES.values())


def pytest_generate_tests(metafunc: Any) -> None:
    """`row`, `tier`, `kind`, `dtype` and `ufunc` in a test's arguments run over everything there is."""
    axes: dict[str, tuple[list[Any], list[str]]] = {
        "row": (ROWS, [r.name for r in ROWS]),
        "parametrised": ([r for r in ROWS if r.parameters], [r.name for r in ROWS if r.parameters]),
        "tier": (list(TIERS), list(TIERS)),
        "kind": (list(PASSES), [k or "forward" for k in PASSES]),
        "dtype": (list(DTYPES.values()), list(DTYPES)),
        "ufunc": (UFUNCS, UFUNC_IDS),
    }
    for name, (values, ids) in axes.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values, ids=ids)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: Any) -> oracle.Reference:
    try:
        return oracle.Reference(ROWS, tmp_path_factory.mktemp("reference"))
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs a C compiler with long double and __float128: {error}")


def arguments(ufunc: Any, dtype: Any, n: int = 100, seed: int = 0) -> list[np.ndarray]:
    """Arrays for one call at random, without parameters: the gradient first where the pass has one."""
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal(n) * 4).astype(dtype) for _ in range(ufunc.nin - len(arity(ufunc)))]


def arity(ufunc: Any) -> list[str]:
    """Names of the parameters of a ufunc, from its signature."""
    return [n for n, p in ufunc.__signature__.parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD and n != "out"]
