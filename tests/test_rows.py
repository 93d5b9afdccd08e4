"""Row functions: against their formulas in mpmath, in every layout, on every instruction set; and as gufuncs."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import DTYPES, each, every_dtype, numbers, run_python
from mpmath import mp, mpf

import actc
from actc import _rows

TABLE = _rows.rows()
TIERS = {"default": actc.row_functions, "exact": actc.exact.row_functions}
every_op = pytest.mark.parametrize("op", TABLE, ids=[r.name for r in TABLE])
# float32, halves, float64; `exact` float64 is the default kernel
FORWARD = {"default": {"float32": 3, "float64": 4}, "exact": {"float32": 1, "float64": 4}}
BACKWARD = {"default": {"float32": 4, "float64": 4}, "exact": {"float32": 1, "float64": 4}}


def kinds_of(op: Any) -> list[str]:
    return [k for k in ("", "backward", "derivative", "second_derivative", "value_and_derivative")
            if not k or hasattr(TIERS["default"][op.name], k)]  # fmt: skip


def gufunc(op: Any, tier: str = "default", kind: str = "") -> Any:
    f = TIERS[tier][op.name]
    return getattr(f, kind) if kind else f


def shapes(op: Any, kind: str, lead: tuple[int, ...], n: int) -> list[tuple[int, ...]]:
    """Shapes of the inputs, rows along the last axis."""
    y = {"map": (n,), "reduce": (), "doubled": (2 * n,)}[op.shape]
    return [lead + y, (*lead, n)] if kind == "backward" else [(*lead, n)]


def inputs(op: Any, kind: str, dtype: Any, lead: tuple[int, ...], n: int, seed: int = 0, scale: float = 3) -> list[Any]:
    rng = np.random.default_rng(seed)
    made = [(rng.standard_normal(s) * scale).astype(dtype) for s in shapes(op, kind, lead, n)]
    if kind == "backward" and op.backward_from == "y":
        made[1] = TIERS["exact"][op.name](made[1])
    return made


def call(f: Any, op: Any, arrays: list[Any], axis: int = -1, **kwargs: Any) -> Any:
    """f on rows along `axis`; groups of a grouped function are whole rows, so that all are called alike."""
    if op.grouped:
        n = arrays[-1].shape[axis]
        if len(arrays) == 2:
            arrays = [np.expand_dims(arrays[0], axis), arrays[1]]
            return f(*arrays, pieces=n, axis=axis, **kwargs)
        return np.squeeze(f(*arrays, pieces=n, axis=axis, **kwargs), axis)
    return f(*arrays, axis=axis, **kwargs)


def same(a: Any, b: Any) -> None:
    for one, other in zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(numbers(one), numbers(other))


# ---- values ------------------------------------------------------------------------------------------------------

ROWS_TO_TRY = [  # name of the distribution, length, scale
    ("one", 1, 1), ("two", 2, 8), ("short", 10, 1), ("vector", 16, 3), ("more", 17, 10), ("long", 150, 3),
    ("large", 40, 300), ("beyond", 12, 30000),
]  # fmt: skip


def row_to_try(which: str, n: int, scale: float, dtype: Any, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal(n) * scale
    if seed % 3 == 1 and n > 1:
        x[n // 2] += 20 + seed  # one is far ahead
    return np.clip(x, -60000, 60000).astype(dtype)


def scope(op: Any, **names: Any) -> dict[str, Any]:
    """Names of a formula: sums as mpmath takes them, in a precision in which nothing cancels."""
    functions = {n: getattr(mp, n) for n in ("exp", "log", "sqrt")} | {"sum": mp.fsum}
    functions |= {f.__name__: f for f in (max, min, len, zip, range, sorted)}
    if op.name == "entmax15" and "x" in names:
        names["tau"] = entmax15_tau(names["x"])
    return {**functions, **names}


def entmax15_tau(x: Any) -> Any:
    """By the closed form for each number of elements above it: of these the right one is the largest that has them."""
    z = sorted((v / 2 for v in x), reverse=True)
    found = []
    for k in range(1, len(z) + 1):
        mean = mp.fsum(z[:k]) / k
        rest = 1 - mp.fsum((v - mean) ** 2 for v in z[:k])
        if rest >= 0 and mean - mp.sqrt(rest / k) <= z[k - 1]:
            found.append(mean - mp.sqrt(rest / k))
    return max(found)


def exact(op: Any, text: str, indices: Any, **names: Any) -> list[Any]:
    with mp.workprec(2000):
        code, known = compile(text, op.name, "eval"), scope(op, **names)
        return [mpf(eval(code, {**known, "i": i})) for i in indices]


def exact_values(op: Any, x: Any, indices: Any, **parameters: float) -> list[Any]:
    """y of the formula at some of its indices: each evaluates its sums anew."""
    return exact(op, op.formula, [0] if op.shape == "reduce" else indices, x=[mpf(float(v)) for v in x], **parameters)


def worst(format: oracle.Format, results: Any, wanted: list[Any], scales: Any = None) -> float:
    """The largest error in ULP of the exact value, or of `scales` where these are larger."""
    worst = 0.0
    for k, (r, w) in enumerate(zip(np.atleast_1d(results), wanted, strict=True)):
        error = format.error(float(r), w)
        if scales is not None and scales[k] > abs(w) and error > 0.5:
            ulp = mpf(2) ** format.ulp_exponent(oracle.exponent_of(mpf(scales[k])))
            error = float(abs(mpf(float(r)) - w) / ulp)
        worst = max(worst, error)
    return worst


@every_op
@each(dtype=DTYPES.values(), trial=ROWS_TO_TRY)
def test_values(op: Any, tier: str, dtype: Any, trial: Any) -> None:
    which, n, scale = trial
    format = oracle.FORMATS[np.dtype(dtype).name]
    for seed in range(3 if n < 100 else 1):
        x = row_to_try(which, n, scale, dtype, seed)
        some = sorted({0, n // 2, n - 1, int(np.argmax(x)), int(np.argmin(x)), *range(1, n, n // 10 + 1)})
        wanted = exact_values(op, x, some, **op.parameters)
        scales = None
        if op.shape == "reduce" and dtype == np.float64:  # the sum of a maximum and a logarithm may cancel
            scales = [float(np.max(np.abs(x))) + math.log(n)]
        y = call(gufunc(op, tier), op, [x])
        y = y if op.shape == "reduce" else y[some]
        assert worst(format, y, wanted, scales) <= FORWARD[tier].get(np.dtype(dtype).name, 1)


@every_op
@each(dtype=DTYPES.values(), n=[1, 2, 10, 17, 40])
def test_gradients(op: Any, tier: str, dtype: Any, n: int) -> None:
    format = oracle.FORMATS[np.dtype(dtype).name]
    g, given = (a[0] for a in inputs(op, "backward", dtype, (1,), n, seed=n))
    lists = {"g": [mpf(float(v)) for v in np.atleast_1d(g)]}
    if op.shape == "reduce":
        lists["g"] = lists["g"][0]
    values = [mpf(float(v)) for v in given]
    lists |= {"x": values, "y": values}
    wanted = exact(op, op.backward, range(n), **lists, **op.parameters)
    # log_softmax subtracts two numbers of the size of g
    scales = [max(abs(float(v)), float(abs(sum(lists["g"]))) * math.exp(y)) for v, y in zip(g, given, strict=True)] \
        if op.name == "log_softmax" else None  # fmt: skip
    gx = call(gufunc(op, tier, "backward"), op, [g, given])
    assert worst(format, gx, wanted, scales) <= BACKWARD[tier].get(np.dtype(dtype).name, 1)


@pytest.mark.parametrize("n", [3, 10, 40])
def test_gradients_of_small_deviations(tier: str, n: int) -> None:
    """Where the mean is large beside them each has no more than a few bits."""
    op = next(r for r in TABLE if r.name == "standardize")
    random, format = np.random.default_rng(n), oracle.FORMATS["float32"]
    for spread in (0.001, 0.01, 0.5):
        x = (1000 + spread * random.standard_normal(n)).astype("f")
        g = (5 + random.standard_normal(n)).astype("f")
        names = {"g": [mpf(float(v)) for v in g], "x": [mpf(float(v)) for v in x]}
        wanted = exact(op, op.backward, range(n), **names, **op.parameters)
        d, centred = x.astype(float) - x.astype(float).mean(), g.astype(float) - g.astype(float).mean()
        r = 1 / np.sqrt((d**2).mean() + op.parameters["eps"])
        scales = np.maximum(abs(centred), abs(d * (g * d).mean() * r**2)) * r
        gx = call(gufunc(op, tier, "backward"), op, [g, x])
        assert worst(format, gx, wanted, scales) <= BACKWARD[tier]["float32"]


@each(size=[3e38, 1e19, 100, 1e-30, 1e-40], eps=[0, 1e-5])
def test_squares_beyond_floats(tier: str, size: float, eps: float) -> None:
    """In floats they would be infinite, or 0. And two elements: 1 and -1 but for eps, where every rounding shows."""
    op = next(r for r in TABLE if r.name == "standardize")
    random, format = np.random.default_rng(3), oracle.FORMATS["float32"]
    for n in (2, 5, 64):
        x = (size * random.uniform(-1, 1, (n, 20))).astype("f")
        names = {"x": [mpf(float(v)) for v in x[:, 7]]}
        wanted = exact(op, op.formula, range(n), **names, eps=mpf(eps))
        for y in (TIERS[tier]["standardize"](x, eps, axis=0)[:, 7], TIERS[tier]["standardize"](x.T.copy(), eps)[7]):
            assert worst(format, y, wanted) <= 1


@each(dtype=DTYPES.values(), ahead=[5, 12, 20, 60])
def test_gradients_of_confident_rows(tier: str, dtype: Any, ahead: int) -> None:
    """One class far ahead, and right: g - e^y sum of g cancels, and the little that is left has all its digits."""
    op = next(r for r in TABLE if r.name == "log_softmax")
    format = oracle.FORMATS[np.dtype(dtype).name]
    y = TIERS[tier]["log_softmax"](np.array([ahead, 0, 0, -1], dtype))
    g = np.array([-1, 0, 0, 0], dtype)
    names = {"g": [mpf(float(v)) for v in g], "y": [mpf(float(v)) for v in y]}
    gx = TIERS[tier]["log_softmax"].backward(g, y)
    assert worst(format, gx, exact(op, op.backward, range(4), **names)) <= BACKWARD[tier].get(np.dtype(dtype).name, 1)


@each(dtype=[np.float32, np.float64], ahead=[5, 12, 20, 45, 60], axis=[0, 1])
def test_softmax_gradients_of_confident_rows(tier: str, dtype: Any, ahead: int, axis: int) -> None:
    """g - sum of g y leaves of the first what the others add: 1e-20 beside 1 must not be lost."""
    op = next(r for r in TABLE if r.name == "softmax")
    format = oracle.FORMATS[np.dtype(dtype).name]
    y = TIERS[tier]["softmax"](np.array([ahead, 0, 0, -1], dtype))
    g = np.array([1, 2, -3, 0.5], dtype)
    names = {"g": [mpf(float(v)) for v in g], "y": [mpf(float(v)) for v in y]}
    gx = TIERS[tier]["softmax"].backward(*(np.moveaxis([v] * 20, -1, axis) for v in (g, y)), axis=axis)
    wanted = exact(op, op.backward, range(4), **names, **op.parameters)
    assert worst(format, np.moveaxis(gx, axis, -1)[7], wanted) <= BACKWARD[tier].get(np.dtype(dtype).name, 1)


@each(t=[1e-10, 1e-12, 1e-13, 1e-15, 1e-20])
def test_what_little_is_left(tier: str, t: float) -> None:
    """One element that leaves little to the others, beside which doubles have no room for it."""
    p = np.exp(np.array([30, 0, 0.5, -1.0]) - 30)
    cases: list[tuple[str, dict[str, Any]]] = [
        *[("sparsemax", {"x": x}) for x in ([1, t], [-t, -1], [1, t, t, t])],
        *[("entmax15", {"x": x}) for x in ([-t, -2], [2, t])],
        ("entmax15", {"g": [1, 2], "y": [1, t * t]}),
        ("entmax15", {"g": [1, 2, -3], "y": [1, t * t, t * t / 2]}),
        ("log_softmax", {"g": [-1, -t], "y": [-3 * t, -45]}),
        ("log_softmax", {"g": -p, "y": [-p[1], -29.8, -30, -30.6]}),
    ]
    for name, given in cases:
        op = next(r for r in TABLE if r.name == name)
        f, formula, bounds = TIERS[tier][name], op.formula, FORWARD
        if "g" in given:
            f, formula, bounds = f.backward, op.backward, BACKWARD
        rows = {k: np.array(v, np.float32) for k, v in given.items()}
        lists = {k: [mpf(float(v)) for v in row] for k, row in rows.items()}
        y = f(*(np.stack([row] * 20, axis=1) for row in rows.values()), axis=0)
        wanted = exact(op, formula, range(len(y)), **lists, **op.parameters)
        assert worst(oracle.FORMATS["float32"], y[:, 7], wanted) <= bounds[tier].get("float32", 1), (name, given)


def test_extreme_gradients(tier: str) -> None:
    """Neither what is kept times a power of two nor a product on the way may leave the range."""
    for dtype, sizes in ((np.float32, (1e-38, 1e38)), (np.float64, (1e-305, 1e305))):
        x = np.array([[0.5, -3, 2], [100, 30, 90]], dtype)
        for size in sizes:
            g = np.array([size, size], dtype)
            for name in ("logsumexp", "logmeanexp"):
                gx = TIERS[tier][name].backward(g, x)
                wanted = actc.exact.softmax(x.astype(np.float64)) * size
                np.testing.assert_allclose(gx, wanted, rtol=1e-6, atol=np.finfo(dtype).smallest_subnormal)
                same(TIERS[tier][name].backward(g, x.T, axis=0).T, gx)
                same(TIERS[tier][name].backward(g, x, out=x.copy()), gx)


@pytest.mark.parametrize("shape", [(3, 2), (40, 1), (40, 17), (300, 40), (70, 700)])
@pytest.mark.parametrize("name", ["logsumexp", "logmeanexp"])
def test_a_gradient_that_is_a_scalar(name: str, shape: tuple[int, int], dtype: Any, tier: str) -> None:
    """What every row has in common is repeated for kernels that take rows side by side."""
    x = np.random.default_rng(7).normal(size=shape).astype(dtype)
    f, g = TIERS[tier][name], dtype.type(-1.3)
    with np.errstate(all="ignore"):
        x[0, 0] = np.inf
        for some, axis in itertools.product((x, x[::2]), (0, 1)):
            same(f.backward(g, some, axis=axis), f.backward(np.full(some.shape[1 - axis], g), some, axis=axis))


@pytest.mark.parametrize("temperature", [0.25, 0.7, 3.0, 1e3, -1.5])
@every_dtype
def test_temperature(tier: str, temperature: float, dtype: Any) -> None:
    op = next(r for r in TABLE if r.name == "softmax")
    format = oracle.FORMATS[np.dtype(dtype).name]
    x = row_to_try("", 20, 30, dtype, 5)
    text = op.formula if temperature > 0 else op.formula.replace("max", "min")
    wanted = exact(op, text, range(20), x=[mpf(float(v)) for v in x], temperature=mpf(temperature))
    y = TIERS[tier]["softmax"](x, temperature)
    assert worst(format, y, wanted) <= FORWARD[tier].get(np.dtype(dtype).name, 1)
    same(y, TIERS[tier]["softmax"](x, temperature=np.float64(temperature)))


def test_what_others_lose(tier: str) -> None:
    """Cases in which torch, JAX, SciPy and ONNX Runtime all return 0, or are 65 ULP off."""
    for dtype in (np.float32, np.float64):
        format = oracle.FORMATS[np.dtype(dtype).name]
        op = next(r for r in TABLE if r.name == "log_softmax")
        for x in ([20, 0, 0], [60, 0, 0], [1e8, 1e8 - 16, 0], [0.0, -100.0]):
            x = np.array(x, dtype)
            y = TIERS[tier]["log_softmax"](x)
            assert y[0] != 0
            assert worst(format, y, exact_values(op, x, range(len(x)))) <= FORWARD[tier][np.dtype(dtype).name]
    assert TIERS[tier]["log_softmax"](np.float32([20, 0, 0]))[0] == np.float32(-4.122307236e-09)


def test_long_rows(tier: str) -> None:
    """A million elements, a dominant one among them or not, against doubles summed exactly."""
    rng = np.random.default_rng(1)
    for ahead in (0, 17, 30):
        x = rng.standard_normal(1_000_000).astype(np.float32)
        x[123_456] += ahead
        wide = x.astype(np.longdouble)
        top = wide.max()
        e = np.exp(wide - top)
        others = np.longdouble(math.fsum(float(v) for v in np.delete(e, x.argmax())))
        unit = oracle.FORMATS["float32"].ulp
        softmax = e / (1 + others)
        error = np.abs(TIERS[tier]["softmax"](x) - softmax) / unit(softmax.astype(np.float64))
        assert error.max() <= FORWARD[tier]["float32"]
        log = wide - top - np.log1p(others)
        error = np.abs(TIERS[tier]["log_softmax"](x) - log) / unit(log.astype(np.float64))
        assert error.max() <= FORWARD[tier]["float32"]
        assert abs(TIERS[tier]["logsumexp"](x) - (top + np.log1p(others))) <= unit(float(top + np.log1p(others)))


def test_more_elements_than_floats_count() -> None:
    x = np.zeros(2**24 + 7, np.float32)
    x[-5:-2] = 1
    y = actc.hardmax(x)
    assert y.argmax() == x.size - 5
    assert y.sum() == 1


def test_projections_add_up() -> None:
    """Rows of a million too, and with all elements alike."""
    rng = np.random.default_rng(0)
    for x in (rng.standard_normal(1_000_000), np.zeros(1_000_000), rng.standard_normal((50, 200)) * 0.01):
        for dtype in (np.float32, np.float64):
            for name in ("softmax", "sparsemax", "entmax15"):
                y = actc.row_functions[name](x.astype(dtype))
                np.testing.assert_allclose(y.sum(-1, dtype=np.longdouble), 1, rtol=np.finfo(dtype).eps)
                assert (y >= 0).all()


@every_dtype
def test_infinities(tier: str, dtype: Any) -> None:
    f, inf, nan = TIERS[tier], math.inf, math.nan
    cases = {
        "softmax": [([0, inf, 1], [0, 1, 0]), ([inf, inf, 0], [nan] * 3), ([-inf] * 3, [nan] * 3), ([-inf, 0], [0, 1]),
                    ([1, nan, inf], [nan] * 3), ([-inf, nan], [nan, nan]), ([inf], [1]), ([nan], [nan])],
        "softmin": [([0, -inf, 1], [0, 1, 0]), ([inf] * 3, [nan] * 3), ([inf, 0], [0, 1])],
        "log_softmax": [([0, inf, 1], [-inf, 0, -inf]), ([inf, inf, 0], [nan] * 3), ([-inf] * 2, [nan] * 2),
                        ([-inf, 0], [-inf, 0]), ([1, nan], [nan] * 2)],
        "logsumexp": [([0, inf, 1], inf), ([inf, inf], inf), ([-inf] * 2, -inf), ([inf, nan], nan), ([-inf, 0], 0),
                      ([-inf, nan], nan)],
        "logmeanexp": [([0, inf, 1], inf), ([-inf] * 2, -inf), ([inf, nan], nan)],
        "hardmax": [([0, 1, 1], [0, 1, 0]), ([inf, 0, inf], [1, 0, 0]), ([-inf] * 2, [1, 0]), ([1, nan], [nan] * 2),
                    ([-0.0, 0.0], [1, 0])],
        "crelu": [([inf, -inf, nan, -0.0], [inf, 0, nan, 0, 0, inf, nan, 0])],
    }  # fmt: skip
    for name in ("sparsemax", "entmax15"):
        cases[name] = [([0, inf, 1], [0, 1, 0]), ([inf, inf, 0], [nan] * 3), ([-inf] * 3, [nan] * 3),
                       ([-inf, 0], [0, 1]), ([1, nan, 2], [nan] * 3), ([1, 1], [0.5, 0.5]), ([30000, 0], [1, 0]),
                       ([5] * 4, [0.25] * 4)]  # fmt: skip
    cases["standardize"] = [([inf, 0], [nan, nan]), ([nan, 1], [nan, nan]), ([3, 3, 3], [0, 0, 0])]
    for name, rows in cases.items():
        for x, wanted in rows:
            found = f[name](np.array(x, dtype)).astype(np.float64)
            np.testing.assert_array_equal(found, wanted, f"{name} {x}")
    assert not np.signbit(f["crelu"](np.array([-0.0, 0.0], dtype))).any()


def test_maxout_ties_and_nan() -> None:
    x = np.array([[1, 3, 3, 0], [-math.inf] * 4, [1, math.nan, 2, 5]], np.float32)
    np.testing.assert_array_equal(actc.maxout(x, 2), np.array([[3, 3], [-math.inf] * 2, [math.nan, 5]], np.float32))
    np.testing.assert_array_equal(
        actc.maxout.backward(np.ones((3, 1), np.float32), x, 4),
        np.array([[0, 1, 0, 0], [1, 0, 0, 0], [math.nan] * 4], np.float32),
    )
    np.testing.assert_array_equal(actc.maxout.index(x, 2), [[1, 0], [0, 0], [1, 1]])
    np.testing.assert_array_equal(actc.maxout.index(x[:2], pieces=2, axis=0), [[0, 0, 0, 0]])
    assert pickle.loads(pickle.dumps(actc.exact.maxout.index)) is actc.exact.maxout.index
    z = np.random.default_rng(0).standard_normal((4, 12, 3))
    for axis, pieces in ((1, 4), (0, 2), (-1, 3)):
        index = np.expand_dims(actc.maxout.index(z, pieces, axis), axis % 3 + 1)
        groups = z.reshape(*z.shape[: axis % 3], -1, pieces, *z.shape[axis % 3 + 1 :])
        chosen = np.take_along_axis(groups, index, axis % 3 + 1).squeeze(axis % 3 + 1)
        same(chosen, actc.maxout(z, pieces, axis=axis))


# ---- layouts -----------------------------------------------------------------------------------------------------


def layouts(a: np.ndarray) -> dict[str, np.ndarray]:
    """The rows of a 2-d array in other places; the last axis, which is what rows run along, last."""
    m, n = a.shape
    spread = np.zeros((2 * m, 3 * n + 1), a.dtype)
    spread[::2, 1::3] = a
    backwards = np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1]
    unaligned = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    unaligned[...] = a
    return {
        "first axis": np.asfortranarray(a),
        "spread": spread[::2, 1::3],
        "backwards": backwards,
        "padded": np.hstack([a, a])[:, :n],
        "columns of more": np.vstack([a, a]).T.copy().T[:m],
        "unaligned": unaligned,
    }


def reference_rows(f: Any, op: Any, arrays: list[Any]) -> Any:
    """Each row by itself."""
    results = [call(f, op, [a[k] for a in arrays]) for k in range(len(arrays[0]))]
    if isinstance(results[0], tuple):
        return tuple(np.stack(r) for r in zip(*results, strict=True))
    return np.stack(results)


LENGTHS = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 65, 127, 128, 129, 300, 1030]


@every_op
@every_dtype
def test_bits_do_not_depend_on_layout(op: Any, tier: str, dtype: Any) -> None:
    for n in LENGTHS:
        m = 37 if n < 100 else 18
        for kind in kinds_of(op):
            f = gufunc(op, tier, kind)
            arrays = inputs(op, kind, dtype, (m,), n, seed=n)
            wanted = reference_rows(f, op, arrays)
            same(call(f, op, arrays), wanted)
            views = [layouts(a if a.ndim == 2 else a[:, None]) for a in arrays]
            for name in views[0]:
                moved = [v[name] if a.ndim == 2 else v[name][:, 0] for v, a in zip(views, arrays, strict=True)]
                same(call(f, op, moved), wanted)
                if isinstance(wanted, tuple) or op.grouped:
                    continue
                out = layouts(np.zeros_like(wanted if wanted.ndim == 2 else wanted[:, None]))[name]
                out = out if wanted.ndim == 2 else out[:, 0]
                assert call(f, op, moved, out=out) is out
                same(out, wanted)


@every_op
def test_long_strided_rows(op: Any) -> None:
    """Rows that no scratch memory holds."""
    for dtype in DTYPES.values():
        for kind in kinds_of(op):
            for tier in TIERS:
                f, arrays = gufunc(op, tier, kind), inputs(op, kind, dtype, (3,), 40_000)
                views = [np.asfortranarray(a) for a in arrays]
                same(call(f, op, views), reference_rows(f, op, arrays))


@every_op
@pytest.mark.parametrize("isa", [i for i in actc.isas() if i != actc.isa()])
def test_bits_do_not_depend_on_the_instruction_set(op: Any, isa: str) -> None:
    for n in (1, 3, 10, 16, 47, 333):
        for dtype in DTYPES.values():
            for kind in kinds_of(op):
                for tier in TIERS:
                    f, arrays = gufunc(op, tier, kind), inputs(op, kind, dtype, (9,), n, scale=20)
                    wanted = call(f, op, arrays)
                    before = actc.use_isa(isa)
                    try:
                        found = call(f, op, arrays)
                    finally:
                        actc.use_isa(before)
                    same(found, wanted)


@every_op
def test_in_place_and_overlapping(op: Any) -> None:
    if op.shape != "map":
        return
    for dtype in DTYPES.values():
        for shape in ((5, 300), (300, 5)):
            for kind in kinds_of(op):
                arrays = inputs(op, kind, dtype, shape[:1], shape[1])
                f = gufunc(op, "default", kind)
                wanted = f(*arrays)
                for k in range(len(arrays)):
                    for axis in (0, 1):
                        copies = [np.array(a.T if axis == 0 else a, order="C") for a in arrays]
                        assert f(*copies, out=copies[k], axis=axis) is copies[k]
                        same(copies[k].T if axis == 0 else copies[k], wanted)
                memory = np.zeros(2 * arrays[-1].size, dtype)
                x = memory[: arrays[-1].size].reshape(shape)
                x[...] = arrays[-1]
                y = memory[3 : 3 + x.size].reshape(shape)
                f(*arrays[:-1], x, out=y)
                same(y, wanted)


def test_neighbours_do_not_matter() -> None:
    x = np.random.default_rng(0).standard_normal((40, 10)).astype(np.float32)
    wanted = actc.softmax(x)
    for k in range(40):
        others = np.full_like(x, np.nan)
        others[k] = x[k]
        same(actc.softmax(others)[k], wanted[k])


# ---- as gufuncs --------------------------------------------------------------------------------------------------


@every_op
def test_attributes(op: Any, tier: str) -> None:
    prefix = "exact_" if tier == "exact" else ""
    for kind in kinds_of(op):
        f = gufunc(op, tier, kind)
        assert isinstance(f, np.ufunc)
        assert f.signature
        assert f.__name__ == prefix + op.name + (f"_{kind}" if kind else "")
        assert f.__module__ == "actc"
        assert pickle.loads(pickle.dumps(f)) is f
        assert op.formula in f.__doc__
        assert "axis" in f.__signature__.parameters
    assert gufunc(op, tier).info["formula"] == op.formula
    assert _rows.rows()[op.index].name == op.name


@every_op
@pytest.mark.parametrize("lead", [(4, 3), (4, 1), (1, 3), (1, 1)])
def test_axis(op: Any, lead: tuple[int, int]) -> None:
    """Views, and contiguous arrays, which are taken directly: once even where a column's result had another shape."""
    for kind in kinds_of(op):
        f = gufunc(op, "default", kind)
        for n in (6, 1):
            arrays = inputs(op, kind, np.float32, lead, n)
            wanted = call(f, op, arrays)
            for axis in (0, 1, 2, -1, -2, -3):
                moved = [np.moveaxis(a, -1, axis) if a.ndim == 3 else a for a in arrays]
                for given in (moved, [np.ascontiguousarray(a) for a in moved]):
                    found = call(f, op, given, axis=axis)
                    for y, w in zip(found, wanted, strict=True) if isinstance(found, tuple) else [(found, wanted)]:
                        same(np.moveaxis(y, axis, -1) if y.ndim == 3 else y, w)
        for axis in (3, -4):
            with pytest.raises(ValueError, match=str(axis)):
                call(f, op, [np.zeros((2, 2, 2), np.float32)] * len(arrays), axis=axis) if not op.grouped else f(
                    *[np.zeros((2, 2, 2), np.float32)] * len(arrays), 2, axis=axis
                )


