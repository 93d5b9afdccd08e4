"""The command line as a user meets it: every command, and every way in which it can be refused."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import actc
from actc import _bench, _cli_apply, _cli_formula
from actc._cli import main

FIRST = next(iter(actc.elementwise))
TUNABLE, PARAMETER = next((n, next(iter(f.parameters))) for n, f in actc.elementwise.items() if f.parameters)
PLAIN = next(n for n, f in actc.elementwise.items() if not f.parameters)
# A child finds this actc too, wherever it runs
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(actc.__file__).parents[1])}
CURVED = "gelu"  # where one function is as good as another, and an integer input must become a fraction


def run(*argv, **options):
    """In a process of its own, as from a shell."""
    command = [sys.executable, "-m", "actc", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, **options)


@pytest.fixture
def call(capsys):
    """In this process, which is faster: (exit code, stdout, stderr)."""

    def go(*argv):
        try:
            code = main([str(a) for a in argv])
        except SystemExit as leaving:
            code = leaving.code
        out, err = capsys.readouterr()
        return code, out, err

    return go


@pytest.fixture
def array(tmp_path):
    """Save an array, return its path."""

    def save(x, name="in.npy"):
        path = tmp_path / name
        np.save(path, x)
        return path

    return save


# ---- information ---------------------------------------------------------------------------------------------


def test_module_runs():
    done = run("--version")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, actc.__version__, "")


def test_info(call):
    code, out, _ = call("info")
    assert code == 0
    for text in (actc.__version__, actc.isa(), np.__version__, actc.get_library(), "bfloat16"):
        assert text in out
    found = json.loads(call("info", "--json")[1])
    assert found["isa"] == actc.isa() and found["features"] == actc.cpu_features() and found["available"] == actc.isas()


def test_list(call):
    code, out, _ = call("list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(actc.functions)
    for f, line in zip(actc.functions.values(), out.splitlines()[1:], strict=True):
        assert line.endswith(f.formula)
        assert all(f"{name}={value:g}" in line for name, value in f.parameters.items())
        assert all(name in line.split() for name in f.info.get("required", ()))


def test_list_as_json(call):
    """Everything that .info holds, in JSON as others read it: without the words Infinity and NaN."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    table = json.loads(call("list", "--json")[1], parse_constant=refuse)
    assert [r["name"] for r in table] == list(actc.functions)
    for entry, f in zip(table, actc.functions.values(), strict=True):
        assert entry.keys() == {*f.info, "aliases"}
        for key, value in f.info.items():
            assert entry[key] == (str(value) if value in (math.inf, -math.inf) else json.loads(json.dumps(value)))
        assert {"domain", "range", "limits", "kinks", "monotonicity", "lipschitz", "zeros", "reference"} <= entry.keys()
    assert [r["name"] for r in table if r["derivative_gain"] == "inf"] == ["binary_step"]
    assert [r["name"] for r in table if r["gain"] is None] == ["apl"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes of this kind")
def test_reader_that_stops_is_no_error():
    command = f"{sys.executable} -m actc list --json | head -1"
    shell = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(shell, capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")


def test_build_flags(call):
    assert call("--includedir")[1].strip() == actc.get_include()
    assert call("--libdir")[1].strip() == actc.get_library_dir()
    assert call("--cmakedir")[1].strip() == actc.get_cmake_dir()
    code, out, _ = call("--cflags", "--libs")
    assert code == 0
    assert out.split()[0] == f"-I{actc.get_include()}" and out.split()[-1] == "-lactc"


def test_no_command_is_a_usage_error(call):
    code, _, err = call()
    assert code == 2 and "a command is required" in err


# ---- names and parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", [("bench", "{}"), ("plot", "{}"), ("apply", "{}", "a.npy", "b.npy")])
def test_unknown_function_lists_the_valid_ones(call, argv):
    code, _, err = call(*(a.format(CURVED + "x") for a in argv))
    assert code == 2
    assert f"did you mean {CURVED}?" in err and all(name in err for name in actc.elementwise)


@pytest.mark.parametrize("argv", [("bench", "{}"), ("plot", "{}"), ("apply", "{}", "a.npy", "b.npy")])
@pytest.mark.parametrize(
    ("name", "why"), [("softmax", "whole rows"), ("glu", "two arrays"), ("apl", "parameters are arrays")]
)
def test_functions_of_another_kind_are_refused_with_a_reason(call, argv, name, why):
    code, _, err = call(*(a.format(name) for a in argv))
    assert code == 2 and why in err and "unknown" not in err


@pytest.mark.parametrize("name", ["views", "isa", "exact", f"{FIRST}_derivative", "__name__"])
def test_other_attributes_are_no_functions(call, name):
    assert call("plot", name)[0] == 2


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        (TUNABLE, PARAMETER + "x=1", f"did you mean {PARAMETER}?"),
        (TUNABLE, f"{PARAMETER}=much", "must be a number"),
        (TUNABLE, PARAMETER, "must be a number"),
        (PLAIN, "alpha=1", "has no parameters"),
    ],
)
def test_bad_parameters(call, name, given, says):
    for argv in (("plot", f"{name}:{given}"), ("apply", name, "a.npy", "b.npy", "--param", given)):
        code, _, err = call(*argv)
        assert code == 2 and says in err


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--dtype", "f31", "f32"),
        ("--pass", "derivate", "derivative"),
        ("--size", "0", "positive"),
        ("--size", "x", "int"),
    ],
)
def test_bad_bench_options(call, option, value, says):
    code, _, err = call("bench", FIRST, option, value)
    assert code == 2 and says in err


