"""bench/against.py: its tables name what exists, and what it times computes what it says."""

from __future__ import annotations

import importlib
import json
import pathlib
import re
import sys
from typing import Any

import numpy as np
import pytest
from conftest import run_python

import actc
from actc import _config

BENCH = pathlib.Path(__file__).parents[1] / "bench"
sys.path.insert(0, str(BENCH))
cases, formulas, names, peers = (importlib.import_module(m) for m in ("cases", "formulas", "names", "peers"))
Case = cases.Case
EVERY = [*actc.elementwise, *actc.gates, *cases.ROWS, *cases.HINGES]
TABLES = {
    "torch": set(names.TORCH), "scipy": set(names.SCIPY), "jax": set(names.JAX), "onnxruntime": set(names.ONNX),
    "numpy": {name for name, _ in names.NUMPY}, "thinc": set(names.THINC),
}  # fmt: skip
# Of the largest result. The tanh form of gelu differs from gelu by 6e-5 here; second derivatives of peers cancel.
CLOSE = {"forward": 1e-5, "second_derivative": 1e-3}
NAN = {  # the gradient of a branch that is not taken, 1/alpha at alpha = 0, and of a root at 0
    ("jax", "soft_exponential"),
    ("jax", "entmax15"),
}
RARE = ("second_derivative", "value_and_derivative")
OPENED: dict[str, Any] = {}

pytestmark = pytest.mark.filterwarnings("ignore")


def opened(name: str) -> Any:
    if name not in OPENED:
        OPENED[name] = next(peers.installed([name]), None)
    if OPENED[name] is None:
        pytest.skip(f"{name} is not installed")
    return OPENED[name]


def small(name: str, which: str, dtype: str = "f32", axis: int = -1) -> Any:
    return Case(name, which, dtype, (6, 8) if name in cases.ROWS else (48,), axis)


@pytest.fixture(params=[k.__name__.lower() for k in peers.PEERS])
def peer(request: Any) -> Any:
    return opened(request.param)


@pytest.mark.parametrize("table", TABLES)
def test_tables_name_functions_of_actc(table: str) -> None:
    assert TABLES[table] <= set(EVERY), f"unknown: {TABLES[table] - set(EVERY)}"


def test_rows_are_row_functions() -> None:
    assert set(cases.ROWS) <= set(actc.row_functions)


@pytest.mark.parametrize("real", ["f32", "f64"])
def test_peers_compute_the_same(peer: Any, real: str) -> None:
    """Every call of every function; the passes in float32 only, of the rarer ones only some, as compilers take long."""
    seen = set()
    for i, name in enumerate(EVERY):
        for which in cases.passes(name):
            if which != "forward" and (real == "f64" or (which in RARE and i % 8)):
                continue
            for axis in (-1, 0) if name in cases.ROWS else (-1,):
                case = small(name, which, real, axis)
                given = tame(case)
                ours = {o: r.copy() for o, r in zip(case.outputs, first(opened("actc"), case, given), strict=True)}
                with np.errstate(all="ignore"):
                    for call in peer.calls(case, given):
                        for theirs, out in zip(call.results(), case.outputs, strict=True):
                            if which == "forward" or (peer.name, name) not in NAN:
                                close(theirs, ours[out], case, call.text)
                        seen.add(name)
    table = TABLES.get(peer.name, set()) if real == "f32" else set()  # ONNX Runtime has some in float32 alone
    assert table <= seen, f"never called: {table - seen}"
    assert len(seen) > 5


def tame(case: Any) -> Any:
    """Arrays in which no derivative overflows, and values have every kink."""
    reach = 7.2 if case.which == "forward" else 3.2
    x = np.linspace(-reach, reach, case.size).reshape(case.shape).astype(case.kind)
    return cases._complete(case, {"x": x, "g": np.cos(5 * x), "u": np.sin(3 * x)})


def first(peer: Any, case: Any, given: Any) -> Any:
    return peer.calls(case, given)[0].results()