@every_op
def test_results_across_the_rows_of_an_input(op: Any) -> None:
    """Rows along one axis, results along another of the same array."""
    if op.shape != "map":
        return
    x = np.random.default_rng(0).standard_normal((70, 70))
    f, more = gufunc(op), [()] * len(op.parameters)
    given = x.copy()
    assert f(given, axes=[0, *more, 1], out=given) is given
    same(given, f(x, axis=0).T)
    given = x.copy()
    gufunc(op, kind="backward")(given, x[::-1], axes=[0, 1, *more, 1], out=given)
    same(given, gufunc(op, kind="backward")(x.T.copy(), x[::-1]))


@pytest.mark.parametrize("f", [actc.logsumexp, actc.logmeanexp], ids=lambda f: f.__name__)
def test_numbers_over_the_rows_they_are_made_of(f: Any) -> None:
    """NumPy broadcasts a result over a larger output, which may be the input."""
    x = np.random.default_rng(0).standard_normal((300, 300))
    for given in (x[0], x, x.T):
        own = given.copy()
        assert f(own, out=own) is own
        same(own, np.broadcast_to(f(given), own.shape))


def test_keepdims() -> None:
    for shape in ((3, 4, 5), (3, 4, 1), (3, 1, 1), (1, 4, 5)):
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        for f in (actc.logsumexp, actc.logmeanexp):
            for axis in range(3):
                same(f(x, axis=axis, keepdims=True), np.expand_dims(f(x, axis=axis), axis))


