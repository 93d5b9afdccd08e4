"""The state of a process is the caller's: floating-point environment and status, signals, locale and all the rest,
whatever the package computes. (test_special.py has the elementwise functions; these are the others.)"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import test_rows
from conftest import ROWS, TIERS, UFUNCS, arguments, arity, bits, is_nan, numbers, run_python
from test_special import MODES, awkward, mxcsr  # noqa: F401 (a fixture)

import actc

Call = Callable[[], Any]
PARAMETERS = (0.0, -1.5, 1e300, 1e-300, -np.inf, np.nan)
HINGES = np.array([0.25, -0.5, 0.125]), np.array([0.5, -1.0, 2.0])


def bound(f: Any, *args: Any, **kwargs: Any) -> Call:
    return lambda: f(*args, **kwargs)


def calls(dtype: Any, x: np.ndarray, parameters: tuple[float, ...] = ()) -> Iterator[tuple[str, Call]]:
    """One call of every function but the elementwise ufuncs, on x; parameters as given, else as they are by default."""
    g, n = np.roll(x, 5), len(x)
    for tier, of_tier in (("default", actc), ("exact", actc.exact)):
        for row in ROWS:
            f, p = TIERS[tier][row.name], dict(zip(row.parameters, parameters * 4, strict=False))
            if row.parameters:
                yield f"{tier} {row.name}.parameter_backward", bound(f.parameter_backward, g, x, **p)
                arrays = {k: np.full(n, v) for k, v in (dict(row.parameters) | p).items()}
                yield f"{tier} {row.name}.parameter_backward arrays", bound(f.parameter_backward, g, x, **arrays)
        for name, gate in of_tier.gates.items():
            p = dict(zip(gate.parameters, parameters * 2, strict=False))
            yield f"{tier} {name}", bound(gate, g, x, **p)
            yield f"{tier} {name}.backward", bound(gate.backward, x, g, x, **p)
        for op in test_rows.TABLE:
            p = dict(zip(op.parameters, parameters, strict=False))
            for kind in test_rows.kinds_of(op):
                f = test_rows.gufunc(op, tier, kind)
                shapes = test_rows.shapes(op, kind, (3,), n)
                arrays_ = [np.resize(np.roll(x, i), s) for i, s in enumerate(shapes)]
                yield f"{tier} {op.name} {kind}", bound(test_rows.call, f, op, arrays_, **p)
                swapped = [np.asfortranarray(a) for a in arrays_]
                yield f"{tier} {op.name} {kind} strided", bound(test_rows.call, f, op, swapped, **p)
        hinges = HINGES if not parameters else (np.full(3, parameters[0]), HINGES[1])
        for kind in ("", "derivative", "second_derivative", "value_and_derivative"):
            yield f"{tier} apl {kind}", bound(getattr(of_tier.apl, kind) if kind else of_tier.apl, x, *hinges)
        for kind in ("backward", "parameter_backward"):
            yield f"{tier} apl.{kind}", bound(getattr(of_tier.apl, kind), g, x, *hinges)
        drawn = dict(training=True, rng=7, lower=0.1, upper=0.7)  # a mean of 0.1 and 0.7 is Python's to round
        for kind, inputs in (("", (x,)), ("derivative", (x,)), ("backward", (g, x))):
            f = getattr(of_tier.rrelu, kind) if kind else of_tier.rrelu
            yield f"{tier} rrelu {kind}", bound(f, *inputs, **drawn)
            yield f"{tier} rrelu {kind} evaluation", bound(f, *inputs, lower=0.125, upper=0.375)
    if dtype.name != "bfloat16":  # which buffers cannot say
        y = np.empty_like(x)
        for name in actc.elementwise:
            yield f"views {name}", bound(getattr(actc.views, name), x, y)


def pool(dtype: Any, n: int) -> np.ndarray:
    return np.resize(np.roll(awkward(dtype), n), n)


def test_every_family_is_called(dtype: Any) -> None:
    names = [name for name, _ in calls(dtype, pool(dtype, 5))]
    assert len(names) == len(set(names))
    for word in ("parameter_backward", "swiglu", "softmax", "crelu", "apl", "rrelu", "exact"):
        assert any(word in name for name in names)


def test_nothing_is_ever_raised(dtype: Any) -> None:
    """No warning and no FloatingPointError at any length from 1 to 64, whatever lies in the arrays; NaN, infinite and
    extreme parameters too, each at every sixth length."""
    with np.errstate(all="raise"):
        for n in range(1, 65):
            for parameters in ((), (PARAMETERS[n % len(PARAMETERS)],)):
                if n % 4 and not parameters:
                    continue
                for name, call in calls(dtype, pool(dtype, n), parameters):
                    # bounds of random slopes and of a mean have to be numbers, and are checked
                    try:
                        call()
                    except (FloatingPointError, RuntimeWarning) as error:
                        raise AssertionError(f"{name}, length {n}, parameters {parameters}") from error
            np.add(np.ones(3), 1)  # and no flag is left for the next ufunc to trip over


RAISED = 0x1D  # invalid, division by zero, overflow, underflow: Python's own arithmetic is inexact, too


def test_status_flags_stay_clear(mxcsr: Any, dtype: Any) -> None:  # noqa: F811
    """A call raises no flag of the processor, not even one that NumPy does not ask for."""
    x = pool(dtype, 61)
    todo = [*calls(dtype, x), *calls(dtype, x, (np.nan,)), *calls(dtype, x, (-np.inf,))]
    todo += [(f"{u[:3]}", bound(u[3], *arguments(u[3], dtype, 61))) for u in UFUNCS]
    before = mxcsr.get()
    wrong = []
    try:
        for name, call in todo:
            call()  # what is only done once, like choosing a loop
            mxcsr.set(before & ~0x3F)
            call()
            after = mxcsr.get()
            if after & RAISED:
                wrong.append((name, hex(after)))
    finally:
        mxcsr.set(before)
    assert not wrong


def flat(result: Any) -> Iterator[np.ndarray]:
    for y in result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else (result,):
        if y is not None:
            yield np.atleast_1d(y)


@pytest.mark.parametrize("mode", MODES)
def test_environment_of_the_caller(mxcsr: Any, mode: str, dtype: Any) -> None:  # noqa: F811
    """Rounding mode and flush-to-zero of the caller change no bit, and are his again afterwards."""
    values = awkward(dtype)
    x = np.concatenate([values[~is_nan(values)], np.linspace(-100, 100, 60).astype(dtype)])
    small = np.linspace(-1, 1, 40).astype(dtype)
    todo = [*calls(dtype, x), *calls(dtype, small, (0.3,)), *calls(dtype, small, (1e-300,))]
    before = mxcsr.get()
    wanted = [list(flat(call())) for _, call in todo]
    word = before & ~0xE040 | MODES[mode]
    wrong = []
    try:
        for (name, call), expected in zip(todo, wanted, strict=True):
            mxcsr.set(word)
            found = call()
            after = mxcsr.get()
            mxcsr.set(before)
            if (after ^ word) & 0xFFC0:
                wrong.append(f"{name}: {after:#x}")
            for y, w in zip(flat(found), expected, strict=True):
                if not (bits(y) == bits(w))[~(is_nan(y) & is_nan(w))].all():
                    wrong.append(name)
    finally:
        mxcsr.set(before)
    assert not wrong


def test_import_leaves_the_process_alone() -> None:
    """All of the floating-point environment as C sees it, signals and their mask, locale, errno, threads, open files,
    the umask, random states, warnings and NumPy's settings; then the same after a call of everything."""
    run_python("""
import ctypes, gc, locale, os, random, signal, sys, threading, warnings
import numpy as np
try:
    import ml_dtypes
except ImportError:
    pass
np.random.seed(1), random.seed(1), locale.setlocale(locale.LC_ALL, "C")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
libc, libm = ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libm.so.6") if sys.platform == "linux" else None
def environment():
    if libm is None:
        return None
    words = (ctypes.c_uint32 * 16)()
    libm.fegetenv(words)
    return [w for i, w in enumerate(words) if i not in (1, 3, 4, 5, 6)]  # but for pointers of the x87, and its status
def state():
    numbers = np.random.get_state()
    return dict(
        environment=environment(), locale=locale.setlocale(locale.LC_ALL), decimal=locale.localeconv(),
        handlers=[signal.getsignal(s) for s in signal.valid_signals()],
        mask=signal.pthread_sigmask(signal.SIG_BLOCK, []), alarm=signal.getitimer(signal.ITIMER_REAL),
        threads=threading.active_count(), umask=os.umask(os.umask(0)),
        own=[len(os.listdir(f"/proc/self/{what}")) for what in ("task", "fd") if os.path.isdir("/proc/self")],
        folder=os.getcwd(), environ=dict(os.environ), random=random.getstate(),
        numpy_random=(numbers[1].tobytes(), *numbers[2:]), errors=np.geterr(), printing=np.get_printoptions(),
        warnings=list(warnings.filters), switch=sys.getswitchinterval(), recursion=sys.getrecursionlimit(),
        hooks=(sys.excepthook, sys.displayhook, sys.unraisablehook), gc=gc.get_threshold(),
        affinity=os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None,
        meta=list(sys.meta_path), paths=list(sys.path_hooks))
before = state()
import actc
actc.exact, actc.views, actc.init, actc.diagnostics, actc.preset
def compare(when):
    for (key, old), new in zip(before.items(), state().values(), strict=True):
        assert old == new, (when, key, old, new)
compare("import")
import conftest, test_state
before = state()
for dtype in conftest.DTYPES.values():
    x = test_state.pool(dtype, 40)
    for f in actc.elementwise.values():
        f(x), f.derivative(x)
    for _, call in test_state.calls(dtype, x):
        call()
compare("calls")
""")