# ---- bench ---------------------------------------------------------------------------------------------------


def test_bench(call, tmp_path):
    target = tmp_path / "b.json"
    code, out, _ = call(
        *("bench", CURVED, PLAIN, "--size", 3, 50, "--dtype", "f32", "f64", "--pass", "forward", "backward"),
        *("--seconds", "0.001", "--json", target),
    )
    assert code == 0
    assert actc.isa() in out and np.__version__ in out and "geometric mean" in out and "NumPy expressions" in out
    found = json.loads(target.read_text())
    assert len(found["cells"]) == 16
    for cell in found["cells"]:
        assert cell["actc_ns"] > 0 and cell["ratio"] == pytest.approx(cell["numpy_ns"] / cell["actc_ns"])
        assert f"{cell['function']} {cell['pass']}: {cell['expression']}" in out


def test_bench_without_scipy_says_so(call, monkeypatch):
    """Or Python's own erfc, a hundred times slower, would pass for NumPy's."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    for name, says in (("gelu", True), (PLAIN, False)):
        code, out, _ = call("bench", name, "--size", 2, "--seconds", "0.001")
        assert code == 0 and ("not SciPy's, which is not installed" in out) == says


def test_bench_json_alone(call):
    code, out, _ = call("bench", PLAIN, "--size", 2, "--seconds", "0.001", "--exact", "--json", "-")
    assert code == 0 and json.loads(out)["machine"]["isa"] == actc.isa()


def test_bench_cannot_write(call, tmp_path):
    code, _, err = call("bench", PLAIN, "--size", 2, "--seconds", "0.001", "--json", tmp_path / "no" / "b.json")
    assert code == 1 and "b.json" in err


@pytest.mark.parametrize("name", actc.elementwise)
def test_what_numpy_computes_is_the_same_function(name):
    """An opponent that computes something else would make the table worthless."""
    row, x = _bench.ROWS[name], np.linspace(-3, 3, 101)
    g = np.linspace(1, 2, 101)
    for which in _bench.PASSES:
        f = _cli_formula.numpy_function(row, "" if which == "forward" else which)
        if f is None:
            continue
        arguments = (g, x) if which == "backward" else (x,)
        for dtype in (np.float32, np.float64):
            typed = [a.astype(dtype) for a in arguments]
            with np.errstate(all="ignore"):  # as the bench runs it: np.where computes both sides
                ours, theirs = _bench.ufunc_of(name, which)(*typed), f(*typed)
            np.testing.assert_allclose(theirs, ours, rtol=1e-4 if dtype == np.float32 else 1e-10, atol=1e-6)
            assert np.asarray(theirs).dtype == np.asarray(ours).dtype == dtype


def test_numpy_source_of_other_formulas():
    """What the first rows do not need, later ones do."""

    class Row:
        formula = "0 if x < -3 else 1 if x >= 3 else max(x, asinh(x) + e)"
        derivative = "sqrt(2) if -1 < x < 1 and x != 0 else 0"
        second_derivative = "0"
        parameters: dict = {}  # noqa: RUF012

    assert "np.where(x < -3, 0, np.where(x >= 3, 1, np.maximum(x, np.arcsinh(x)" in _cli_formula.numpy_source(Row, "")
    d = _cli_formula.numpy_function(Row, "derivative")(np.array([-2, -0.5, 0, 0.5], np.float32))
    assert d.dtype == np.float32 and d.tolist() == [0, np.float32(2**0.5), 0, np.float32(2**0.5)]
    assert _cli_formula.numpy_source(Row, "no such pass") is None


def test_ulps():
    """Half a unit is the error of correct rounding; a lost value is an infinite one."""
    for dtype in (np.dtype(np.float16), np.dtype(np.float32)):
        exact = np.geomspace(1e-6, 100, 999)
        assert 0.4 < _bench.ulps(exact.astype(dtype), exact, 0, exact, dtype) <= 0.5
    one = np.ones(1)
    assert _bench.ulps(np.full(1, 1 + 2**-52), one, 2.0**-53, one, np.dtype(float)) == 0.5
    assert _bench.ulps(np.full(1, np.nan), one, 0, one, np.dtype(float)) == np.inf


@pytest.mark.parametrize("name", actc.elementwise)
def test_bench_sees_the_accuracy_that_is_promised(name):
    pytest.importorskip("mpmath")
    for which, bound in (("forward", 2), ("derivative", 2)):
        ufunc = _bench.ufunc_of(name, which)
        assert _bench.max_ulp(ufunc, name, which, np.dtype(np.float32)) <= bound
        assert _bench.max_ulp(ufunc, name, which, np.dtype(np.float64)) <= 4


# ---- plot ----------------------------------------------------------------------------------------------------


def test_plot(call, tmp_path):
    pytest.importorskip("matplotlib")
    target = tmp_path / "p.png"
    code, out, _ = call("plot", CURVED, f"{TUNABLE}:{PARAMETER}=0.5", "-o", target)
    assert code == 0 and out.strip() == str(target)
    assert target.read_bytes().startswith(b"\x89PNG")


def test_every_function_can_be_drawn():
    """Constant derivatives and jumps included, without a warning."""
    figure = pytest.importorskip("matplotlib.figure").Figure()
    from actc import _plot

    left, right = figure.subplots(1, 2)
    for name in actc.elementwise:
        _plot.draw(left, right, name, {})
    assert len(left.lines) == len(right.lines) == 3 * len(actc.elementwise)


def test_plot_of_two_halves(call, tmp_path):
    """crelu: a curve for each half, which the other commands cannot take apart."""
    figure = pytest.importorskip("matplotlib.figure").Figure()
    from actc import _plot

    left, right = figure.subplots(1, 2)
    _plot.draw(left, right, "crelu", {})
    x = left.lines[-1].get_xdata().ravel()
    np.testing.assert_array_equal(left.lines[-2].get_ydata(), actc.relu(x))
    np.testing.assert_array_equal(left.lines[-1].get_ydata(), actc.relu(-x))
    assert call("plot", "crelu", "-o", str(tmp_path / "crelu.png"))[0] == 0
    code, _, err = call("apply", "crelu", "a.npy", "b.npy")
    assert code == 2 and "whole rows" in err


def test_plot_default_name(call, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert call("plot", PLAIN)[0] == 0
    assert os.listdir() == [f"{PLAIN}.png"]


def test_plot_refusals(call, tmp_path):
    pytest.importorskip("matplotlib")
    for target in (tmp_path / "p.nonsense", tmp_path / "no" / "p.png"):
        code, _, err = call("plot", PLAIN, "-o", target)
        assert code == 1 and target.name in err and len(err.splitlines()) == 1


def test_plot_without_matplotlib(call, monkeypatch):
    for module in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, module, None)
    code, _, err = call("plot", PLAIN)
    assert code == 1 and "pip install" in err


def test_only_plot_needs_matplotlib():
    code = "import sys; from actc._cli import main; main(['list']); main(['info']); print('matplotlib' in sys.modules)"
    done = subprocess.check_output([sys.executable, "-c", code], text=True, env=ENVIRONMENT)
    assert done.splitlines()[-1] == "False"


# ---- apply: what it computes ---------------------------------------------------------------------------------

LARGE = 3 * _cli_apply.CHUNK + 17
VALUES = np.random.default_rng(0).standard_normal(LARGE)
ARRAYS = {
    "float32": VALUES.astype(np.float32),
    "float64 2-d": VALUES[: 300 * 301].reshape(300, 301),
    "fortran": np.asfortranarray(VALUES[: 300 * 301].reshape(300, 301)),
    "fortran 3-d": np.asfortranarray(VALUES[:1001].reshape(7, 11, 13)),
    "0-d": np.array(1.5, np.float32),
    "empty": np.zeros((3, 0), np.float16),
    "big-endian": VALUES.astype(">f4"),
    "little-endian": VALUES.astype("<f8"),
    "float16": VALUES.astype(np.float16),
    "bool": VALUES > 0,
    "int8": (VALUES * 20).astype(np.int8),
    "big-endian uint16": (abs(VALUES) * 5).astype(">u2"),
    "int64": (VALUES * 20).astype(np.int64),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_apply(call, array, tmp_path, case):
    x, target = ARRAYS[case], tmp_path / "out.npy"
    assert call("apply", CURVED, array(x), target) == (0, "", "")
    y, expected = np.load(target), np.asarray(actc.elementwise[CURVED](x))
    assert (y.dtype, y.shape) == (expected.dtype, x.shape)
    assert (y.flags.c_contiguous, y.flags.f_contiguous) == (x.flags.c_contiguous, x.flags.f_contiguous)
    np.testing.assert_array_equal(y, expected)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.npy", "out.npy"]


def test_apply_options(call, array, tmp_path):
    x, target = VALUES[:100].astype(np.float32), tmp_path / "out.npy"
    source = array(x)
    for tier, more in ((actc, []), (actc.exact, ["--exact"])):
        f = tier.elementwise[TUNABLE]
        for which, g in (("forward", f), ("derivative", f.derivative)):
            argv = ["apply", TUNABLE, source, target, "--force", "--param", f"{PARAMETER}=0.375", "--pass", which]
            assert call(*argv, *more)[0] == 0
            np.testing.assert_array_equal(np.load(target), g(x, **{PARAMETER: 0.375}))


def test_apply_alias(call, array, tmp_path):
    assert call("apply", "logistic", array(VALUES[:9]), tmp_path / "out.npy")[0] == 0
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), actc.logistic(VALUES[:9]))


def test_apply_bfloat16(call, array, tmp_path):
    """The format cannot name bfloat16: np.save writes 2-byte void, and somebody has to say what it is."""
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x, target = VALUES.astype(bfloat16), tmp_path / "out.npy"
    source = array(x)
    code, _, err = call("apply", CURVED, source, target)
    assert code == 1 and "--bfloat16" in err
    assert call("apply", CURVED, source, target, "--bfloat16")[0] == 0
    np.testing.assert_array_equal(np.load(target).view(bfloat16), actc.elementwise[CURVED](x))
    code, _, err = call("apply", CURVED, array(VALUES, "d.npy"), target, "--bfloat16", "--force")
    assert code == 1 and "float64" in err


def test_apply_in_place(call, array):
    path = array(VALUES)
    assert call("apply", CURVED, path, path)[0] == 1
    np.testing.assert_array_equal(np.load(path), VALUES)
    assert call("apply", CURVED, path, path, "--force")[0] == 0
    np.testing.assert_array_equal(np.load(path), actc.elementwise[CURVED](VALUES))


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of Unix")
def test_apply_keeps_mode_and_link(call, array, tmp_path):
    source, real, link = array(VALUES[:9]), tmp_path / "real.npy", tmp_path / "link.npy"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    assert call("apply", CURVED, source, link, "--force")[0] == 0
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o640
    np.testing.assert_array_equal(np.load(real), actc.elementwise[CURVED](VALUES[:9]))


# ---- apply: what it refuses ----------------------------------------------------------------------------------


def refused(result, *texts):
    """One line on stderr that names everything in `texts`."""
    code, out, err = result
    assert (code, out, len(err.splitlines())) == (1, "", 1), result
    assert all(str(t) in err for t in texts), err
    return True


@pytest.mark.parametrize(
    "x",
    [
        np.ones(3, complex),
        np.array([1, "a"], object),
        np.zeros(3, "f4,i4"),
        np.array(["a"]),
        np.zeros(3, "M8[s]"),
        np.zeros(3, np.longdouble),
    ],
    ids=lambda x: str(x.dtype),
)
def test_apply_dtype(call, array, tmp_path, x):
    if x.dtype == np.float64:
        pytest.skip("longdouble is float64 here")
    assert refused(call("apply", CURVED, array(x), tmp_path / "out.npy"), "in.npy")
    assert os.listdir(tmp_path) == ["in.npy"]


def test_apply_bad_files(call, array, tmp_path):
    target = tmp_path / "out.npy"
    whole = array(VALUES, "whole.npy").read_bytes()
    files = {
        "text.npy": (b"1 2 3", "not an .npy file"),
        "nothing.npy": (b"", "not an .npy file"),
        "short.npy": (whole[:5000], "shorter than its header says"),
        "head.npy": (whole[:40], "header"),
    }
    for name, (content, says) in files.items():
        (tmp_path / name).write_bytes(content)
        assert refused(call("apply", CURVED, tmp_path / name, target), name, says)
    np.savez(tmp_path / "two.npz", x=1)
    assert refused(call("apply", CURVED, tmp_path / "two.npz", target), "two.npz", "archive")
    assert refused(call("apply", CURVED, tmp_path / "no.npy", target), "no.npy", "No such file")
    assert refused(call("apply", CURVED, tmp_path, target), tmp_path.name)
    assert not target.exists()


def test_apply_pass_must_make_one_array_of_one(call, array, tmp_path):
    source = array(VALUES[:9])
    for which in ("backward", "value_and_derivative", "nonsense"):
        code, _, err = call("apply", CURVED, source, tmp_path / "out.npy", "--pass", which)
        assert code == 2 and "forward, derivative" in err


def test_apply_existing_output(call, array, tmp_path):
    target = tmp_path / "out.npy"
    target.write_text("mine")
    assert refused(call("apply", CURVED, array(VALUES), target), "out.npy", "--force")
    assert target.read_text() == "mine"


def test_apply_unwritable(call, array, tmp_path):
    source = array(VALUES[:9])
    assert refused(call("apply", CURVED, source, tmp_path / "no" / "out.npy"), "out.npy", "No such file")
    assert refused(call("apply", CURVED, source, tmp_path, "--force"), tmp_path.name, "not a regular file")
    if os.path.exists("/dev/null"):
        assert refused(call("apply", CURVED, source, "/dev/null", "--force"), "/dev/null", "not a regular file")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may do everything")
def test_apply_permissions(call, array, tmp_path):
    source, closed = array(VALUES[:9]), tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert refused(call("apply", CURVED, source, closed / "out.npy"), "out.npy", "Permission denied")
    source.chmod(0)
    assert refused(call("apply", CURVED, source, tmp_path / "out.npy"), "in.npy", "Permission denied")


def full_after(size):
    """A limit on file sizes: writing fails as on a full disk, at a place that can be chosen."""
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
@pytest.mark.parametrize("size", [0, 64, 100_000])
def test_apply_full_disk(array, tmp_path, size):
    source, target = array(VALUES), tmp_path / "out.npy"
    target.write_text("mine")
    done = run("apply", CURVED, source, target, "--force", preexec_fn=full_after(size))
    assert refused((done.returncode, done.stdout, done.stderr), "out.npy", "too large")
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "out.npy"] and target.read_text() == "mine"


def test_apply_error_half_way(call, array, tmp_path, monkeypatch):
    """Whatever goes wrong, Ctrl-C included, nothing is left behind."""
    source, target, shown = array(VALUES), tmp_path / "out.npy", []

    def interrupt(self, done):
        shown.append(done)
        if len(shown) == 2:
            assert len(os.listdir(tmp_path)) == 2  # the input, and a file under another name
            raise KeyboardInterrupt

    monkeypatch.setattr(_cli_apply._Progress, "show", interrupt)
    code, _, err = call("apply", CURVED, source, target)
    assert (code, err) == (130, "actc: interrupted\n")
    assert os.listdir(tmp_path) == ["in.npy"]


@pytest.mark.skipif(sys.platform == "win32", reason="a file in use cannot be cut off")
def test_apply_input_that_shrinks(call, array, tmp_path, monkeypatch):
    source = array(VALUES)
    monkeypatch.setattr(_cli_apply._Progress, "show", lambda self, done: os.truncate(source, 1000))
    assert refused(call("apply", CURVED, source, tmp_path / "out.npy"), "in.npy", "shorter than its header says")
    assert os.listdir(tmp_path) == ["in.npy"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_apply_interrupted_for_real(tmp_path, how):
    """A sparse input of 8 GB keeps it busy for long enough."""
    with open(tmp_path / "in.npy", "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (2**31,)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 2**33)
    command = [sys.executable, "-m", "actc", "apply", CURVED, "in.npy", "out.npy"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job's children ignore it
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 20
        while not any(p.stat().st_size > 10**6 for p in tmp_path.glob(".out.npy.*")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(getattr(signal, how))
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, err) == (130, "actc: interrupted\n")
    assert os.listdir(tmp_path) == ["in.npy"]


# ---- apply: memory and progress ------------------------------------------------------------------------------

PEAK = """
import sys
from actc._cli import main
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
assert main(["apply", sys.argv[1], "small.npy", "out.npy", "--force"]) == 0
before = peak()
assert main(["apply", sys.argv[1], "large.npy", "out.npy", "--force"]) == 0
print(peak() - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the peak of resident memory from /proc")
@pytest.mark.parametrize("code", ["<f4", ">f8", "?"])
def test_apply_needs_no_memory(tmp_path, code):
    """200 MB of input in less than 1 MiB, mapped pages included; the other types with less, for time's sake."""
    np.save(tmp_path / "small.npy", np.zeros(10, code))
    count = 50_000_000 if code == "<f4" else 5_000_000
    np.lib.format.open_memmap(tmp_path / "large.npy", "w+", code, (count,))[::1000] = 1
    command = [sys.executable, "-c", PEAK, CURVED]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1024
    (tmp_path / "large.npy").unlink()
    (tmp_path / "out.npy").unlink()


def test_apply_progress_only_on_a_terminal(call, array, tmp_path, monkeypatch):
    source = array(VALUES)
    assert call("apply", CURVED, source, tmp_path / "a.npy")[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, _, err = call("apply", CURVED, source, tmp_path / "b.npy")
    assert "100%" in err and err.endswith("\n")
    assert Path(tmp_path / "b.npy").exists()