@every_op
def test_types(op: Any) -> None:
    f = gufunc(op)
    x = np.arange(6).reshape(2, 3) % 2
    for code in "?bBhH":
        same(call(f, op, [x.astype(code)]), call(f, op, [x.astype(np.float32)]))
    for code in "iIlLqQ":
        same(call(f, op, [x.astype(code)]), call(f, op, [x.astype(np.float64)]))
    same(call(f, op, [x.astype(">f4")]), call(f, op, [x.astype("f4")]))
    assert call(f, op, [x], dtype=np.float32).dtype == np.float32
    for bad in (x.astype(complex), x.astype(np.longdouble), x.astype(object), x.astype(str)):
        with pytest.raises(TypeError):
            call(f, op, [bad])


@every_op
def test_empty_arrays(op: Any) -> None:
    for kind in kinds_of(op):
        f = gufunc(op, "default", kind)
        for lead, n in (((0,), 4), ((3, 0), 4), ((0,), 1)):
            arrays = [np.zeros(s, np.float32) for s in shapes(op, kind, lead, n)]
            y = call(f, op, arrays)
            assert (y[0] if isinstance(y, tuple) else y).size == 0
    if op.grouped:
        return
    y = gufunc(op)(np.zeros((2, 0)))
    if op.shape == "reduce":
        np.testing.assert_array_equal(y, [-math.inf if op.name == "logsumexp" else math.nan] * 2)
    else:
        assert y.shape == (2, 0)


