"""The figures of docs/proof.json: within their bounds, of the library's bits, and from a tool that sees errors."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import ROWS

sys.path.insert(0, str(oracle.HERE.parent / "tools"))

import all_floats
import near_ties
import proof
import proof_table

ENTRIES = proof.load()
ITEMS = proof.items()
F32 = oracle.FORMATS["float32"]


def known(dtype: str) -> list[tuple[proof.Item, str, dict[str, Any]]]:
    return [(i, t, ENTRIES[k]) for i in ITEMS for t in proof.TIERS if (k := i.key(dtype, t)) in ENTRIES]


# ---- the figures -----------------------------------------------------------------------------------------------------


def test_the_largest_error_told() -> None:
    """README names the default tier's worst item; it once told of one that others had overtaken."""
    item, worst = max(((i, e["worst"]) for i, tier, e in known("float32") if tier == "default"), key=lambda v: v[1])
    assert f"default tier is {worst:.3f} ULP, {item.row.name}'s" in (oracle.HERE.parent / "README.md").read_text()


@pytest.mark.parametrize("form", proof.TYPES)
def test_bits_are_those_that_were_proven(row: Any, form: str) -> None:
    changed = [
        item.key(form, tier)
        for item, tier, entry in known(form)
        if item.row.name == row.name and item.digest(form, tier) != entry["slice"]
    ]
    assert not changed, f"other bits than those proven: make prove ARGS={row.name} ({', '.join(changed)})"


@pytest.mark.parametrize("form", proof.TYPES)
def test_no_figure_exceeds_its_bound(form: str) -> None:
    beyond = {i.key(form, t): e["worst"] for i, t, e in known(form) if e["worst"] > i.bound(form, t)}
    for item, tier, entry in known(form):
        if form != "float64" and item.bound(form, tier) == 0.5 and entry["misrounded"]:
            beyond[item.key(form, tier)] = entry["worst"]
    assert not beyond


def test_the_reference_of_prove_c_deserves_it() -> None:
    off = {
        i.key("float32", t): e["reference"]
        for i, t, e in known("float32")
        if e.get("reference", 0) > all_floats.DOUBT / 8
    }
    off |= {i.key("float64", t): e["worst"] for i, t, e in known("float64") if e["worst"] > all_floats.DOUBT / 8}
    assert not off


def test_every_entry_is_of_the_table() -> None:
    keys = [i.key(d, t) for i in ITEMS for d in proof.TYPES for t in proof.TIERS]
    assert len(set(keys)) == len(keys)
    assert not {k for k in ENTRIES if not k.split()[-2].startswith("bfloat")} - set(keys)  # ml_dtypes is optional


def test_instruction_sets_that_were_compared_gave_the_same_bits() -> None:
    other = {k: [isa for isa, step in e["isas"].items() if not step] for k, e in ENTRIES.items()}
    assert not {k: isas for k, isas in other.items() if isas}


def test_float32_is_proven_at_the_defaults() -> None:
    missing = [i.label for i in ITEMS if i.at_defaults and any(i.key("float32", t) not in ENTRIES for t in proof.TIERS)]
    assert not missing, "make prove ARGS='--type float32 --defaults'"


def test_page_is_printed_from_the_figures() -> None:
    assert proof_table.FILE.read_text() == proof_table.table(ENTRIES), "python tools/prove.py --table"


def test_figures_are_rounded_up() -> None:
    for error in (0.0, 0.5, math.nextafter(0.5, 1), 1 / 3, 1.9999999999, 2.00335765):
        assert error <= proof.round_up(error) <= error * (1 + 1e-8)


# ---- the tool --------------------------------------------------------------------------------------------------------

STEP = 99_991  # 42,954 inputs
APPLY = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t, ctypes.c_void_p,
)  # fmt: skip


def float_of(bits: int) -> np.float32:
    return np.array([bits], np.uint32).view(np.float32)[0]


def prove(label: str, directory: Any, change: Callable[[np.ndarray, np.ndarray], Any] | None = None) -> dict[str, Any]:
    """Both tiers of an item through a library whose float32 results are changed in place: change(x, y)."""
    try:
        oracle.compiler()
    except FileNotFoundError as error:
        pytest.skip(f"needs {error}")
    item = next(i for i in ITEMS if i.label == label)
    real = all_floats.library().actc_apply

    @APPLY
    def apply(row: Any, kind: int, dtype: int, inputs: Any, outputs: Any, n: int, parameters: Any) -> int:
        done = real(ctypes.c_void_p(row), kind, dtype, inputs, outputs, ctypes.c_size_t(n), ctypes.c_void_p(parameters))
        if dtype == 2 and change:  # float32
            x, y = (np.ctypeslib.as_array((ctypes.c_float * n).from_address(p[0])) for p in (inputs, outputs))
            change(x, y)
        return int(done)

    run = all_floats.Float32(item, list(proof.TIERS), oracle.Reference([item.row], directory), STEP, apply)
    for chunk in range(run.chunks):
        run.add(chunk, *run.run(chunk))
    return {tier: run.entries()[item.key("float32", tier)] for tier in proof.TIERS}


@pytest.fixture(scope="module")
def right(tmp_path_factory: Any) -> dict[str, Any]:
    return prove("silu f", tmp_path_factory.mktemp("formulas"))


