"""On which side of the middle between two floats a result lies, where the middle itself is all that doubles show.

For x/2 + x^2/4 + .. with subnormal x every second result is such a case, for 3 x/2 - 1/2 + 1/(4 x) - .. with large x
all are: too many for arbitrary precision one by one. The series decides millions, once mpmath has told coefficients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from mpmath import mp, mpf

Array = np.ndarray
TERMS = 8
NEAR, FAR = 2.0**-9, 2.0**6  # the series is used below and above, where its terms fall quickly
BITS = 600  # how far from 0 or infinity it is sampled: 2^-BITS, so that coefficients come to as many bits
SPLIT = 2.0**27 + 1


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b as a rounded sum and what it lost (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a b likewise (Dekker)."""
    p = a * b
    ah = a * SPLIT - (a * SPLIT - a)
    bh = b * SPLIT - (b * SPLIT - b)
    return p, (a - ah) * (b - bh) - (((p - ah * bh) - (a - ah) * bh) - ah * (b - bh))


def add(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
    """The sum of two pairs, to 3 units of 2^-106 of the sum (AccurateDWPlusDW of Joldes, Muller and Popescu 2017)."""
    s, e = two_sum(a[0], b[0])
    t, f = two_sum(a[1], b[1])
    s, e = two_sum(s, e + t)
    return two_sum(s, e + f)


class Series:
    """q f(x) as the sum over k of c_k x^(power - sign k): sign = -1 near 0, where power is 0, and 1 at infinity. q is
    an integer that makes short numbers of thirds and the like, whose products with powers of x are exact."""

    def __init__(self, formula: Any, parameters: tuple[float, ...], kink: float, negative: bool, far: bool):
        self.rest: int | None = None
        self.usable, self.sign, self.reach = False, 1 if far else -1, 0.0
        with mp.workprec(BITS * (TERMS + 4) * 2):
            values = list(map(mpf, parameters))
            h = mpf(2) ** -BITS * (-1 if negative else 1)
            count = TERMS + 2
            try:
                sampled = [formula.at(1 / (h * j) if far else h * j, *values) for j in range(1, count + 2)]
            except (ValueError, ZeroDivisionError, TypeError, OverflowError):  # not defined there
                return
            if not all(map(mp.isfinite, sampled)):
                return
            self.power = int(mp.nint(mp.log(abs(sampled[0]), 2) / BITS)) if far and sampled[0] else 0
            if not 0 <= self.power <= 3:
                return
            sampled = [y * (h * j) ** self.power for j, y in enumerate(sampled, 1)]
            powers = mp.matrix([[mpf(j) ** k for k in range(count)] for j in range(1, count + 1)])
            scaled = list(mp.lu_solve(powers, mp.matrix(sampled[:count])))
            predicted = sum((d * mpf(count + 1) ** k for k, d in enumerate(scaled)), mpf(0))
            if abs(predicted - sampled[count]) > mpf(2) ** (-BITS * TERMS):  # no such series
                return
            found = [d / h**k for k, d in enumerate(scaled)][:TERMS]
        with mp.workprec(BITS // 2):
            found = [+c if abs(c) > mpf(2) ** (-BITS // 2) else mpf(0) for c in found]
            self.q = max(range(1, 61), key=lambda q: (sum(is_short(c * q) for c in found), -q))
            found = [c * self.q for c in found]
            self.high = [float(c) for c in found]
            self.low = [float(c - a) for c, a in zip(found, self.high, strict=True)]
            self.exact = [is_short(c) for c in found]
            self.found = found
        if all(self.exact) and not any(found[-3:]):
            within = min(1.0, kink)
            samples = [max(FAR, kink) * s for s in (1, 1.5, 2, 3, 4)] if far else [within * s for s in (0.01, 0.3, 0.9)]
            self.rest = self.rest_of(formula, values, found, [mpf(-s if negative else s) for s in samples])
        self.is_polynomial = self.rest is not None
        self.reach = max(FAR, kink) if far else kink if self.is_polynomial else min(NEAR, kink)
        self.usable = self.is_polynomial or self.holds(formula, values, -1 if negative else 1)

    def holds(self, formula: Any, values: list[Any], side: int) -> bool:
        """Whether the terms left out are within the bound wherever the series is used. 30 tanh(x/30) is 30 at
        infinity, but not yet at 140: what falls like e^-x/15 no series has."""
        with mp.workprec(BITS * 2):
            for octave in range(24):
                x = side * mpf(self.reach) * mpf(2) ** (self.sign * octave)
                known = sum((c * x ** (self.power - self.sign * k) for k, c in enumerate(self.found)), mpf(0))
                if abs(self.q * formula.at(x, *values) - known) > self.left_out(abs(x)):
                    return False
        return True

    def left_out(self, size: Any) -> Any:
        """A bound of all terms that the series lacks."""
        return max(abs(c) for c in self.high) * size ** (self.power - self.sign * TERMS) * 2.0**10

    def rest_of(self, formula: Any, values: list[Any], found: list[Any], samples: list[Any]) -> int | None:
        """The sign of q f minus the series, which decides exact ties if that is a polynomial: 0 where it is all there
        is to f, 1 in x - tanh(x) = x - 1 + 2 e^-2x - .. for large x, seen at some. None if it is no tiny rest."""
        precision = BITS * 8
        with mp.workprec(precision):
            rests = [
                self.q * formula.at(x, *values)
                - sum((c * x ** (self.power - self.sign * k) for k, c in enumerate(found)), mpf(0))
                for x in samples
            ]
            rests = [r if abs(r) > mpf(2) ** (-precision // 2) else mpf(0) for r in rests]
            signs = {int(mp.sign(r)) for r in rests}
            tiny = all(abs(r) < 1 for r in rests) and abs(rests[-1]) < mpf(2) ** -BITS
        return signs.pop() if len(signs) == 1 and tiny else None

    def minus(self, x: Array, middle: Array) -> tuple[Array, Array]:
        """q (f(x) - middle), the high part of a pair, and a bound of its error."""
        total, bound = (-self.q * middle, np.zeros_like(x)), np.zeros_like(x)
        powers = {0: (np.ones_like(x), np.zeros_like(x)), 1: (x, np.zeros_like(x)), 2: (x * x, np.zeros_like(x))}
        powers[3] = two_product(powers[2][0], x)  # 72 bits; the others fit into a double
        for k in range(TERMS):
            if not self.high[k]:
                continue
            power = self.power - self.sign * k
            a, b = powers.get(power) or (x**power, np.zeros_like(x))
            p, e = two_product(np.full_like(x, self.high[k]), a)
            term = add((p, e), two_product(np.full_like(x, self.high[k]), b))
            term = add(term, (self.low[k] * a, np.zeros_like(x)))
            bound += np.abs(p) * (2.0**-48 if power not in powers else 0 if self.exact[k] else 2.0**-100)
            total = add(total, term)
            bound += np.abs(total[1]) * 2.0**-50  # what fits into one double has lost nothing
        return total[0], bound + (0 if self.is_polynomial else self.left_out(np.abs(x)))


def is_short(c: Any) -> bool:
    """Whether c has no more than 24 bits, so that its product with 72 bits is a pair of doubles."""
    return bool(mp.ldexp(c, 24 - mp.frexp(c)[1]) == mp.nint(mp.ldexp(c, 24 - mp.frexp(c)[1]))) if c else True


class NearTies:
    """Decides by the series at 0 and at infinity of both signs."""

    def __init__(self, formula: Any, parameters: tuple[float, ...], kinks: list[float]):
        self.series = {}
        for negative in (False, True):
            own = [abs(k) for k in kinks if k and (k < 0) == negative]
            self.series[negative, False] = Series(formula, parameters, min(own, default=math.inf), negative, False)
            self.series[negative, True] = Series(formula, parameters, max(own, default=0.0), negative, True)

    @np.errstate(all="ignore")
    def decide(self, x: Array, low: Array, high: Array) -> tuple[Array, Array]:
        """The right one of two neighbouring float32, low <= high in size of their values, and where that is certain."""
        wide, right, certain = x.astype(np.float64), low.copy(), np.zeros(len(x), bool)
        a, b = low.astype(np.float64), high.astype(np.float64)
        middle = a + (b - a) / 2
        neighbours = np.isfinite(a) & np.isfinite(b) & (np.nextafter(low, high) == high)
        size = np.abs(wide)
        for (negative, far), series in self.series.items():
            own = neighbours & (np.signbit(x) == negative) & ((size > series.reach) if far else (size < series.reach))
            if not series.usable or not own.any():
                continue
            difference, bound = series.minus(wide[own], middle[own])
            tie = (difference == 0) & (bound == 0)
            if series.rest:
                difference, tie = np.where(tie, series.rest, difference), np.zeros_like(tie)
            even = np.where(low[own].view(np.uint32) & 1, high[own], low[own])
            certain[own] = tie | (np.abs(difference) > bound)
            right[own] = np.where(tie, even, np.where(difference > 0, high[own], low[own]))
        return right, certain
