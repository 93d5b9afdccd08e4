"""Both ways in, the fast path and NumPy's own, and every instruction set: the same bits and the same errors."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import DTYPES, TIERS, UFUNCS, arguments, arity, bits, every_dtype, is_nan, run_python, same_bits
from test_formula import FULL
from test_special import awkward
from test_ufunc import check, empties, outputs

import actc
from actc import _core


class Own(np.ndarray):
    pass


def show(call: Callable[[], Any]) -> str:
    """Bits, types and shapes of a result, or the error."""
    try:
        results = outputs(call())
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    kinds = [f"{type(r).__name__} {np.asarray(r).dtype} {np.shape(r)}" for r in results]
    return (
        " ".join(kinds) + " " + hashlib.sha1(b"".join(np.ascontiguousarray(r).tobytes() for r in results)).hexdigest()
    )


def dump() -> None:
    """A broad table of calls, one line each: what two processes can compare."""
    values = (0.3, 2, True, np.float32(0.1), np.float64(-1.5), np.int64(3), 10**400, "a", None, 1j, np.ones(7), np.nan)
    for i, (_, _, _, f) in enumerate(UFUNCS):
        names = arity(f)
        filled = [0.25] * len(names)
        for j, dtype in enumerate(DTYPES.values()):
            special, table = awkward(dtype), arguments(f, dtype, 60)[-1].reshape(6, 10)
            layouts = {
                "special": special,
                "random": arguments(f, dtype, 1500)[-1],
                "one": special[3:4],
                "empty": special[:0],
                "table": table,
                "Fortran": np.asfortranarray(table),
                "subclass": special.view(Own),
                "0-d": np.array(special[3]),
            }
            for k, (layout, x) in enumerate(layouts.items()):
                if not FULL and (i + j + k) % 4:  # every layout and every type of each, not every pair of them
                    continue
                ins = [np.ones_like(x) * np.array(3, dtype), x][-(f.nin - len(names)) :]
                for label, call in calls(f, names, filled, x, ins, values):
                    print(f.__name__, dtype, layout, label, show(call))
        for odd in (1.5, 2, True, None, "x", [1.0, 2.0], np.float32(2), np.longdouble(2), 1j):
            print(f.__name__, "operand", repr(odd), show(functools.partial(f, *[odd] * (f.nin - len(names)))))
    print(_core.fast_calls_enabled(), actc.isa())


def calls(
    f: Any, names: list[str], filled: list[float], x: np.ndarray, ins: list[np.ndarray], values: tuple[Any, ...]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Labelled calls of one ufunc on given inputs, right ones and wrong ones."""

    def zeros() -> tuple[np.ndarray, ...]:
        return tuple(np.zeros_like(x) for _ in range(f.nout))

    def in_place() -> Any:
        own = [a.copy() for a in ins]
        return f(*own, out=(own[-1], *[None] * (f.nout - 1)))

    yield "plain", functools.partial(f, *ins)
    yield "out", functools.partial(f, *ins, out=zeros())
    yield "in place", in_place
    for v in (*values, np.full(x.shape, 0.7)) if names else ():
        keywords = dict.fromkeys(names, v)
        yield f"positional {v!r:.30}", functools.partial(f, *ins, *[v] * len(names))
        yield f"keyword {v!r:.30}", functools.partial(f, *ins, **keywords)
        yield f"keyword and out {v!r:.30}", functools.partial(f, *ins, out=zeros(), **keywords)
    more: list[dict[str, Any]] = [
        {"out": np.zeros(3, x.dtype)},
        {"out": "x"},
        {"out": ()},
        {"out": (None,) * f.nout},
        {"out": None},
        {"unknown": 1},
        {"dtype": np.float64},
        {"dtype": "i4"},
        {"where": np.zeros(x.shape, bool), "out": zeros()},
        {"casting": "no"},
        {"order": "C"},
        {"subok": False},
        {"signature": (None,) * f.nargs},
        {"x": 1},
    ]
    if names:
        more += [{names[0]: 1, "unknown": 2}]
        yield "twice", functools.partial(f, *ins, *filled, **{names[0]: 1})
    for keywords in more:
        yield f"keywords {sorted(keywords)}", functools.partial(f, *ins, **keywords)
    yield "too many", functools.partial(f, *ins, *[None] * 9)
    yield "too few", functools.partial(f)
    yield "outputs of None", functools.partial(f, *ins, *filled, *[None] * f.nout)


def test_plain_and_fast_calls_are_alike() -> None:
    """ACTC_PLAIN_UFUNC=1 changes no bit, no type, no shape and no error."""
    code = "import test_calls; test_calls.dump()"
    fast, plain = oracle.in_parallel(lambda v: run_python(code, ACTC_PLAIN_UFUNC=v).stdout.splitlines(), ("", "1"))
    assert fast.pop().startswith("True")
    assert plain.pop().startswith("False")
    assert len(fast) > 10_000
    different = [(a, b) for a, b in zip(fast, plain, strict=True) if a != b]
    assert not different, f"{len(different)} calls differ, such as {different[:3]}"


@pytest.fixture
def restored() -> Any:
    before = actc.isa()
    yield
    actc.use_isa(before)


