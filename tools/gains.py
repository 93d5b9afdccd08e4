"""Prints .gain and .derivative_gain of every row of the table, or of the rows named: what activations.def keeps.

    python tools/gains.py [name ...]

The gain is 1/sqrt(E[f(z)^2]), z standard normal, the derivative's 1/sqrt(E[f'(z)^2]), at default parameters. mpmath
integrates the row's formula to 30 digits by Gauss and Legendre's rule between the kinks, beside which everything is
smooth. Gauss and Hermite's rule on the whole line, with 200 nodes, gets two digits of hard_tanh's gain.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mpmath import mp, mpf

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import oracle  # noqa: E402

from actc import _core  # noqa: E402

FAR = 24  # exp(-24^2/2) < 1e-125: what is beyond matters to no row, not even beside exp(x)^2


def gain(row: Any, order: int, *parameters: float, digits: int = 30) -> Any:
    """1/sqrt(E[f(z)^2]) of f (order 0) or f' (order 1); inf where the expectation is 0."""
    f, p = oracle.formula_of(row, order), parameters or tuple(row.parameters.values())
    with mp.workdps(digits + 10):
        values = [mpf(v) for v in p]
        cuts = [-FAR, -12, -6, -3, -1.5, 0, 1.5, 3, 6, 12, FAR, *oracle.kinks_of(row, *p)]
        edges = sorted({mpf(c) for c in cuts if abs(c) <= FAR})

        def weighted(x: Any) -> Any:
            return f.at(x, *values) ** 2 * mp.exp(-x * x / 2)

        square, error = mp.quad(weighted, edges, error=True, method="gauss-legendre", maxdegree=9)
        if error > mpf(10) ** -digits * max(1, square):
            raise ArithmeticError(f"{row.name}: quadrature of order {order} is only good to {mp.nstr(error, 3)}")
        square /= mp.sqrt(2 * mp.pi)
        return 1 / mp.sqrt(square) if square else mp.inf


def literal(value: Any) -> str:
    """In C, as many digits as tell doubles apart."""
    return "INFINITY" if mp.isinf(value) else repr(float(value))


def main() -> None:
    """One line a row."""
    wanted = sys.argv[1:]
    for row in _core.rows():
        if not wanted or row.name in wanted:
            forward, backward = literal(gain(row, 0)), literal(gain(row, 1))
            print(f"{row.name}: .gain = {forward}, .derivative_gain = {backward},", flush=True)


if __name__ == "__main__":
    main()