@every_op
def test_wrong_calls(op: Any) -> None:
    f = gufunc(op)
    x = np.ones((2, 4), np.float32)
    with pytest.raises(TypeError):
        f()
    with pytest.raises((ValueError, TypeError)):
        call(f, op, [x], bogus=1)
    if op.grouped:
        return
    with pytest.raises(ValueError, match="dimension"):
        f(1.0)
    wrong = np.full((2, 5), 7, np.float32)
    with pytest.raises(ValueError):
        f(x, out=wrong)
    assert (wrong == 7).all()


def test_wrong_options() -> None:
    x = np.ones((2, 4), np.float32)
    with pytest.raises(ValueError, match=r"groups of 3"):
        actc.maxout(x, 3)
    with pytest.raises(ValueError, match=r"at least 1, not 0"):
        actc.maxout(x, 0)
    with pytest.raises(TypeError, match=r"pieces must be an integer, not 2\.0"):
        actc.maxout(x, 2.0)
    with pytest.raises(TypeError, match="missing required argument: 'pieces'"):
        actc.maxout(x)
    with pytest.raises(ValueError, match=r"\(2, 2\) goes with x"):
        actc.maxout.backward(x, x, 2)
    with pytest.raises(ValueError, match="rows of 4 elements go with rows of 8, not of 4"):
        actc.crelu.backward(x, x)
    with pytest.raises(ValueError, match="not 'none'"):
        actc.softmax(x, empty="none")
    with pytest.raises(TypeError, match="bool"):
        actc.softmax(x, where=x)
    with pytest.raises(ValueError, match=r"\(3,\) does not broadcast"):
        actc.softmax(x, where=np.ones(3, bool))
    with pytest.raises(TypeError, match="multiple values"):
        actc.softmax(x, 1.0, temperature=2.0)
    with pytest.raises(TypeError):
        actc.logmeanexp(x, where=x > 0)
    for options in ({}, {"where": x > 0}):  # which has no such option
        with pytest.raises(TypeError, match="unexpected keyword argument 'empty'"):
            actc.logsumexp(x, empty="nan", **options)
    with pytest.raises(TypeError, match="not axes"):
        actc.softmax(x, axes=[(0,), (), (0,)], empty="zero")
    with pytest.raises(TypeError, match="one out"):
        actc.maxout(x, 2, np.ones((2, 2)), out=np.ones((2, 2)))
    with pytest.raises(TypeError, match="one out"):
        actc.maxout(x, 2, np.ones((2, 2)), 3)
    with pytest.raises(ValueError, match="one array, not 2"):
        actc.maxout(x, 2, out=(x, x))
    for too_few in (
        lambda: actc.softmax(where=x > 0),
        lambda: actc.logsumexp.backward(x[0], where=x > 0),
        lambda: actc.maxout(pieces=2),
        lambda: actc.maxout.backward(x, pieces=2),
    ):
        with pytest.raises(TypeError, match="positional argument"):
            too_few()
    for bad in (x * 1j, x.astype(np.longdouble), x.astype(str), x.astype(object), x.astype("M8[s]"), x.view("V4")):
        with pytest.raises(TypeError, match="must be real"):
            actc.maxout.index(bad, 2)
        for wrong in (lambda a: actc.softmax(a, where=x > 0), lambda a: actc.softmax(x, a[:, 0], where=x > 0)):
            with pytest.raises(TypeError):
                wrong(bad)


