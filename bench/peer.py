"""What a peer is, and how the text of a call becomes something that can be timed."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from cases import LAYOUTS, Array, Arrays, Case
from formulas import NotThere

_LOOP = """def run(n, {local}):
    start = clock()
    for _ in repeat(None, n):
        {text}
    return clock() - start
def once({local}):
    {before}return {last}
"""


@dataclass(frozen=True)
class Call:
    """One way of one peer, ready to be timed."""

    peer: str
    text: str  # for people
    run: Callable[[int], int]  # nanoseconds of n calls
    results: Callable[[], tuple[Array, ...]]


class Peer:
    """A library. `texts` says what to call; `native` and `back` move arrays there and back."""

    layouts: tuple[str, ...] = LAYOUTS
    can_be_held = True  # to an instruction set

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {"np": np}
        self.version = self.open()

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def open(self) -> str:
        """Import it, hold it to one thread, and say its version."""
        raise NotImplementedError

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        """The calls; `scope` may be given further names."""
        raise NotImplementedError

    def native(self, a: Array) -> Any:
        return a

    def back(self, a: Any, kind: np.dtype[Any]) -> Array:
        return np.array(a)

    def calls(self, case: Case, arrays: Arrays) -> list[Call]:
        """Every way of computing the case there is; none if the peer lacks it."""
        if case.layout not in self.layouts:
            return []
        kept: dict[str, Any] = {}

        def lookup(name: str) -> Any:
            if name not in kept:
                kept[name] = self.native(arrays[name])
            return kept[name]

        scope = {**self.scope, **case.parameters, "axis": case.axis, "array": lookup}
        try:
            texts = self.texts(case, scope)
            return [self._call(case, text, scope, arrays, lookup) for text in dict.fromkeys(texts)]
        except NotThere:
            return []

    def _call(self, case: Case, text: str, scope: dict[str, Any], arrays: Arrays, lookup: Callable[[str], Any]) -> Call:
        *before, last = text.split("; ")
        path = re.match(r"(?!(x|y)\.)[A-Za-z_]\w*(\.\w+)+(?=\()", last)
        called = last
        own = dict(scope)
        if path:  # `torch.sigmoid` is looked up once, as anybody would who cares about the time of a call
            own["call"] = eval(path[0], scope)
            called = "call" + last[path.end() :]
        code = "; ".join([*before, called])
        used = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)}
        if missing := used & {"ux", "yd"} - arrays.keys():  # two arrays in one piece, which this layout does not have
            raise NotThere(", ".join(missing))
        own |= {n: lookup(n) for n in used & arrays.keys()} | {"clock": time.perf_counter_ns, "repeat": repeat}
        local = ", ".join(f"{n}={n}" for n in sorted({"clock", "repeat"} | (used & own.keys())))
        begin = "".join(f"{b}; " for b in before)
        exec(_LOOP.format(local=local, text=code, before=begin, last=called), own)

        def results() -> tuple[Array, ...]:
            found = own["once"]()
            found = found if isinstance(found, tuple | list) else (found,)
            found = tuple(self.back(r, case.kind) for r in found)
            if any(r.dtype != case.kind for r in found):
                raise TypeError(f"gives {found[0].dtype}, not {case.kind}")
            if len(found) < len(case.outputs):  # both in one piece
                found = tuple(np.split(found[0], 2))
            return found[: len(case.outputs)]

        return Call(self.name, text, own["run"], results)


def without_out(text: str) -> str:
    """The same call with a result of its own."""
    return re.sub(r", (out|grad_input)=\w+(?=\))", "", text)


def given(case: Case) -> str:
    """What actc takes, as arguments."""
    return ", ".join(case.inputs)