def close(theirs: Any, ours: Any, case: Any, text: str) -> None:
    where = f"{case.name} {case.which}: {text}"
    assert theirs.shape == ours.shape, where
    assert theirs.dtype == ours.dtype, where
    scale = np.abs(ours.astype(float)).max() + 1e-30
    assert np.abs(theirs.astype(float) - ours.astype(float)).max() <= CLOSE.get(case.which, 1e-4) * scale, where


@pytest.mark.parametrize("layout", cases.LAYOUTS)
@pytest.mark.parametrize("name", ["elu", "swiglu"])
@pytest.mark.parametrize("which", ["forward", "backward"])
def test_layouts(peer: Any, name: str, which: str, layout: str) -> None:
    shape = (6, 8) if layout == "transposed" else (48,)
    case = Case(name, which, "f32", shape, layout=layout)
    given = cases.arrays(case)
    assert given["x"].shape == given["y"].shape == shape
    assert given["x"].flags.c_contiguous == (layout == "contiguous")
    assert given["y"].flags.c_contiguous == (layout != "strided")
    plain = cases.arrays(Case(name, which, "f32", shape))
    np.testing.assert_array_equal(given["x"], plain["x"])
    wanted = [r.copy() for r in first(opened("actc"), case, plain)]
    with np.errstate(all="ignore"):
        for call in peer.calls(case, given):
            for theirs, ours in zip(call.results(), wanted, strict=True):
                close(theirs, ours, case, call.text)


@pytest.mark.parametrize("which", ["forward", "backward"])
@pytest.mark.parametrize("name", ["sigmoid", "gelu", "exponential", "geglu"])
def test_values(name: str, which: str) -> None:
    for dtype in ("f16", "f32", "f64"):
        subnormal = Case(name, which, dtype, (100,), values="subnormal")
        for result in first(opened("actc"), subnormal, cases.arrays(subnormal)):
            tiny = float(np.finfo(result.dtype).smallest_normal)
            if name != "geglu" or which == "forward":
                assert (result != 0).all()
                assert (np.abs(result) < tiny).all()
        assert (cases.arrays(Case(name, which, dtype, (10,), values="-100"))["x"] == -100).all()
        assert np.isnan(cases.arrays(Case(name, which, dtype, (10,), values="nan"))["x"]).all()
    with pytest.raises(cases.NoSuchValues):
        cases.arrays(Case("softmax", which, "f32", (4, 4), values="subnormal"))


@pytest.mark.parametrize("name", ["sigmoid", "selu", "swiglu", "softmax", "log_softmax", "logsumexp", "standardize"])
@pytest.mark.parametrize("which", ["forward", "backward"])
@pytest.mark.parametrize("real", ["f16", "f32"])
def test_errors(name: str, which: str, real: str) -> None:
    """actc keeps its bound; what is off by 8 ULP is seen to be."""
    case, ours = small(name, which, real), opened("actc")
    found = cases.error(case, lambda given: first(ours, case_of(case, given), given))
    if found is None:
        pytest.skip("no long double")
    assert 0.2 < found <= 4

    def off(given: Any) -> Any:
        return tuple(r * (1 + 8 * np.finfo(r.dtype).eps) for r in first(ours, case_of(case, given), given))

    wrong = cases.error(case, off)
    assert 4 < wrong < 40 or (name, which) == ("standardize", "backward")  # where no term of the sample is the result


def case_of(case: Any, given: Any) -> Any:
    return Case(case.name, case.which, case.dtype, given["x"].shape, case.axis)


def test_second_results_and_other_passes() -> None:
    case = small("mish", "value_and_derivative")
    given = cases.arrays(case)
    y, d = first(opened("actc"), case, given)
    np.testing.assert_array_equal(y, actc.mish(given["x"]))
    np.testing.assert_array_equal(d, actc.mish.derivative(given["x"]))
    assert cases.error(small("mish", "second_derivative"), None) is None  # not judged by f


