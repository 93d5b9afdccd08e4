"""bench/claim.py: what it times computes what it says, and its page says what it measured."""

from __future__ import annotations

import copy
import importlib
import json
import pathlib
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from conftest import run_python

import actc

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH, DOCS = ROOT / "bench", ROOT / "docs"
PAGE = DOCS / "guides" / "if_else_or_exponential.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="needs the source tree")
sys.path.insert(0, str(BENCH))
cases, claim, claim_page = (importlib.import_module(m) for m in ("cases", "claim", "claim_page"))


@pytest.fixture(scope="module")
def contest() -> Any:
    return claim.Contest()


def run(*arguments: str) -> Any:
    code = f"""
import runpy, sys
sys.path.insert(0, {str(BENCH)!r})
sys.argv[1:] = {list(arguments)!r}
runpy.run_path({str(BENCH / "claim.py")!r}, run_name="__main__")
"""
    return run_python(code, check=False)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: Any) -> dict[str, Any]:
    """The whole script, small."""
    folder = tmp_path_factory.mktemp("claim")
    done = run("--quick", "--json", str(folder / "claim.json"), "--page", str(folder / "page.md"))
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "claim.json").read_text())
    assert (folder / "page.md").read_text() == claim_page.page(found)
    assert done.stdout == claim_page.summary(found) + "\n"
    return dict(found)


# ---- the page -------------------------------------------------------------------------------------------------------


def test_page_is_not_stale() -> None:
    committed = (DOCS / "claim.json").read_text()
    found = json.loads(committed)
    assert PAGE.read_text() == claim_page.page(found), "run bench/claim.py --from docs/claim.json --page ..."
    assert claim.written(found) == committed
    assert not found["machine"]["missing"]
    check(found, claim.SIZES)


def test_pictures_are_there() -> None:
    shown = re.findall(r"^```\{picture\} \.\./pictures/(\w+)\.svg$", PAGE.read_text(), re.M)
    assert sorted(shown) == sorted(f"claim_{name}" for name in claim_page.PICTURES)
    for name in shown:
        ET.parse(DOCS / "pictures" / f"{name}.svg")


def test_pictures_are_drawn(quick: dict[str, Any], tmp_path: pathlib.Path) -> None:
    pytest.importorskip("matplotlib")
    claim_page.draw(quick, tmp_path)
    for name in claim_page.PICTURES:
        texts = {e.text for e in ET.parse(tmp_path / f"claim_{name}.svg").iter("{http://www.w3.org/2000/svg}text")}
        assert any("sigmoid" in (t or "") for t in texts)


def changed(found: dict[str, Any], who: str, size: int, key: str, value: float) -> list[Any]:
    """The claims, had sigmoid's forward pass in float32 been otherwise."""
    found = copy.deepcopy(found)
    for cell in found["cells"]:
        if (cell["pass"], cell["dtype"], cell["size"]) == ("forward", "f32", size):
            (way,) = (w for w in cell["ways"] if (w["who"], w["name"]) == (who, "sigmoid"))
            way[key] = [value, value, value]
    return list(claim_page.claims(claim_page.Found(found)))


@pytest.mark.parametrize(("said", "who", "size", "key", "values"), [
    ("at memory speed an exponential is free", "actc SIMD", 32_000_000, "of relu", (1.1, 1.2)),
    ("at memory speed sigmoid is no slower", "actc SIMD", 32_000_000, "of copy", (1.05, 1.15)),
    ("with SIMD, in cache, relu is cheaper (f,", "actc SIMD", 32_768, "of relu", (2.1, 1.9)),
    ("element by element in Python", "Python", 32_768, "of relu", (5.1, 4.9)),
])  # fmt: skip
def test_verdicts_follow_the_numbers(said: str, who: str, size: int, key: str, values: tuple[float, float]) -> None:
    found = json.loads((DOCS / "claim.json").read_text())
    verdicts = []
    for value in values:
        (one,) = (c for c in changed(found, who, size, key, value) if c.said.startswith(said))
        verdicts.append(one.holds)
        assert str(value) in one.measured
    assert verdicts == [True, False]


def test_compilers_that_make_no_jump(quick: dict[str, Any]) -> None:
    if not claim.compiler():
        pytest.skip("needs a C compiler")
    for level, slow in (("C -O2", 9.0), ("C -O2", 1.0)):
        found = copy.deepcopy(quick)
        for way in found["signs"]["ways"]:
            way["ns"] = [slow if (way["who"], way["signs"]) == (level, "random") else 1.0] * 3
        f = claim_page.Found(found)
        assert claim_page.jumping(f) == ([level] if slow > 2 else [])
        assert ("a jump at -O2" in claim_page.made(f)) == (slow > 2)
        assert ("foretold wrongly" in claim_page.cycles(f)) == (slow > 2 and not any(f.counts.values()))


# ---- what is measured -----------------------------------------------------------------------------------------------


