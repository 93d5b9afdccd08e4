"""The page and the pictures of bench/claim.py: everything in them comes from what it wrote, the verdicts too."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
IN_CACHE = 32_768  # elements, or the most there are below


class Claim(NamedTuple):
    """What is said, whether it holds in what was measured, and the numbers."""

    said: str
    holds: bool
    measured: str


class Found:
    """What was measured, by who, function, pass, type and size."""

    def __init__(self, written: dict[str, Any]) -> None:
        self.machine, self.signs, self.counts = written["machine"], written["signs"], written["counts"]
        self.cells = {(c["pass"], c["dtype"], c["size"]): c for c in written["cells"]}
        self.ways = {(*key, w["who"], w["name"]): w for key, c in self.cells.items() for w in c["ways"]}
        self.sizes = sorted({size for _, _, size in self.cells})
        self.who = list(dict.fromkeys(who for *_, who, _ in self.ways))
        self.names = list(dict.fromkeys(name for *_, name in self.ways))
        self.cached, self.largest = max(s for s in self.sizes if s <= IN_CACHE), self.sizes[-1]
        self.by_signs = {(w["who"], w["name"], w["signs"]): w["ns"] for w in self.signs["ways"]}

    def median(
        self, key: str, who: str, name: str, size: int, which: str = "forward", dtype: str = "f32"
    ) -> float | None:
        way = self.ways.get((which, dtype, size, who, name))
        return way[key][0] if way else None

    def where(self, size: int, dtype: str = "f32") -> str:
        """The cache that x and y lie in together."""
        taken = 2 * size * int(dtype[1:]) // 8
        sizes = {level: 1024 * int(k.rstrip("K")) for level, k in self.machine["caches"].items()}
        return next((level for level, room in sizes.items() if taken <= room), "memory" if sizes else "")


def number(v: float) -> str:
    return f"{v:.3g}" if v < 999.5 else f"{v:,.0f}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> str:
    head = list(head)
    lines = [head, ["---"] * left + ["---:"] * (len(head) - left), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# ---- tables ----------------------------------------------------------------------------------------------------------


def by_size(f: Found, which: str, dtype: str) -> str:
    """relu, sigmoid, and how many times as long it takes, for everybody and every size."""

    def shown(who: str, size: int) -> str:
        way = [f.median("ns", who, name, size, which, dtype) for name in ("relu", "sigmoid")]
        ratio = f.median("of relu", who, "sigmoid", size, which, dtype)
        return f"{number(way[0])} → {number(way[1])} ({ratio:.2f})" if way[0] and way[1] else ""

    head = ["", *(f"{s:,}{' (' + f.where(s, dtype) + ')' if s > 100 else ''}" for s in f.sizes)]
    return table(head, [[who, *(shown(who, s) for s in f.sizes)] for who in f.who])


def by_function(f: Found, which: str, dtype: str) -> str:
    """Every function in cache, with the quartiles of the rounds."""

    def shown(who: str, name: str) -> str:
        way = f.ways.get((which, dtype, f.cached, who, name))
        return "{} ({} to {})".format(*map(number, way["ns"])) if way else ""

    return table(["", *f.names], [[who, *(shown(who, n) for n in f.names)] for who in f.who])


def by_copy(f: Found) -> str:
    """Times a copy takes, beyond the caches."""
    who = [w for w in f.who if ("forward", "f32", f.largest, w, "relu") in f.ways]
    rows = [
        [w, f"{which}, {dtype}", *(number(f.median("of copy", w, n, f.largest, which, dtype) or 0) for n in f.names)]
        for which, dtype, size in f.cells if size == f.largest for w in who
    ]  # fmt: skip
    return table(["", "", *f.names], rows, 2)


def by_sign(f: Found) -> str:
    """An if-else by what its data are."""
    kinds = list(dict.fromkeys(s for _, _, s in f.by_signs))
    ways = dict.fromkeys((w, n) for w, n, _ in f.by_signs)
    return table(["", *kinds], [[f"{n}, {w}", *(number(f.by_signs[w, n, s][0]) for s in kinds)] for w, n in ways])


def jumping(f: Found) -> list[str]:
    """The levels at which the compiler left a jump in: where signs that cannot be foretold take twice as long."""
    levels = dict.fromkeys(w for w, n, _ in f.by_signs if w.startswith("C ") and n == "relu")
    return [w for w in levels if f.by_signs[w, "relu", "random"][0] > 2 * f.by_signs[w, "relu", "sorted"][0]]


def made(f: Found) -> str:
    """What became of the if-else."""
    levels = [w for w, n, s in f.by_signs if w.startswith("C ") and (n, s) == ("relu", "random")]
    jump = jumping(f)
    without = [w for w in levels if w not in jump]
    said = [
        f"{what} at {', '.join(w[2:] for w in some)}" for what, some in (("a jump", jump), ("none", without)) if some
    ]
    compiler = f.machine.get("compiler", "no compiler was here")
    return f"of the same `x > 0 ? x : 0`\n{compiler} makes {', '.join(said)}" if said else compiler


def cycles(f: Found) -> str:
    """What the processor counted, or what it would take to know."""
    some = {label: c for label, c in f.counts.items() if c}
    if some:
        events = list(next(iter(some.values())))
        rows = [[f"relu, C {label}", *(number(c[e]) for e in events)] for label, c in some.items()]
        return "Counted by `perf stat`, for each element:\n\n" + table(["", *events], rows) + "\n\n"
    text, ticks = "`perf stat` has no counters on this machine, so cycles are not counted. ", f.machine["ticks per ns"]
    if ticks and "C -O2" in jumping(f):
        lost = 2 * (f.by_signs["C -O2", "relu", "random"][0] - f.by_signs["C -O2", "relu", "sorted"][0])
        text += (
            f"Half of the\nrandom signs are foretold wrongly, which costs {lost:.1f} ns each: {lost * ticks:.0f} "
            f"cycles of the {ticks:.2f} GHz at which the\nprocessor's time-stamp counter runs.\n\n"
        )
    return text


# ---- verdicts --------------------------------------------------------------------------------------------------------


def said_of_ratio(f: Found, size: int, which: str, who: Iterable[str]) -> tuple[list[float], str]:
    """What sigmoid takes of relu's time."""
    ratios = {w: r for w in who if (r := f.median("of relu", w, "sigmoid", size, which))}
    return list(ratios.values()), ", ".join(f"{w} {r:.2g}" for w, r in ratios.items())


