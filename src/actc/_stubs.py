"""Print the package's type stub from the table; the build does so and puts it beside the package.

The functions of one list of parameters share a Protocol, so that editors know their names, and its passes have theirs.
"""

from __future__ import annotations

from typing import Any

from actc import _core, _row_surface, _rows
from actc._surface import ALIASES, PASSES

HEAD = '''"""Type stub of actc, printed from the table by the build."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actc import diagnostics as diagnostics
from actc import exact as exact
from actc import init as init
from actc import interop as interop
from actc import views as views

_Array: TypeAlias = NDArray[Any]

_F = TypeVar("_F", bound=np.floating[Any])

class _Dispatching(Protocol):
    """What NumPy hands over to the library that made it."""

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any: ...

_Input: TypeAlias = ArrayLike | _Dispatching
'''

MAXOUT_LAYER = """
class _MaxoutLayer(Protocol):
    def __call__(self, x: ArrayLike, W: ArrayLike, b: ArrayLike, *, out: _Array | None = ...) -> _Array: ...
    def backward(self, g: ArrayLike, x: ArrayLike, W: ArrayLike, b: ArrayLike) -> tuple[_Array, _Array, _Array]: ...

maxout_layer: _MaxoutLayer
"""
TAIL = """
class _RReLU(Protocol):
    \"\"\"y = leaky_relu(x) with slopes drawn for each element\"\"\"

    __name__: str
    def __call__(
        self, x: ArrayLike, /, lower: float = ..., upper: float = ..., training: bool = ..., rng: Any = ..., *,
        first: int = ..., out: _Array | None = ...,
    ) -> Any: ...
    def derivative(
        self, x: ArrayLike, /, lower: float = ..., upper: float = ..., training: bool = ..., rng: Any = ..., *,
        first: int = ..., out: _Array | None = ...,
    ) -> Any: ...
    def backward(
        self, g: ArrayLike, x: ArrayLike, /, lower: float = ..., upper: float = ..., training: bool = ...,
        rng: Any = ..., *, first: int = ..., out: _Array | None = ...,
    ) -> Any: ...
    def key(self, rng: Any = ...) -> int: ...

__version__: str
elementwise: Mapping[str, Any]
functions: Mapping[str, Any]
gates: Mapping[str, Any]
rrelu: _RReLU
rrelu_derivative: Any
rrelu_backward: Any
row_functions: Mapping[str, Any]

def isa() -> str: ...
class _Apl(Protocol):
    __name__: str
    formula: str
    info: Mapping[str, Any]
    def __call__(self, x: ArrayLike, /, a: ArrayLike, b: ArrayLike, out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def derivative(self, x: ArrayLike, /, a: ArrayLike, b: ArrayLike, out: _Array | None = ..., **k: Any) -> Any: ...
    def second_derivative(self, x: ArrayLike, /, a: ArrayLike, b: ArrayLike, **kwargs: Any) -> Any: ...
    def backward(self, g: ArrayLike, x: ArrayLike, /, a: ArrayLike, b: ArrayLike, **kwargs: Any) -> Any: ...
    def value_and_derivative(self, x: ArrayLike, /, a: ArrayLike, b: ArrayLike, **k: Any) -> tuple[Any, Any]: ...
    def parameter_backward(self, g: ArrayLike, x: ArrayLike, /, a: ArrayLike, b: ArrayLike) -> dict[str, Any]: ...

apl: _Apl
apl_derivative: Any
apl_second_derivative: Any
apl_backward: Any
apl_value_and_derivative: Any
apl_parameter_backward: Any

def preset(name: str) -> Mapping[str, Any]: ...
def isas() -> list[str]: ...
def use_isa(name: str) -> str: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int) -> int: ...
def threads(n: int) -> AbstractContextManager[None]: ...
def cpu_features() -> dict[str, bool]: ...
def show_config() -> None: ...
def get_include() -> str: ...
def get_library() -> str: ...
def get_library_dir() -> str: ...
def get_cmake_dir() -> str: ...
def __getattr__(name: str) -> Any: ...
"""


# pass -> suffix of its Protocol, arrays that go in, how many come out
KINDS = {
    "": ("", ("x",), 1),
    "derivative": ("", ("x",), 1),
    "second_derivative": ("", ("x",), 1),
    "backward": ("Backward", ("g", "x"), 1),
    "value_and_derivative": ("Pair", ("x",), 2),
}


def protocol_name(parameters: tuple[str, ...], kind: str) -> str:
    """The Protocol of one pass of the functions with these parameters."""
    return "_Ufunc" + "".join(p.title().replace("_", "") for p in parameters) + KINDS[kind][0]


