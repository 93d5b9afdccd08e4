"""The explorer of docs/explorer: the C core as WebAssembly has the library's bits, and the page around it works in a
browser, by keyboard, light and dark, at the width of a phone, with no network."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser import EXECUTABLE, Browser
from conftest import bits, is_nan

import actc

EXPLORER = pathlib.Path(__file__).resolve().parents[1] / "docs" / "explorer"
pytestmark = pytest.mark.skipif(not EXPLORER.exists(), reason="needs the source tree")


@pytest.fixture(scope="module")
def core() -> pathlib.Path:
    """The C core as WebAssembly, where `make docs` has built it; brought up to date."""
    if not (EXPLORER / "build" / "core.js").exists():
        pytest.skip("docs/explorer/build/core.js is not built: make docs")
    done = subprocess.run(["sh", str(EXPLORER / "build.sh")], capture_output=True, text=True, timeout=600)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return EXPLORER / "build" / "core.js"


IN_NODE = """
const fs = require("fs"), [folder, input, output] = process.argv.slice(1);
const {openCore, unpackCore, PASSES} = require(folder + "/core_api.js");
const packed = /"(.*)"/.exec(fs.readFileSync(folder + "/build/core.js", "utf8"))[1];
(async () => {
  const core = await openCore(await unpackCore(packed));
  const x = new Float32Array(new Uint8Array(fs.readFileSync(input)).buffer);
  const results = [];
  for (const row of core.table) for (const pass of Object.values(PASSES)) for (const exact of [false, true])
    for (const [type, values] of [["f32", x], ["f64", Float64Array.from(x)]])
      results.push(Buffer.from(core.apply(row, pass, type, values, row.parameters.map(p => p.value), exact).buffer));
  fs.writeFileSync(output, Buffer.concat(results));
  console.log(JSON.stringify(core.table.map(row => [row.name, row.formula, row.special, row.parameters])));
})();
"""


def test_the_core_has_the_same_bits(core: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """WebAssembly against this machine: every function, f, f' and f'', both tiers, float32 and float64."""
    node = shutil.which("node")
    if not node:
        pytest.skip("needs Node")
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 2**32, 1500, dtype=np.uint32).view(np.float32)
    own = np.array([0, -0.0, np.inf, -np.inf, 0.5, -0.5, 1, -1, 3, -3], np.float32)
    x = np.concatenate([rng.standard_normal(500).astype(np.float32) * 4, patterns[np.isfinite(patterns)], own])
    x.tofile(tmp_path / "x")
    arguments = [node, "-e", IN_NODE, str(EXPLORER), str(tmp_path / "x"), str(tmp_path / "y")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    table = json.loads(done.stdout)
    assert [row[:3] for row in table] == [[n, f.formula, f.info["special"]] for n, f in actc.elementwise.items()]
    assert [{p["name"]: p["value"] for p in row[3]} for row in table] == [
        dict(f.parameters) for f in actc.elementwise.values()
    ]
    results = (tmp_path / "y").read_bytes()
    for name in actc.elementwise:
        for kind in ("", "derivative", "second_derivative"):
            for tier in (actc.elementwise, actc.exact.elementwise):
                for dtype in (np.float32, np.float64):
                    f = getattr(tier[name], kind) if kind else tier[name]
                    expected = f(x.astype(dtype))
                    given = np.frombuffer(results[: expected.nbytes], dtype)
                    results = results[expected.nbytes :]
                    same = (bits(given) == bits(expected)) | (is_nan(given) & is_nan(expected))
                    assert same.all(), f"{name} {kind} {dtype} at {x[~same][:5]}"
    assert not results


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not EXECUTABLE:
        pytest.skip("needs Chromium")
    with Browser() as opened:
        yield opened


def explore(browser: Browser, address: str = "", **window: Any) -> None:
    browser.complaints.clear()
    browser.open(f"{(EXPLORER / 'index.html').as_uri()}{address}", **window)
    browser.wait("!!document.documentElement.dataset.drawn")


def rows(browser: Browser) -> dict[str, list[str]]:
    """The table of numbers."""
    text = browser.evaluate(
        "JSON.stringify([...document.querySelectorAll('#values tr')].map(r => [...r.children].map(c => c.textContent)))"
    )
    return {head: cells for head, *cells in json.loads(text)}


def test_explorer_shows_the_library(core: pathlib.Path, browser: Browser) -> None:
    """Its numbers are Python's, it asks no network, and nothing complains."""
    explore(browser, "#gelu+elu:alpha=0.5+srelu/-4,4/exact/1")
    browser.evaluate("state.cursor = -0.7; moved()")
    browser.wait("document.getElementById('values').textContent.includes('elu') && !scheduled")
    x, shown = np.float32(-0.7), rows(browser)
    assert len(shown) == 9
    for name, more in {"gelu": {}, "elu": {"alpha": 0.5}, "srelu": {}}.items():
        for sign, kind in {"f": "", "f′": "derivative", "f″": "second_derivative"}.items():
            single, double = actc.exact.elementwise[name], actc.elementwise[name]
            if kind:
                single, double = getattr(single, kind), getattr(double, kind)
            given = shown[f"{name} {sign}"]
            assert np.float32(given[0]) == single(x, **more)
            assert float(given[1]) == double(np.float64(x), **more)
    largest = browser.evaluate("document.getElementById('largest').textContent")
    assert re.search(r"gelu f′: 0\.500 ULP at x = ", largest), largest
    assert browser.evaluate("document.getElementById('core').textContent").startswith(f"actc {actc.__version__}, 58")
    assert not browser.complaints


def test_explorer_by_keyboard(core: pathlib.Path, browser: Browser) -> None:
    """Add a function, move its parameter, the cursor and the axis, with no mouse."""
    explore(browser, "#relu/-8,8/default/0")
    browser.evaluate("document.getElementById('name').focus()")
    for key in "elu":
        browser.press(key)
    browser.press("Enter")
    browser.wait("document.documentElement.dataset.drawn === 'relu elu' && location.hash.startsWith('#relu+elu/')")
    browser.evaluate("document.querySelector('input[type=range]').focus()")
    browser.call(
        "Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39
    )
    browser.wait("/elu:alpha=1\\.03\\//.test(location.hash)")
    for _ in range(40):  # from the slider to the first plot, as everybody can
        if browser.evaluate("document.activeElement.tagName") == "CANVAS":
            break
        browser.press("Tab")
    assert browser.evaluate("document.activeElement.dataset.plot") == "0"
    before = browser.evaluate("state.cursor")
    browser.call(
        "Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39
    )
    browser.wait(f"state.cursor > {before}")
    browser.press("+")
    browser.wait("state.high - state.low < 16")
    browser.press("0")
    browser.wait("state.low === -8 && state.high === 8")
    browser.evaluate("document.getElementById('name').focus()")
    for key in "nix":
        browser.press(key)
    browser.press("Enter")
    browser.wait("document.getElementById('complaint').textContent.includes('nix')")
    assert not browser.complaints


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_explorer_fits_and_can_be_read(core: pathlib.Path, browser: Browser, width: int, dark: bool) -> None:
    """No sideways scrolling, curves that are drawn, text that stands out; light and dark, phone and desk."""
    explore(browser, "#srelu+laplace+mish", width=width, height=800, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    inks = browser.evaluate(
        "[...document.querySelectorAll('canvas')].map(c => new Set(new Uint32Array("
        "c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size)"
    )
    assert len(inks) == 4 and min(inks) > 20
    page, ink, muted = browser.evaluate(
        "['--page', '--ink', '--muted'].map(n => getComputedStyle(document.body).getPropertyValue(n).trim())"
    )
    assert (luminance(page) < 0.1) == dark
    assert contrast(page, ink) > 7 and contrast(page, muted) > 4.5
    assert not browser.complaints


def test_explorer_theme_and_bad_addresses(core: pathlib.Path, browser: Browser) -> None:
    explore(browser, "#relu+nix/8,-8/nonsense/17")
    assert "nix" in browser.evaluate("document.getElementById('complaint').textContent")
    assert browser.evaluate("[state.low, state.high, state.exact, state.pass]") == [-8, 8, False, 0]
    pages = []
    for theme in ("light", "dark", "auto"):
        browser.evaluate("document.getElementById('theme').click()")
        assert browser.evaluate("document.getElementById('theme').textContent") == f"Theme: {theme}"
        pages.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert pages[0] == pages[2] == "rgb(255, 255, 255)" != pages[1]
    explore(browser, "#softplus:beta=-1e300+isru:alpha=-1/-1e20,1e20/exact/5")  # nothing but NaN and infinities
    assert browser.evaluate("document.documentElement.dataset.drawn") == "softplus isru"
    assert not browser.complaints


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted(map(luminance, (a, b)))
    return (high + 0.05) / (low + 0.05)


def test_explorer_without_a_core_says_so(browser: Browser, tmp_path: pathlib.Path) -> None:
    for file in EXPLORER.glob("*.*"):
        shutil.copy(file, tmp_path)
    browser.open((tmp_path / "index.html").as_uri())
    browser.wait("!!document.documentElement.dataset.failed")
    assert "build.sh" in browser.evaluate("document.getElementById('status').textContent")