def test_masks_are_not_lost_on_other_arrays() -> None:
    """What has an __array_ufunc__ of its own would be asked without the mask: it is an object among objects instead."""

    class Other:
        def __array_ufunc__(self, *args: Any, **kwargs: Any) -> str:
            return "asked"

    assert actc.softmax(Other()) == "asked"
    for options in ({"where": True}, {"where": np.ones(3, bool)}, {"empty": "zero"}):
        with pytest.raises(TypeError):
            actc.softmax(Other(), **options)


def test_none_is_no_parameter() -> None:
    """Neither where calls are taken directly; as an output it is one to be made."""
    x = np.ones((2, 4))
    for f in (actc.softmax, actc.standardize):
        for given in (x, x.T):
            with pytest.raises(TypeError, match="Cannot cast"):
                f(given, None)
            with pytest.raises(TypeError, match="multiple values"):
                f(given, None, **dict.fromkeys(f.parameters, 1.0))
        same(f(x, 1.0, None), f(x, 1.0))


def test_temperature_arrays() -> None:
    x = np.random.default_rng(0).standard_normal((30, 7)).astype(np.float32)
    t = np.linspace(0.5, 2, 30)
    same(actc.softmax(x, t), np.stack([actc.softmax(v, float(s)) for v, s in zip(x, t, strict=True)]))
    same(actc.softmax(x.T, t, axis=0).T, actc.softmax(x, t))
    assert actc.softmax(x, t).dtype == np.float32
    same(actc.softmax(x, 2), actc.softmax(x, 2.0))