def protocols(parameters: tuple[str, ...]) -> str:
    """The Protocols of the functions with these parameters: their passes, and the function itself.

    An array of floats gives one of the same type; dtype= and all other inputs give what only the call itself can tell.
    """
    typed = "".join(f"{p}: ArrayLike = ..., " for p in parameters)
    text = []
    for kind in ("", "backward", "value_and_derivative"):
        _, inputs, outputs = KINDS[kind]
        same, out = "NDArray[_F]", "_Array | None"
        any_, more = "Any", "where: ArrayLike = ..., casting: str = ..., order: str = ..., subok: bool = ..."
        if outputs == 2:
            same, any_, out = f"tuple[{same}, {same}]", "tuple[Any, Any]", f"tuple[{out}, {out}]"
        floats, others = (", ".join(f"{n}: {t}" for n in inputs) for t in ("NDArray[_F]", "_Input"))
        text.append(f"""
class {protocol_name(parameters, kind)}(Protocol):
    __name__: str
    nin: int
    nout: int
    @overload
    def __call__(self, {floats}, /, {typed}out: {out} = ..., *, {more}) -> {same}: ...
    @overload
    def __call__(self, {others}, /, {typed}out: {out} = ..., **kwargs: Any) -> {any_}: ...
""")
    passes = [f"    {kind}: {protocol_name(parameters, kind)}\n" for kind in PASSES]
    if parameters:
        keywords = typed.removesuffix(", ")
        passes.append(
            f"    def parameter_backward(self, g: ArrayLike, x: ArrayLike, /, {keywords}) -> dict[str, Any]: ...\n"
        )
    text.append(f'''
class {function_name(parameters)}({protocol_name(parameters, "")}, Protocol):
    """y = f({", ".join(["x", *parameters])})"""

    formula: str
    info: Mapping[str, Any]
    parameters: Mapping[str, float]
{"".join(passes)}''')
    return "".join(text)


def function_name(parameters: tuple[str, ...]) -> str:
    """The Protocol of the functions with these parameters."""
    return "_Function" + ("Of" + "".join(p.title().replace("_", "") for p in parameters) if parameters else "")


def gate_protocol(name: str, parameters: list[str]) -> str:
    """The Protocol of the gates with these parameters."""
    typed = "".join(f", {p}: ArrayLike = ..." for p in parameters)
    options = "*, layout: str = ..., axis: int = ..., out: _Array | None = ..."
    packed = name + "Packed"
    return f'''
class {packed}(Protocol):
    """y = f(x), value and gate in one array"""

    __name__: str
    def __call__(self, x: ArrayLike, /{typed}, {options}) -> _Array: ...
    def backward(self, g: ArrayLike, x: ArrayLike, /{typed}, {options}) -> _Array: ...

class {name}(Protocol):
    """y = a f({", ".join(["b", *parameters])})"""

    __name__: str
    formula: str
    info: Mapping[str, Any]
    parameters: Mapping[str, float]
    packed: {packed}
    def __call__(self, a: ArrayLike, b: ArrayLike, /{typed}, out: _Array | None = ..., **kwargs: Any) -> Any: ...
    def backward(self, g: ArrayLike, a: ArrayLike, b: ArrayLike, /{typed}, **kwargs: Any) -> tuple[Any, Any]: ...
'''


def row_protocol(row: Any) -> str:
    """The Protocol of a row function: each its own, for their passes and options differ."""
    text = [
        f'''
class _{row.name.title().replace("_", "")}(Protocol):
    """y = {row.name}(x)"""

    __name__: str
    formula: str
    info: Mapping[str, Any]
    parameters: Mapping[str, float]
'''
    ]
    for kind in ("", *_row_surface.passes_of(row)):
        inputs = ", ".join(f"{n}: ArrayLike" for n in _row_surface.inputs_of(row, kind))
        named = ["pieces: int"] * row.grouped + [f"{p}: ArrayLike = ..." for p in row.parameters]
        tail = ", ".join([*named, "out: Any = ...", "*", "axis: int = ...", "**kwargs: Any"])
        text.append(f"    def {kind or '__call__'}(self, {inputs}, /, {tail}) -> Any: ...\n")
    if row.grouped:
        text.append("    def index(self, x: ArrayLike, /, pieces: int, axis: int = ...) -> _Array: ...\n")
    return "".join(text)


def stub() -> str:
    """The text of `__init__.pyi`."""
    known: set[tuple[str, ...]] = set()
    text, declarations = [HEAD], []
    for row in _core.rows():
        key = tuple(row.parameters)
        if key not in known:
            known.add(key)
            text.append(protocols(key))
        names = dict.fromkeys([row.name, row.unique_name, *(a for a, n in ALIASES.items() if n == row.name)])
        for name in names:
            declarations.append(f"{name}: {function_name(key)}")
            declarations += [f"{name}_{kind}: {protocol_name(key, kind)}" for kind in PASSES]
            declarations += [f"{name}_parameter_backward: Any"] * bool(key)
    gates: dict[tuple[str, ...], str] = {}
    for gate in _core.gates():
        key = tuple(gate.parameters)
        if key not in gates:
            gates[key] = "_Gate" + "".join(p.title().replace("_", "") for p in key)
            text.append(gate_protocol(gates[key], list(key)))
        for name in dict.fromkeys([gate.name, gate.unique_name]):
            declarations += [f"{name}: {gates[key]}", f"{name}_backward: Any"]
    for row in _rows.rows():
        text.append(row_protocol(row))
        declarations.append(f"{row.name}: _{row.name.title().replace('_', '')}")
        declarations += [f"{row.name}_{p}: Any" for p in [*_row_surface.passes_of(row), *["index"] * row.grouped]]
    return "".join(text) + MAXOUT_LAYER + TAIL + "\n" + "\n".join(declarations) + "\n"


if __name__ == "__main__":
    print(stub(), end="")