def test_halves_are_halves(peer: Any) -> None:
    """A library that answers float16 with float32 has no float16."""
    for name in ("sigmoid", "softmax"):
        case = small(name, "forward", "f16")
        for call in peer.calls(case, cases.arrays(case)):
            try:
                (result,) = call.results()
            except TypeError as error:
                assert re.search(r"gives float(32|64), not float16|not supported|supported types", str(error))
            else:
                assert result.dtype == np.float16


def test_into() -> None:
    assert formulas.into("np.tanh(x)", ("y",)) == "np.tanh(x, out=y)"
    assert (
        formulas.into("t0 = x * x; x / t0, -x", ("y", "d"))
        == "t0 = x * x; np.divide(x, t0, out=y), np.negative(x, out=d)"
    )
    assert formulas.into("np.where(x > 0, x, 0)", ("y",)) == "np.where(x > 0, x, 0)"


def test_translations() -> None:
    text, numbers = formulas.to_numexpr("x**2 if x > 0 else max(x, 0.5)*pi")
    assert text == "where(x > c0, x ** 2, where(x > c1, x, c1) * c2)".replace("c1, x, c1", "c1, x, c2").replace(
        "* c2)", "* c3)"
    )
    assert list(numbers.values()) == [0, 0.5, 0.5, np.pi]
    text, numbers = formulas.to_scalars("2*x if -1 < x < sqrt(2) else exp(x)")
    assert text == "c2 * x if c0 < x < c1 else exp(x)"
    assert list(numbers.values()) == [-1, 2**0.5, 2]
    with pytest.raises(formulas.NotThere):
        formulas.to_numexpr("erfc(x)")


def test_one_thread() -> None:
    for name in ("torch", "numexpr", "numba"):
        if found := next(peers.installed([name]), None):
            counts = {
                "torch": lambda f=found: f.torch.get_num_threads(),
                "numexpr": lambda f=found: f.scope["ne"].nthreads if hasattr(f.scope["ne"], "nthreads") else 1,
                "numba": lambda f=found: f.numba.config.NUMBA_NUM_THREADS,
            }
            assert counts[name]() == 1, name