def claims(f: Found) -> Iterator[Claim]:
    """What is said, beside what was measured, in float32."""
    ratios, text = said_of_ratio(f, 1, "forward", f.who)
    yield Claim("a single number: relu is far cheaper than sigmoid (3 times and more, whoever computes it)",
                min(ratios) >= 3,
                f"{text}: a call costs more than what it computes (NumPy's sigmoid is several)")  # fmt: skip
    ratios, text = said_of_ratio(f, f.cached, "forward", ["Python"])
    yield Claim("element by element in Python it is (5 times and more)", min(ratios) >= 5,
                f"{text} at {f.cached:,}: the interpreter takes its time for either")  # fmt: skip
    if ("C -O1", "relu", "random") in f.by_signs:
        plain, jump, exponential = (
            f.by_signs[w, n, "random"][0]
            for w, n in (("C -O1", "relu"), ("C -O2", "relu"), ("C -O2", "sigmoid"))
        )  # fmt: skip
        yield Claim("element by element in C, where the compiler makes it without a jump, it is (5 times and more)",
                    exponential >= 5 * plain, f"relu {number(plain)} ns, sigmoid {number(exponential)} ns")  # fmt: skip
        if "C -O2" in jumping(f):
            yield Claim("an if-else that jumps is cheaper than an exponential, whatever the data", jump < exponential,
                        f"on random signs relu takes {number(jump)} ns, and sigmoid, by the C library's exp, "
                        f"{number(exponential)} ns")  # fmt: skip
    for which in ("forward", "derivative"):
        ratios, text = said_of_ratio(f, f.cached, which, ["actc SIMD"])
        what = "f" if which == "forward" else "f'"
        yield Claim(f"with SIMD, in cache, relu is cheaper ({what}, 2 times and more)", min(ratios) >= 2, text)
    if "PyTorch" in f.who:
        ratios, text = said_of_ratio(f, f.cached, "derivative", ["PyTorch"])
        yield Claim("the derivative of sigmoid takes an exponential", min(ratios) >= 2,
                    f"not in training, where y = sigmoid(x) is there already: PyTorch's sigmoid', y (1 - y), takes "
                    f"{ratios[0]:.2f} of the time of its relu'. (Where x is large, 1 - y loses all digits; actc starts "
                    "from x and keeps them)")  # fmt: skip
    ratios, text = said_of_ratio(f, f.largest, "forward", ["actc SIMD"])
    yield Claim("at memory speed an exponential is free: sigmoid takes as long as relu (within a tenth)",
                max(ratios) <= 1.1, f"{text} at {f.largest:,}")  # fmt: skip
    copy = f.median("of copy", "actc SIMD", "sigmoid", f.largest) or 0
    yield Claim("at memory speed sigmoid is no slower than a copy (within a tenth)", copy <= 1.1,
                f"{copy:.2f} of np.copyto at {f.largest:,}")  # fmt: skip
    python, simd = ([f.median("ns", w, n, f.cached) or 0 for n in ("relu", "sigmoid")] for w in ("Python", "actc SIMD"))
    yield Claim("what is computed matters more than by whom", simd[1] > python[0],
                f"SIMD takes {python[0] / simd[0]:.0f} times less than Python for relu, {python[1] / simd[1]:.0f} for "
                f"sigmoid; Python's relu as long as {python[0] / simd[1]:.0f} SIMD sigmoids")  # fmt: skip