@pytest.mark.parametrize("op", [r for r in TABLE if r.masked], ids=lambda r: r.name)
@every_dtype
def test_masks(op: Any, dtype: Any) -> None:
    f = gufunc(op)
    x = inputs(op, "", dtype, (20,), 9)[0]
    mask = np.random.default_rng(1).random(x.shape) < 0.5
    mask[3] = False
    mask[4] = True
    x[~mask] = np.nan  # what is left out does not matter
    y = f(x, where=mask)
    for k in range(20):
        if not mask[k].any():
            continue
        chosen = f(x[k][mask[k]])
        if op.shape == "reduce":
            np.testing.assert_allclose(float(y[k]), float(chosen), rtol=1e-2)
        else:
            np.testing.assert_allclose(y[k][mask[k]].astype(float), chosen.astype(float), rtol=1e-2)
            left_out = y[k][~mask[k]].astype(float)
            np.testing.assert_array_equal(left_out, -math.inf if op.name == "log_softmax" else 0)
    if op.empty:
        assert np.isnan(y[3].astype(float)).all()
        zero = f(x, where=mask, empty="zero")
        np.testing.assert_array_equal(zero[3].astype(float), float(op.empty))
        same(np.delete(zero, 3, 0), np.delete(y, 3, 0))
        same(f(x.T, where=mask.T, empty="zero", axis=0).T, zero)
        out = np.array(float(op.masked), dtype) * np.ones((2, 3), dtype)
        assert f(out, empty="zero", out=out) is out
        np.testing.assert_array_equal(out.astype(float), float(op.empty))
    same(f(x, where=np.ones((), bool)), f(x))
    same(f(np.arange(4), where=[True, True, False, True]).dtype.type(), np.float64())