def test_command(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "table"
    arguments = [
        "sigmoid",
        "glu",
        "softmax",
        "--quick",
        "--size",
        "1",
        "50",
        "--shape",
        "5x7",
        "5x7:0",
        "--peers",
        "numpy",
    ]
    code = f"""
import runpy, sys
sys.path.insert(0, {str(BENCH)!r})
sys.argv[1:] = {[*arguments, "--layout", "contiguous", "strided", "--output", str(target)]!r}
runpy.run_path({str(BENCH / "against.py")!r}, run_name="__main__")
"""
    done = run_python(code, check=False)
    assert done.returncode == 0, done.stderr
    written = json.loads(target.with_suffix(".json").read_text())
    assert written["machine"]["processor time over time"].keys() == {"actc", "numpy"}
    found = written["cells"]
    assert len(found) == 2 * (2 * 3 + 2)  # two passes; two functions at 1, 50 and 50 strided; rows in two directions
    for cell in found:
        assert {w["peer"] for w in cell["ways"]} == {"actc", "numpy"}
        assert all(w["ns"] > 0 and w["GB/s"] > 0 for w in cell["ways"])
        counts = {w["peer"] for w in cell["ways"] if w["counts"]}
        fastest = {p: min(w["ns"] for w in cell["ways"] if w["peer"] == p) for p in ("actc", "numpy")}
        assert counts == {"actc", "numpy"}, cell
        assert cell["ratio"] == pytest.approx(fastest["numpy"] / fastest["actc"])
    text = target.with_suffix(".md").read_text()
    assert "geometric mean" in text
    assert text.count("| sigmoid | forward | f32 |") >= 3
    assert "5x7 axis 0" in text


def test_rows_of_pages(tmp_path: pathlib.Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """bench/rows.py keeps what it has measured, a line a cell, renews what it is told to and prints it."""
    pytest.importorskip("scipy")
    rows: Any = importlib.import_module("rows")
    assert set(rows.NAMES) == {*actc.row_functions, *actc.gates, *actc.functions} - set(actc.elementwise)
    for name, value in {"FILE": tmp_path / "rows.json", "SECONDS": 1e-4, "GATES": [((8,), -1)]}.items():
        monkeypatch.setattr(rows, name, value)
    monkeypatch.setattr(rows, "SHAPES", [((4, 6), -1), ((4, 6), 0)])

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["rows.py", *arguments])
        assert rows.main() == 0
        return str(capsys.readouterr().out)

    printed = run("--write", "softmax", "maxout", "glu")
    (found,) = json.loads(rows.FILE.read_text()).values()
    wanted = [rows.key(case) for name in ("softmax", "maxout", "glu") for case in rows.grid(name)]
    assert list(found["cells"]) == wanted and len(wanted) == 2 * 2 * (2 * 2) + 2 * 3
    for place, (ours, theirs, who, own_error, error) in found["cells"].items():
        assert ours > 0 and theirs > 0 and own_error <= 4 and error >= 0, place
        assert " ".join([*place.split()[:2], who]) in found["calls"]
    run("--write", "glu")
    (again,) = json.loads(rows.FILE.read_text()).values()
    assert again["cells"].keys() == found["cells"].keys()
    assert run().count("\n") == printed.count("\n") == len(wanted) and run("glu").count("\n") == 6
    rows.FILE.write_text("{}")
    monkeypatch.setattr(sys, "argv", ["rows.py"])
    assert rows.main() == 2 and "--write measures it" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["rows.py", "gleu"])
    with pytest.raises(SystemExit):
        rows.main()


def test_everybody_is_held_to_avx2(tmp_path: pathlib.Path) -> None:
    if "avx2" not in _config.config()["available"]:
        pytest.skip("the processor has no AVX2")
    code = f"""
import sys
sys.path.insert(0, {str(BENCH)!r})
import peers
from numpy._core._multiarray_umath import __cpu_features__ as features
assert not features["AVX512F"] or "X86_V4" not in features or not features["X86_V4"], features
assert peers.ONNXRuntime not in map(type, peers.installed())
for peer in peers.installed(["torch", "actc"]):
    assert peer.name == "actc" or "AVX2" in peer.version, peer.version
"""
    run_python(code, ACTC_ISA="avx2")


@pytest.mark.parametrize(("arguments", "says"), [
    (["no_such"], "unknown function 'no_such'"),
    (["--shape", "10"], "--shape must be like 1000x1000 or 1000x1000:0, not '10'"),
    (["--shape", "10x0"], "not '10x0'"),
    (["--size", "0"], "--size must be positive"),
    (["--peers", "nobody"], "invalid choice: 'nobody'"),
])  # fmt: skip
def test_bad_arguments(arguments: list[str], says: str) -> None:
    code = f"""
import runpy, sys
sys.path.insert(0, {str(BENCH)!r})
sys.argv[1:] = {arguments!r}
runpy.run_path({str(BENCH / "against.py")!r}, run_name="__main__")
"""
    done = run_python(code, check=False)
    assert done.returncode == 2
    assert says in done.stderr


def test_lost_cells_and_marked_peers() -> None:
    against = importlib.import_module("against")
    ways = [against.Way("actc", "", 2.0, 1.0), against.Way("torch", "", 1.0, 17.0), against.Way("numpy", "", 1.5, 3.0)]
    cell = against.Cell(small("sigmoid", "forward"), ways, 1.0)
    assert cell.ratio(16) == 0.75
    assert cell.ratio() == 0.5
    assert cell.rival(16).peer == "numpy"
    assert against.shown(ways[1], 16) == "×1 (17.0)×"
    assert cell.gigabytes(2.0) == 4.0