def verdicts(f: Found) -> str:
    rows = [["holds" if c.holds else "**does not hold**", c.said, c.measured] for c in claims(f)]
    return table(["", "said", "measured"], rows, 3)


def summary(written: dict[str, Any]) -> str:
    """For a terminal."""
    f = Found(written)
    lines = [by_size(f, "forward", "f32"), ""]
    lines += [f"{'holds' if c.holds else 'DOES NOT HOLD'}: {c.said}\n    {c.measured}" for c in claims(f)]
    return "\n".join(lines)


# ---- the page --------------------------------------------------------------------------------------------------------

PAGE = """# An if-else or an exponential

This library starts from a claim: relu is an if-else, sigmoid and tanh compute an exponential, so relu and its
derivative are far cheaper. Here it is as an experiment. Every number below, and every verdict, is printed by
`bench/claim.py` from `docs/claim.json`, which it measured.

{verdicts}

In one sentence: relu is far cheaper where nothing but arithmetic is in the way, in compiled code whose data lie in
cache; around it are an interpreter, a call, a jump that was not foretold or the way to memory, and each of them costs
as much as an exponential or more.

## What was measured

{machine}

relu, leaky_relu, elu, sigmoid, tanh and gelu, f and f', of normal numbers of standard deviation 3, by

- **Python**: the formula, `x if x > 0 else 0` or `1/(1 + exp(-x))` with `math.exp`, over a list;
- **NumPy**: the expression, with `out=` for its last operation;
- **PyTorch**: its kernels, with `out=` where they take it; f' is backward with a gradient of ones, which reads two
  arrays and, for sigmoid and tanh, starts from the saved y;
- **C -O2**: the formula in a loop with the C library's exponential, as a compiler makes it at -O2 (`bench/claim.c`);
- **actc scalar**: the unit for processors without any SIMD, made for the same bits and not for speed: on x86-64 it
  computes every fused multiply-add in software;
- **actc SIMD**: the same call on {isa}.

In each cell of pass, type and size all of them take turns, in a new order every round, one thread each, with np.copyto
among them; a turn is 0.2 ms at least. Times are medians over {rounds} rounds, ns for each element, and a ratio is the
median of the ratios within a round. The machine is shared: in half of the cells the middle half of the rounds lies
within {spread:.0f} % of the median. Ratios are steadier than times.

## By size

What sigmoid takes of relu's time, from one element, where a call is everything, to more than any cache holds:

```{{picture}} ../pictures/claim_ratio.svg
```

f in float32, ns for each element: relu → sigmoid (ratio):

{forward_f32}

f' in float32:

{derivative_f32}

f in float64:

{forward_f64}

f' in float64:

{derivative_f64}

```{{picture}} ../pictures/claim_sizes.svg
```

## By function

In cache, {cached:,} elements of float32, ns for each (quartiles of the rounds). f:

{functions_forward}

f':

{functions_derivative}

An element at a time, elu computes its exponential for negative numbers only; SIMD computes it for all and chooses.

## At memory speed

{largest:,} elements, times what np.copyto takes for as many:

{copies}

## An if-else is not free either

A jump that the processor foretells costs next to nothing, one that it does not costs the work of some dozens of
instructions that were begun in vain. Whether there is a jump at all is the compiler's choice: {made}.
relu of {signs:,} float32 that differ in their signs only, ns for each element, beside two exponentials:

{by_sign}

```{{picture}} ../pictures/claim_signs.svg
```

{cycles}The signs of a layer's inputs are as good as random. But those of a small array that is met again and again
the processor learns by heart, a thousand and more: benchmarks on such arrays do not show what a jump costs. SIMD has no
jumps, and neither has NumPy's maximum: where the if-else of the claim is fast it is none.

## On your machine

```console
$ python bench/claim.py --quick --json claim.json
```

That takes seconds; without `--quick`, three minutes.
"""


def machine(f: Found) -> str:
    m = f.machine
    rooms = ", ".join(f"{level} {room}" for level, room in m["caches"].items())
    versions = ", ".join(f"{k} {v}" for k, v in {**m["versions"], "Python": m["python"]}.items())
    cores = "one core" if m["cores"] == 1 else f"{m['cores']} cores of which one is used"
    before, after = (f"{m[k][0]:.1f}" for k in ("load average", "load average afterwards"))
    return (
        f"{m['processor']}, {m['isa']}, {cores}; caches {rooms}; {versions}; "
        f"{m.get('compiler', 'no C compiler')}; {m['platform']}; load average {before} before and {after} after."
        + (f" Missing: {', '.join(m['missing'])}." if m["missing"] else "")
    )