def test_what_is_right_is_found_right(right: dict[str, Any]) -> None:
    assert right["exact"]["misrounded"] == 0 < right["default"]["misrounded"]
    assert right["exact"]["worst"] <= 0.5 < right["default"]["worst"] <= 2
    assert right["exact"]["doubtful"] > 100  # subnormals, that the series decides
    assert right["exact"]["undecided"] == 0


@pytest.mark.parametrize("by", [1, -1, 3, -3, 1000])
@pytest.mark.parametrize("at", [12_345, 20_000, 70, 25_000])  # among them a subnormal, and near a zero of none
def test_one_wrong_result_is_seen(right: dict[str, Any], tmp_path: Any, at: int, by: int) -> None:
    x0 = float_of(at * STEP)

    def change(x: np.ndarray, y: np.ndarray) -> None:
        y[x == x0] = (y[x == x0].view(np.int32) + by).view(np.float32)

    wrong = prove("silu f", tmp_path, change)["exact"]
    assert wrong["misrounded"] == 1
    assert wrong["worst"] > 0.5
    if abs(by) > 1:
        assert abs(by) - 0.51 <= wrong["worst"] <= abs(by) + 0.51
        assert float.fromhex(wrong["at"]) == x0
        assert wrong["above"] == 1
    assert wrong["sha256"] != right["exact"]["sha256"]


def test_nan_and_the_sign_of_zero_are_seen(right: dict[str, Any], tmp_path: Any) -> None:
    x0 = float_of(12_345 * STEP)
    with_nan = prove("silu f", tmp_path, lambda x, y: np.copyto(y, np.nan, where=x == x0))["exact"]
    assert with_nan["worst"] == math.inf
    assert float.fromhex(with_nan["at"]) == x0
    without = prove("silu f", tmp_path, lambda x, y: np.copyto(y, 0, where=np.isnan(x)))["exact"]
    assert without["worst"] == math.inf
    # many at once, whose changes must not cancel in the digest
    zeros = prove("silu f", tmp_path, lambda x, y: np.copyto(y, 0, where=y == 0))["exact"]
    assert zeros["misrounded"] > 1000
    assert zeros["sha256"] != right["exact"]["sha256"]
    assert zeros["worst"] <= 0.5 + 1e-9  # as far away as before


def test_near_a_zero_errors_are_relative_to_its_neighbours(tmp_path: Any) -> None:
    """Of silu', 0 at -1.278: one ULP of the value a quarter away is a fraction of that one away."""
    zero = -1.2784645427610738

    def change(x: np.ndarray, y: np.ndarray) -> None:
        near = (x > zero - 0.2) & (x < zero + 0.2)
        y[near] += np.float32(2.0**-23)

    entry = prove("silu f'", tmp_path, change)["default"]
    ulp = 2.0**-25  # of silu'(-0.278) = 0.36
    assert 2.0**-23 / ulp - 1 < entry["worst"] < 2.0**-23 / ulp + 1
    assert abs(float.fromhex(entry["at"]) - zero) < 0.2


@pytest.mark.parametrize("order", [0, 1])
def test_series_decide_as_arbitrary_precision_does(row: Any, order: int) -> None:
    rng = np.random.default_rng(row.index)
    parameters = tuple(row.parameters.values())
    formula = oracle.formula_of(row, order)
    ties = near_ties.NearTies(formula, parameters, oracle.kinks_of(row, *parameters))
    x = np.concatenate([
        rng.integers(1, 1 << 23, 200).astype(np.uint32).view(np.float32),
        (rng.integers(1, 1 << 9, 2000) * 2.0 ** -rng.integers(8, 60, 2000)).astype(np.float32),
        (2.0 ** rng.uniform(-10, 126, 500)).astype(np.float32),
    ])  # fmt: skip
    item = next(i for i in ITEMS if i.row.name == row.name and i.order == order and i.at_defaults)
    x = np.concatenate([x, -x])
    x = x[oracle.inside(row, x, *parameters)]
    with np.errstate(all="ignore"):
        wide = item.function("default")(x.astype(np.float64), *parameters)
        ends = [(wide * (1 + s * 2.0**-46)).astype(np.float32) for s in (-1, 1)]
    near = ends[0] != ends[1]
    x, low, high = x[near], np.minimum(*ends)[near], np.maximum(*ends)[near]
    chosen, certain = ties.decide(x, low, high)
    for i in rng.permutation(np.flatnonzero(certain))[:12]:
        assert F32.error(float(chosen[i]), formula.exact(float(x[i]), *parameters)) <= 0.5, float(x[i]).hex()


def test_series_decide_most_ties(right: dict[str, Any]) -> None:
    """x/2 + x^2/4 for subnormal x: half of them are ties but for the square."""
    row = next(r for r in ROWS if r.name == "silu")
    x = np.arange(1, 1 << 16, dtype=np.uint32).view(np.float32)
    low, high = (np.arange(1, 1 << 16, dtype=np.uint32) // 2 + k for k in (0, 1))
    ties = near_ties.NearTies(oracle.formula_of(row, 0), (), [])
    chosen, certain = ties.decide(x, low.astype(np.uint32).view(np.float32), high.astype(np.uint32).view(np.float32))
    assert certain.all()
    odd = np.arange(1, 1 << 16) % 2 == 1
    np.testing.assert_array_equal(chosen.view(np.uint32)[odd], high[odd])  # the square rounds up
