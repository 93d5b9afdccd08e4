"""The gradients of every pass in terms of other passes: written once, for all three libraries.

A pass is the name of a function and a kind, "" for the function itself. A library brings `call(name, kind, *arrays)`,
its own way to compute a pass, which it can differentiate by these rules again; it gives the results as a sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import actc

ROWS = {name: f for name, f in actc.row_functions.items() if name != "maxout"}
FUNCTIONS = {**actc.elementwise, **actc.gates, **ROWS}
Call = Callable[..., Any]
Group = tuple[Sequence[int], Callable[[], Sequence[Any]]]  # which arrays, and their gradients, which come together


def run(name: str, kind: str, *arrays: Any, out: Any = None) -> tuple[Any, ...]:
    """A pass on NumPy's arrays."""
    f = getattr(FUNCTIONS[name], kind) if kind else FUNCTIONS[name]
    if kind == "parameter_backward":
        return tuple(f(*arrays).values())
    y = f(*arrays) if out is None else f(*arrays, out=out)
    return y if isinstance(y, tuple) else (y,)


def count(name: str, kind: str) -> int:
    """How many results a pass of elements has, parameter_backward apart."""
    return 2 if kind == "backward" and name in actc.gates else 1


def shapes(name: str, kind: str, given: Sequence[Any], broadcast: Callable[..., Any]) -> list[Any]:
    """The shapes of a pass's results."""
    if kind == "parameter_backward":
        return list(given[2:])
    if name not in ROWS:
        return [broadcast(*given)] * count(name, kind)
    if kind == "backward":
        return [given[1]]
    *others, n = given[0]
    return [{"map": (*others, n), "reduce": (*others,), "doubled": (*others, 2 * n)}[ROWS[name].info["shape"]]]


def keeps_result(name: str, kind: str) -> bool:
    """Whether the gradients ask for the result itself."""
    return not kind and name in ROWS and ROWS[name].info["backward_from"] == "y"


def gradients(
    call: Call, name: str, kind: str, arrays: Sequence[Any], y: Any, gs: Sequence[Any], needed: Sequence[bool]
) -> list[Any]:
    """For each of the arrays that need one, not yet summed to its shape; `gs` are those of the results."""
    found: list[Any] = [None] * len(arrays)
    groups = _groups(call, name, kind, arrays, y, gs)
    if any(n and all(i not in where for where, _ in groups) for i, n in enumerate(needed)):
        raise NotImplementedError(f"{name}: actc has no derivative of {kind or name} with respect to this")
    for where, rule in groups:
        if any(needed[i] for i in where):
            results = rule()
            for j, i in enumerate(where):
                found[i] = results[j] if needed[i] else None
    return found


def covered(name: str, kind: str, arrays: int) -> set[int]:
    """Which of so many arrays have gradients."""
    anything = [None] * arrays
    return {i for where, _ in _groups(lambda *_: (), name, kind, anything, None, [None, None]) for i in where}


def _groups(call: Call, name: str, kind: str, arrays: Sequence[Any], y: Any, gs: Sequence[Any]) -> list[Group]:
    g, parameters = gs[0], range(1, len(arrays))
    if name in ROWS:
        if not kind:
            source = y if keeps_result(name, kind) else arrays[0]
            return [((0,), lambda: call(name, "backward", g, source, *arrays[1:]))]
        rule = _ROW_BACKWARD.get(name)
        return [((0, 1), lambda: rule(call, name, g, *arrays))] if rule and kind == "backward" else []
    if name in actc.gates:
        return _gate(call, name, kind, arrays, gs)
    match kind:
        case "":
            first = (0,), lambda: call(name, "backward", g, *arrays)
            return [first, (parameters, lambda: call(name, "parameter_backward", g, *arrays))]
        case "derivative":
            return [((0,), lambda: [g * call(name, "second_derivative", *arrays)[0]])]
        case "backward":
            first = (0,), lambda: call(name, "backward", g, *arrays[1:])
            return [first, ((1,), lambda: [g * arrays[0] * call(name, "second_derivative", *arrays[1:])[0]])]
    return []


def _gate(call: Call, name: str, kind: str, arrays: Sequence[Any], gs: Sequence[Any]) -> list[Group]:
    """y = a f(b), whose two gradients are g f(b) and g a f'(b); what a clamped gate has besides is not here."""
    f, clamped = actc.gates[name].info["activation"], "limit" in actc.gates[name].parameters
    if kind:
        return [] if clamped or kind != "backward" else [((0, 1, 2), lambda: _gate_backward(call, f, gs, *arrays))]
    both = (0, 1), lambda: call(name, "backward", gs[0], *arrays)
    rest = range(2, len(arrays)), lambda: call(f, "parameter_backward", gs[0] * arrays[0], *arrays[1:])
    return [both] if clamped else [both, rest]


def _gate_backward(call: Call, f: str, gs: Sequence[Any], g: Any, a: Any, *b: Any) -> Sequence[Any]:
    of_value, of_gate = gs
    slope, curve = (call(f, kind, *b)[0] for kind in ("derivative", "second_derivative"))
    return (
        of_value * call(f, "", *b)[0] + of_gate * a * slope,
        of_gate * g * slope,
        (of_value * slope + of_gate * a * curve) * g,
    )


# ---- of the gradients of rows ----------------------------------------------------------------------------------------


def _total(a: Any) -> Any:
    return a.sum(-1, keepdims=True)


def _softmax(call: Call, name: str, h: Any, g: Any, y: Any, temperature: float = 1.0) -> Sequence[Any]:
    """Of y*(g - total(g*y)), symmetric in g and h; softmin's is that of the temperature -1."""
    scale = -1.0 if name == "softmin" else 1 / temperature
    more = () if name == "softmin" else (temperature,)
    return call(name, "backward", h, y, *more)[0], (h * (g - _total(g * y)) - g * _total(h * y)) * scale


def _log_softmax(call: Call, name: str, h: Any, g: Any, y: Any) -> Sequence[Any]:
    p = call("exponential", "", y)[0]
    return h - _total(h * p), -h * p * _total(g)


def _logsumexp(call: Call, name: str, h: Any, g: Any, x: Any) -> Sequence[Any]:
    p = call("softmax", "", x, 1.0)[0]
    return (h * p).sum(-1), call("softmax", "backward", h * g[..., None], p, 1.0)[0]


def _constant(call: Call, name: str, h: Any, g: Any, of: Any) -> Sequence[Any]:
    """What does not change but where it jumps."""
    return call(name, "backward", h, of)[0], h * 0


_ROW_BACKWARD: dict[str, Callable[..., Sequence[Any]]] = {
    "softmax": _softmax,
    "softmin": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "logmeanexp": _logsumexp,
    "hardmax": _constant,
    "sparsemax": _constant,
}