def page(written: dict[str, Any]) -> str:
    """docs/guides/if_else_or_exponential.md."""
    f = Found(written)
    wide = sorted((high - low) / middle / 2 for middle, low, high in (w["ns"] for w in f.ways.values()))
    rounds = [c["rounds"] for c in f.cells.values()]
    return PAGE.format(
        verdicts=verdicts(f), machine=machine(f), isa=f.machine["isa"], spread=100 * wide[len(wide) // 2],
        rounds=" to ".join(map(str, (min(rounds), max(rounds)))),
        **{f"{p}_{d}": by_size(f, p, d) for p in ("forward", "derivative") for d in ("f32", "f64")},
        **{f"functions_{p}": by_function(f, p, "f32") for p in ("forward", "derivative")},
        cached=f.cached, largest=f.largest, copies=by_copy(f), signs=f.signs["size"], by_sign=by_sign(f),
        cycles=cycles(f), made=made(f),
    )  # fmt: skip


# ---- pictures --------------------------------------------------------------------------------------------------------


def draw(written: dict[str, Any], folder: Path) -> None:
    """As the pictures of docs/claims.md are drawn."""
    sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "examples")]
    import claims as examples
    import common
    import matplotlib

    f = Found(written)
    colors = dict(zip(f.who[::-1], common.COLORS, strict=False))
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "actc"})
    for name, fill in PICTURES.items():
        figure, axes = common.plots(2)
        for plot in axes:
            plot.set_yscale("log")
            plot.yaxis.set_major_formatter("{x:g}")
            if fill is not by_signs:
                plot.set_xscale("log")
                plot.set_xlabel("elements of float32", fontsize=9)
        fill(f, axes, colors)
        axes[1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
        target = folder / f"claim_{name}.svg"
        figure.savefig(target, transparent=True, metadata={"Date": None, "Creator": None})
        target.write_text(examples.slim(target.read_text()))


def curve(f: Found, key: str, who: str, name: str, which: str) -> tuple[list[int], list[float]]:
    points = [(s, v) for s in f.sizes if (v := f.median(key, who, name, s, which))]
    return [s for s, _ in points], [v for _, v in points]


def ratios(f: Found, axes: list[Any], colors: dict[str, str]) -> None:
    for plot, which in zip(axes, ("forward", "derivative"), strict=True):
        plot.axhline(1, color="#57606a", linewidth=0.8)
        for who, color in colors.items():
            plot.plot(*curve(f, "of relu", who, "sigmoid", which), "o-", color=color, ms=3, linewidth=1.8, label=who)
        plot.set_title(f"{which}: sigmoid's time over relu's", fontsize=10, loc="left")


def sizes(f: Found, axes: list[Any], colors: dict[str, str]) -> None:
    for plot, which in zip(axes, ("forward", "derivative"), strict=True):
        for who, color in colors.items():
            plot.plot(*curve(f, "ns", who, "relu", which), "o-", color=color, ms=3, linewidth=1.8, label=who)
            plot.plot(*curve(f, "ns", who, "sigmoid", which), "o--", color=color, ms=3, linewidth=1.2)
        plot.set_title(f"{which}: relu, and sigmoid dashed, ns an element", fontsize=10, loc="left")


def by_signs(f: Found, axes: list[Any], colors: dict[str, str]) -> None:
    """relu and sigmoid of everybody in cache; the if-else on its kinds of signs."""
    everybody, shades = list(colors), list(colors.values())
    for i, name in enumerate(("relu", "sigmoid")):
        at = [k + 0.4 * i for k in range(len(everybody))]
        times = [f.median("ns", who, name, f.cached) or 0 for who in everybody]
        axes[0].bar(at, times, 0.38, color=shades, alpha=(1, 0.5)[i])
    axes[0].set_xticks([k + 0.2 for k in range(len(everybody))], [who.replace(" ", "\n") for who in everybody])
    axes[0].set_title(f"relu, and sigmoid pale: ns an element of {f.cached:,}", fontsize=10, loc="left")
    kinds = list(dict.fromkeys(s for _, _, s in f.by_signs))
    ways = [way for way in dict.fromkeys((w, n) for w, n, _ in f.by_signs) if way[0] != "Python"]
    for i, ((who, name), color) in enumerate(zip(ways, shades, strict=False)):
        at = [k + 0.14 * i for k in range(len(kinds))]
        axes[1].bar(at, [f.by_signs[who, name, s][0] for s in kinds], 0.13, color=color, label=f"{name}, {who}")
    axes[1].set_xticks([k + 0.35 for k in range(len(kinds))], [s.replace(" ", "\n", 1) for s in kinds])
    axes[1].set_title("ns an element, by what the signs are", fontsize=10, loc="left")


PICTURES = {"ratio": ratios, "sizes": sizes, "signs": by_signs}