@contextlib.contextmanager
def isa_in_use(name: str) -> Iterator[None]:
    before = actc.use_isa(name)
    try:
        yield
    finally:
        actc.use_isa(before)


def test_every_call_has_the_same_bits_on_every_instruction_set(dtype: Any) -> None:
    for n in (7, 64):
        for parameters in ((), (0.3,)):
            todo = list(calls(dtype, np.linspace(-9, 9, n).astype(dtype), parameters))
            with isa_in_use("scalar"):
                wanted = [[numbers(y) for y in flat(call())] for _, call in todo]
            for isa in actc.isas():
                with isa_in_use(isa):
                    for (name, call), expected in zip(todo, wanted, strict=True):
                        for y, w in zip(flat(call()), expected, strict=True):
                            np.testing.assert_array_equal(numbers(y), w, err_msg=f"{name} {isa}")


def test_many_threads_at_once(dtype: Any) -> None:
    """Gates, rows, sums and random slopes from six threads in orders of their own, while a seventh switches the
    instruction set: the bits of calls alone. (test_threads.py has the elementwise functions.)"""
    x = np.linspace(-9, 9, 700).astype(dtype)
    todo = [call for name, call in calls(dtype, x) if not name.startswith("views")]  # which write to one array
    wanted = [[bits(y).tobytes() for y in flat(call())] for call in todo]
    stop = threading.Event()

    def run(seed: int) -> int:
        wrong = 0
        for i in np.random.default_rng(seed).permutation(len(todo)):
            wrong += [bits(y).tobytes() for y in flat(todo[i]())] != wanted[i]
        return wrong

    def switch() -> None:
        while not stop.is_set():
            for isa in actc.isas()[:2]:
                actc.use_isa(isa)

    with isa_in_use(actc.isas()[0]), ThreadPoolExecutor(7) as pool:
        switching = pool.submit(switch)
        try:
            assert sum(pool.map(run, range(6))) == 0
        finally:
            stop.set()
        switching.result()


def test_arity_is_that_of_the_table() -> None:
    """`calls` hands parameters by their names: these are the functions'."""
    assert all(arity(TIERS["default"][row.name]) == list(row.parameters) for row in ROWS)