@pytest.mark.parametrize("op", [r for r in TABLE if r.masked and r.parameters], ids=lambda r: r.name)
def test_masks_at_negative_temperatures(op: Any) -> None:
    """The order is turned around: what is masked counts as +inf; one temperature, or one a row."""
    f, x = gufunc(op), np.array([[1.0, 2, 3], [3, 1, 2], [np.inf, np.inf, 1]])
    mask = np.array([[True, False, True]])
    same(f(x, -0.5, where=mask)[:2, ::2], f(x[:2, ::2], -0.5))
    same(f(x, [-0.5, 2, 1], where=mask)[:2, ::2], f(x[:2, ::2], [-0.5, 2]))
    same(f(x.T, [-0.5, 2, 1], where=mask.T, axis=0).T, f(x, [-0.5, 2, 1], where=mask))
    assert f(x, -0.5, where=mask, empty="zero")[:2, 1].tolist() == [0, 0]
    assert f(np.full(3, np.inf), -0.5, empty="zero").tolist() == [0] * 3


@pytest.mark.parametrize("op", [r for r in TABLE if r.masked and r.parameters], ids=lambda r: r.name)
def test_masks_and_temperatures_of_any_shape(op: Any) -> None:
    """A temperature has the axes of x without the one that rows run along, whether it has fewer or more of them."""
    f, x = gufunc(op), np.random.default_rng(0).standard_normal((4, 3, 4))
    mask = x > -1
    for t in (np.array([1, -1, 2, -2.0])[:3], np.array([[1], [-1.0], [2]])[:1], np.array([[[1]], [[-2.0]]])):
        for empty in ("nan", "zero"):
            for axis in (1, 2, -2, -1):
                length = x.shape[3 - axis % 3]  # of the last axis that is left
                parameter = t if t.size < 3 else np.resize(t, length)
                found = f(x, parameter, axis=axis, where=mask, empty=empty)
                rows, chosen = np.moveaxis(x, axis, -1), np.moveaxis(mask, axis, -1)
                shape = np.broadcast_shapes(rows.shape[:-1], parameter.shape)
                full = [np.broadcast_to(a, shape + a.shape[-1:]) for a in (rows, chosen)]
                each_t = np.broadcast_to(parameter, shape)
                wanted = np.array([f(full[0][i], each_t[i], where=full[1][i], empty=empty) for i in np.ndindex(shape)])
                same(found, np.moveaxis(wanted.reshape(*shape, -1), -1, axis))


def test_hardmax_never_chooses_what_is_masked() -> None:
    x = np.array([[5.0, -np.inf], [1, 2], [-np.inf, -np.inf]])
    y = actc.hardmax(x, where=[[False, True], [True, True], [False, False]])
    assert y.tolist() == [[0, 0], [0, 1], [0, 0]]


@every_dtype
def test_limits_of_the_temperature(tier: str, dtype: Any) -> None:
    """0: equal shares of the maxima, or minima at -0; infinity: equal shares of all; and what no float holds."""
    f, x = TIERS[tier]["softmax"], np.array([[1, 2, 2], [1, np.nan, 2], [np.inf, 1, 2], [-np.inf] * 3]).astype(dtype)
    third = np.array(1 / 3).astype(dtype)
    assert f(x[0], 0.0).tolist() == f(x[0], 1e-300).tolist() == f(x[0], 1e-46).tolist() == [0, 0.5, 0.5]
    assert f(x[0], -0.0).tolist() == f(x[0], -1e-300).tolist() == [1, 0, 0]
    assert (f(x[0], np.inf) == third).all() and (f(x[0], -np.inf) == third).all() and (f(x[0], 1e300) == third).all()
    assert np.isnan(f(x[[1, 3]], 0.0)).all() and f(x[2], 0.0).tolist() == [1, 0, 0]


def test_logmeanexp_around_0() -> None:
    """Nothing cancels: neither the maximum and the logarithm nor the terms of the mean."""
    for x in ([1e-30, -3e-30], [1e-9, -1e-9], [0.25, -0.3, 0.01], [30, -40], [-1e-3] * 7):
        with mp.workprec(400):
            exact = mp.log(sum(mp.exp(mpf(v)) for v in x) / len(x))
            error = abs(mpf(float(actc.logmeanexp(np.array(x, float)))) - exact)
            assert error < 1e-15 * abs(exact) + 2.0**-80 * max(map(abs, x))


def test_logmeanexp_of_small_means() -> None:
    """Means down to e^-39, whose terms a double does not hold beside 1."""
    rng = np.random.default_rng(5)
    for n, scale in ((2, 6), (3, 60), (7, 0.1), (100, 1), (100, 30), (1000, 0.5)):
        x = (rng.standard_normal((40, n)) * scale + rng.uniform(-38, 3, (40, 1))).astype(np.float32)
        for tier, dtype, limit in ((actc, np.float32, 3), (actc, np.float64, 3), (actc.exact, np.float32, 0.501)):
            y = tier.logmeanexp(x.astype(dtype))
            for row, found in zip(x, y, strict=True):
                with mp.workprec(200):
                    wanted = mp.log(mp.fsum(mp.exp(mpf(float(v))) for v in row) / n)
                assert abs(mpf(float(found)) - wanted) <= limit * float(np.spacing(abs(found))), (row, found)


@pytest.mark.parametrize("temperature", [0.37, -0.37, 3.1, 1e-3])
def test_large_logits_at_a_temperature(tier: str, temperature: float) -> None:
    """Differences are taken before the division: x/temperature would round to thousands of units."""
    for top in (1e8, -5.4e8, 3e37):
        x = (np.float32(top) + np.spacing(np.float32(top)) * np.arange(4, dtype=np.float32)).astype(np.float32)
        y = TIERS[tier]["softmax"](x, temperature)
        with mp.workprec(400):
            e = [mp.exp((mpf(float(v)) - float(x[0])) / mpf(temperature)) for v in x]
            for got, exact in zip(y, e, strict=True):
                exact /= sum(e)
                unit = float(np.spacing(np.float32(float(exact))))
                assert abs(mpf(float(got)) - exact) <= (1 if tier == "exact" else 3) * unit


@pytest.mark.parametrize("name", ["maxout", "hardmax"])
def test_infinite_gradients_of_what_is_not_chosen(name: str) -> None:
    """As the formula says: of maxout the product 0*inf, as in every g*f'(x); of hardmax, which has no slope, 0."""
    x = [1.0, 2.0]
    for tier, dtype in itertools.product(TIERS, DTYPES.values()):
        for g in ([math.inf], [math.nan], [-math.inf], [2.0]):
            op = next(r for r in TABLE if r.name == name)
            g = g if name == "maxout" else [*g, 1.0]
            scope = {"g": g[0] if name == "maxout" else g, "x": x, "max": max}
            wanted = [float(eval(op.backward, scope | {"i": i})) for i in range(2)]
            f = gufunc(op, tier, "backward")
            found = f(np.array(g, dtype), np.array(x, dtype), *[2] * op.grouped)
            np.testing.assert_array_equal(found.astype(float), wanted)