@pytest.mark.parametrize("isa", actc.isas()[1:])
@every_dtype
def test_instruction_sets_give_the_same_bits(restored: Any, isa: str, ufunc: Any, dtype: Any) -> None:
    """Of every finite and infinite input, both tiers; where NaN comes out it is NaN everywhere."""
    _, _, _, f = ufunc
    rng = np.random.default_rng(7)
    size, count = dtype.itemsize, 3000 if FULL else 300
    patterns = (
        rng.integers(0, (1 << 8 * size) - 1, 7 * count if size == 8 else count, np.uint64, endpoint=True)
        .astype(f"u{size}")
        .view(dtype)
    )
    x = np.concatenate([awkward(dtype), patterns, *(arguments(f, dtype, count, s)[-1] for s in range(3))])
    x = x[~is_nan(x)]
    inputs = [np.roll(x, 5), x][-(f.nin - len(arity(f))) :]
    for parameters in [[], [0.3], [1e300]][: 3 if arity(f) else 1]:
        given = parameters * len(arity(f))
        actc.use_isa(actc.isas()[0])
        wanted = outputs(f(*inputs, *given))
        actc.use_isa(isa)
        for y, w in zip(outputs(f(*inputs, *given)), wanted, strict=True):
            different = (bits(y) != bits(w)) & ~(is_nan(y) & is_nan(w))
            at = np.flatnonzero(different)[:3]
            assert not different.any(), (
                f"{np.count_nonzero(different)} of {len(x)} inputs differ, such as x = {x[at]}: {y[at]} for {w[at]}"
            )


def test_environment_chooses_the_instruction_set() -> None:
    for isa in actc.isas():
        done = run_python("import actc; print(actc.isa())", ACTC_ISA=isa)
        assert done.stdout.strip() == isa


@pytest.mark.parametrize("name", ["nonsense", "", "AVX2 ", "avx2\n"])
def test_unknown_instruction_set(name: str) -> None:
    """An error that lists what there is, by variable and by function; and nothing changes."""
    before = actc.isa()
    with pytest.raises(ValueError) as caught:
        actc.use_isa(name)
    assert all(isa in str(caught.value) for isa in actc.isas())
    assert actc.isa() == before
    done = run_python("import actc", check=False, ACTC_ISA=name)
    assert done.returncode != 0
    assert "ValueError" in done.stderr
    assert all(isa in done.stderr for isa in actc.isas())


def test_instruction_set_names_are_checked_for_type(restored: Any) -> None:
    for bad in (None, 3, b"sse2"):
        with pytest.raises((ValueError, TypeError)):
            actc.use_isa(bad)
    for isa in actc.isas():
        before = actc.isa()
        assert actc.use_isa(isa) == before
        assert actc.isa() == isa


def test_without_ml_dtypes() -> None:
    """Everything else works; bfloat16 is refused, not computed in another type."""
    code = """
import json, sys
import numpy as np
import actc
from actc import _core
assert "ml_dtypes" not in sys.modules
assert not _core.bfloat16_is_supported()
results = {f.__name__: f(np.linspace(-3, 3, 50, dtype="f4")).tobytes().hex() for f in actc.elementwise.values()}
try:
    import ml_dtypes
except ImportError:
    pass
else:
    for f in actc.elementwise.values():
        try:
            f(np.ones(3, ml_dtypes.bfloat16))
        except TypeError:
            continue
        raise AssertionError(f"{f.__name__} took a bfloat16")
print(json.dumps(results))
"""
    found = json.loads(run_python(code, ACTC_NO_ML_DTYPES="1").stdout)
    for f in actc.elementwise.values():
        assert found[f.__name__] == f(np.linspace(-3, 3, 50, dtype="f4")).tobytes().hex()


def test_bfloat16_is_there_when_ml_dtypes_is() -> None:
    assert _core.bfloat16_is_supported() == ("bfloat16" in DTYPES)


def test_out_in_every_spelling_takes_the_same_route() -> None:
    """The fast path knows a few spellings and leaves the rest to NumPy: all give one result."""
    for _, _, _, f in UFUNCS:
        inputs = arguments(f, np.float32, 33)
        wanted = f(*inputs)
        for extra in (
            {},
            {"where": True},
            {"casting": "same_kind"},
            {"order": "K"},
            {"subok": True},
            {"dtype": None},
            {"dtype": np.float32},
        ):
            check(f(*inputs, **extra), wanted)
            out = empties(f, inputs[0])
            result = f(*inputs, out=out, **extra)
            assert all(r is o for r, o in zip(outputs(result), out, strict=True))
            check(out, outputs(wanted))


def test_keyword_names_that_are_not_interned() -> None:
    """A keyword is a name by its characters, not by its identity."""
    spelt = "".join(["o", "ut"])
    for functions in TIERS.values():
        for f in functions.values():
            x, out = np.linspace(-2, 2, 9, dtype=np.float32), np.zeros(9, np.float32)
            assert f(x, **{spelt: out}) is out
            for name in arity(f):
                same_bits(f(x, **{"".join(list(name)): 0.3}), f(x, **{name: 0.3}))