def check(found: dict[str, Any], sizes: tuple[int, ...]) -> None:
    """Every cell has everybody who is there."""
    here = [who for who in claim.CONTESTANTS if who not in found["machine"]["missing"]]
    wanted = {(p, d, s) for p in claim.PASSES for d in claim.DTYPES for s in sizes}
    assert {(c["pass"], c["dtype"], c["size"]) for c in found["cells"]} == wanted
    for cell in found["cells"]:
        some = [who for who in here if cell["size"] <= claim.MOST.get(who, cell["size"])]
        assert [(w["who"], w["name"]) for w in cell["ways"]] == [(who, n) for who in some for n in claim.FUNCTIONS]
        for way in cell["ways"]:
            for key in ("ns", "of relu", "of copy"):
                middle, low, high = way[key]
                assert 0 < low <= middle <= high
            assert way["name"] != "relu" or way["of relu"] == [1, 1, 1]
    signs = {(w["who"], w["name"]) for w in found["signs"]["ways"]}
    wanted = {("Python", "relu"), ("actc SIMD", "relu"), ("actc SIMD", "sigmoid")}
    if "C -O2" in here:
        wanted |= {("C -O1", "relu"), ("C -O2", "relu"), ("C -O3", "relu"), ("C -O2", "sigmoid")}
    assert signs == wanted
    assert len(found["signs"]["ways"]) == 5 * len(signs)


def test_quick(quick: dict[str, Any]) -> None:
    check(quick, claim.QUICK)
    assert quick["machine"]["isa"] == actc.isa()
    assert ("torch" in quick["machine"]["versions"]) == ("PyTorch" not in quick["machine"]["missing"])


@pytest.mark.parametrize("which", claim.PASSES)
@pytest.mark.parametrize("real", claim.DTYPES)
@pytest.mark.parametrize("who", claim.CONTESTANTS)
def test_everybody_computes_the_same(contest: Any, who: str, real: str, which: str) -> None:
    if who in contest.missing:
        pytest.skip(f"{who} is not installed")
    for name in claim.FUNCTIONS:
        case = cases.Case(name, which, real, (48,))
        x = np.linspace(-7, 7, case.size).astype(case.kind)
        given = cases._complete(case, {"x": x, "g": np.ones_like(x)})
        with np.errstate(all="ignore"):
            way = contest.way(who, case, given)
            assert way.run(2) > 0
            y = given["y"]
            if who == "Python":
                y = np.array(eval(way.text, {**vars(claim.math), **case.parameters, "xs": x.tolist()}))
            elif "out=" not in way.text and "grad_input=" not in way.text and "claim.c" not in way.text:
                continue  # into an array of its own: tests/test_peers.py looks at those
        f = getattr(actc, name) if which == "forward" else getattr(actc, name).derivative
        np.testing.assert_allclose(y, f(x.astype(np.float64)), rtol=0, atol=3e-6, err_msg=f"{way.text} of {name}")


def test_scalar_is_scalar() -> None:
    seen = []
    before = actc.isa()
    assert claim.on("scalar", lambda n: seen.append(actc.isa()) or n)(7) == 7
    assert (seen, actc.isa()) == (["scalar"], before)
    with pytest.raises(ZeroDivisionError):
        claim.on("scalar", lambda n: n // 0)(1)
    assert actc.isa() == before


def test_signs() -> None:
    x = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    kinds = claim.signs(x)
    for a in kinds.values():
        np.testing.assert_array_equal(np.sort(abs(a)), np.sort(abs(x)))
    negative = {label: np.signbit(a) for label, a in kinds.items()}
    assert not negative["positive"].any() and negative["negative"].all()
    assert np.diff(negative["sorted"].astype(int)).tolist().count(-1) == 1
    np.testing.assert_array_equal(negative["of period 1000"][1000:], negative["of period 1000"][:-1000])
    assert 0.45 < negative["random"].mean() < 0.55


def test_turns() -> None:
    """Everybody once a round, so many calls that a turn is long enough, times for one call and one element."""
    calls: list[tuple[int, int]] = []
    runs = [lambda n, i=i: calls.append((i, n)) or 1000 * (i + 1) * n for i in range(3)]
    args = type("", (), {"turn": 6000, "seconds": 0.0, "rounds": 4})
    times = claim.in_turns(runs, 10, args)
    np.testing.assert_array_equal(times, [[100, 200, 300]] * 4)
    rounds = calls[-12:]
    assert {n for _, n in rounds} == {6, 3, 2}
    assert all(sorted(i for i, _ in rounds[k : k + 3]) == [0, 1, 2] for k in range(0, 12, 3))
    assert len({tuple(rounds[k : k + 3]) for k in range(0, 12, 3)}) > 1, "in any order"


def test_counters(monkeypatch: Any) -> None:
    if not shutil.which("perf") or not claim.compiler():
        pytest.skip("needs perf and a C compiler")
    some = claim.counted(["true"], ["page-faults"])
    if some is None:
        pytest.skip("perf may count nothing here")
    assert some["page-faults"] > 1
    assert claim.counted(["true"], ["no-such-event"]) is claim.counted(["false"], ["page-faults"]) is None
    monkeypatch.setattr(claim, "SPINS", 4000)
    # nanoseconds an element: a difference of two runs, which what else the machine does may turn round once
    tries = (claim.counts("-O2", "random", 10_000, ["user_time"])["user_time"] for _ in range(5))
    assert any(t > 0.1 for t in tries)


def test_nobody_counts(monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", "")
    assert claim.counted(["true"]) is None


def test_bad_file() -> None:
    done = run("--from", "no_such_file.json")
    assert done.returncode == 2
    assert "--from no_such_file.json: No such file" in done.stderr