def test_no_warnings() -> None:
    """Neither by NumPy's checks nor by what a cast leaves behind."""
    x = np.array([[np.nan, 1, 2], [np.inf, np.inf, 1], [-np.inf] * 3, [3e38, -3e38, 0], [1e-45, 0, -1e-45]], np.float32)
    with np.errstate(all="raise"):
        for op in TABLE:
            for kind in kinds_of(op):
                for tier in TIERS:
                    arrays = [x[: len(x)] if s == x.shape else np.full(s, np.inf, np.float32)
                              for s in shapes(op, kind, (5,), 3)]  # fmt: skip
                    call(gufunc(op, tier, kind), op, arrays)
                    call(gufunc(op, tier, kind), op, [a.astype(np.float64)[::-1] for a in arrays])


def test_plain_calls_agree() -> None:
    """Without the fast path: the same bits, through NumPy's own call."""
    code = """
import numpy as np, actc
x = np.random.default_rng(0).standard_normal((50, 33)).astype(np.float32)
for name, f in actc.row_functions.items():
    y = f(x, 3) if name == "maxout" else f(x)
    print(name, hash(y.tobytes()), hash(f(x, 11, axis=1).tobytes() if name == "maxout" else f(x.T, axis=0).T.tobytes()))
print(actc.softmax(x, temperature=0.5).tobytes() == actc.softmax(x, 0.5, axis=1).tobytes())
"""
    plain = run_python(code, ACTC_PLAIN_UFUNC="1", PYTHONHASHSEED="0").stdout
    assert plain == run_python(code, PYTHONHASHSEED="0").stdout
    assert plain.endswith("True\n")


def test_a_result_on_its_own_row() -> None:
    """In C the one number of a row may replace an element of it, also where floats leave the row open."""
    import ctypes

    library = ctypes.CDLL(actc.get_library())
    library.actc_row_find.restype = ctypes.c_void_p
    x = np.full((600, 5), -3, np.float32)
    x[:, 0] = np.resize(np.float32([-1.7, 90, 0.2, 3, np.nan, -np.inf, np.inf, 7]), 600)
    for name in ("logsumexp", "logmeanexp"):
        for at in (0, 4):
            wanted, memory = getattr(actc, name)(x), x.copy()
            data = (ctypes.c_void_p * 2)(memory.ctypes.data, memory[:, at:].ctypes.data)
            outer, inner = (ctypes.c_ssize_t * 2)(20, 20), (ctypes.c_ssize_t * 2)(4, 4)
            row = ctypes.c_void_p(library.actc_row_find(name.encode()))
            assert not library.actc_apply_rows(row, 0, 2, data, outer, inner, ctypes.c_size_t(600), ctypes.c_size_t(5))
            same((memory[:, at].copy(),), (wanted,))
            np.testing.assert_array_equal(np.delete(memory, at, 1), np.delete(x, at, 1))


def test_flat_symbols() -> None:
    """The C functions, by ctypes."""
    import ctypes

    library = ctypes.CDLL(actc.get_library())
    names = {"float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64"}
    for op in TABLE:
        for kind in kinds_of(op):
            for tier in TIERS:
                for dtype in DTYPES.values():
                    arrays = inputs(op, kind, dtype, (4,), 5)
                    wanted = call(gufunc(op, tier, kind), op, arrays)
                    outs = [np.empty_like(w) for w in (wanted if isinstance(wanted, tuple) else (wanted,))]
                    symbol = "_".join(filter(None, ["actc", "exact" * (tier == "exact"), op.name, kind]))
                    f = getattr(library, f"{symbol}_{names[np.dtype(dtype).name]}")
                    f.restype = None
                    f(
                        *[ctypes.c_void_p(a.ctypes.data) for a in [*map(np.ascontiguousarray, arrays), *outs]],
                        ctypes.c_size_t(4), ctypes.c_size_t(5), *map(ctypes.c_double, op.parameters.values()),
                    )  # fmt: skip
                    same(tuple(outs), wanted if isinstance(wanted, tuple) else (wanted,))


@pytest.mark.parametrize("columns", [5, 12, 16, 24, 40, 48, 64, 65])
@pytest.mark.parametrize("n", [100, 1016, 1024, 2047])
def test_columns_without_gaps(columns: int, n: int) -> None:
    """Three vectors of columns that are all of memory once took the wrong elements, and sums of 1009 to 1023 elements
    were folded too early: sums of what cancels show it."""
    rng = np.random.default_rng(columns)
    for dtype in (np.float32, np.float64):
        x = rng.standard_normal((n, columns)) * 10 ** rng.uniform(-6, 0, (n, columns))
        x[n // 32 * 16 :][: n // 32 * 16] = -x[: n // 32 * 16] * (1 + 1e-6)
        x = x.astype(dtype)
        for f in (actc.softmax, actc.log_softmax, actc.hardmax, actc.entmax15, actc.standardize, actc.sparsemax):
            y = f(x, axis=0)
            same(y, np.ascontiguousarray(f(np.ascontiguousarray(x.T)).T))
            if f is not actc.hardmax:
                kept = np.full_like(x, 1 / 64) if f.info["backward_from"] == "y" else x
                gradient = f.backward(x, kept, axis=0)
                wanted = f.backward(np.ascontiguousarray(x.T), np.ascontiguousarray(kept.T)).T
                same(gradient, np.ascontiguousarray(wanted))


def test_sparsemax_ends_where_elements_tie_with_the_threshold(tier: str, dtype: Any) -> None:
    """Newton's steps went back and forth for ever: the excess cancels, and tau has few digits left."""
    f = (actc if tier == "default" else actc.exact).sparsemax
    tiny = float(np.finfo(dtype).smallest_subnormal) if dtype.kind == "f" else 2.0**-133
    rows = [
        [tiny, tiny, 1.0, 0, 0, 0],
        [1, 1.0942022754534264e-07, 1.0452395571292072e-07, 7.131473012123024e-08, 7.131473012123024e-08, 0],
    ]
    rng = np.random.default_rng(3)
    rows += [[1 - rng.integers(0, 3) * 2.0**-24, *(rng.standard_normal(5) * 1e-7)] for _ in range(200)]
    x = np.array(rows).astype(dtype)
    y = f(x)
    np.testing.assert_allclose(y.astype(float).sum(axis=-1), 1, rtol=1e-6 if dtype.itemsize > 2 else 2e-2)
    for row, alone in zip(y, x, strict=True):  # nor do neighbours, which may want more steps, make a difference
        np.testing.assert_array_equal(f(alone), row)
