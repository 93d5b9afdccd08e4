"""Who actc is compared with: for each peer, how a function and pass is called there.

A call is the text of a Python expression over the arrays of `cases`; what is timed is that text and nothing else, and
the tables show it. Texts come from the formulas of actc's tables where the peer compiles formulas (NumPy, JAX, numexpr,
numba), from `actc.preset` where it has the peer's names, and else from the small tables here. Each peer has one thread.
A peer with several ways of doing the same, with and without `out=`, is given the fastest one.
"""

from __future__ import annotations

import environment  # first of all

# isort: split
import ast
import importlib
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import names
import numpy as np
from cases import Array, Arrays, Case
from formulas import NotThere, into, to_numexpr, to_scalars
from peer import Peer, given, without_out

import actc
from actc import _cli_formula, _presets


class Actc(Peer):
    def open(self) -> str:
        self.scope["actc"] = actc
        return actc.__version__

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        path = f"actc.{case.name}" + (f".{case.which}" if case.which != "forward" else "")
        options = "".join(f", {name}={name}" for name in case.options)
        if case.family == "hinges":
            scope |= {p: [v for k, v in case.parameters.items() if k.startswith(p)] for p in "ab"}
            options = ", a, b"
        out = f"({', '.join(case.outputs)})" if len(case.outputs) > 1 else case.outputs[0]
        return [f"{path}({given(case)}{options}, out={out})", f"{path}({given(case)}{options})"]


# ---- NumPy, SciPy: the formula ---------------------------------------------------------------------------------------


class NumPy(Peer):
    """The plain expression of the formula; halves also in float32, as NumPy's own halves are slow."""

    def open(self) -> str:
        self.scope["special"] = _cli_formula._Special()
        return np.__version__

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        source = case.numpy_source()
        found = [into(source, case.outputs), source]
        if (case.name, case.which) in names.NUMPY:
            found.append(names.NUMPY[case.name, case.which])
        if case.kind.itemsize == 2 and case.family != "row":
            scope["in_float32"] = _in_float32(source, case, scope)
            found.append(f"in_float32({given(case)})")
        return found


def _in_float32(source: str, case: Case, scope: dict[str, Any]) -> Callable[..., Any]:
    *before, last = source.split("; ")
    own = dict(scope)
    exec(f"def f({given(case)}):\n    {''.join(f'{b}; ' for b in before)}return {last}", own)

    def in_float32(*inputs: Array) -> Any:
        y = own["f"](*(a.astype(np.float32) for a in inputs))
        return tuple(p.astype(case.kind) for p in y) if isinstance(y, tuple) else y.astype(case.kind)

    return in_float32


class SciPy(Peer):
    def open(self) -> str:
        self.scope["special"] = importlib.import_module("scipy.special")
        return str(importlib.import_module("scipy").__version__)

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        if case.which != "forward" or case.name not in names.SCIPY:
            raise NotThere(case.name)
        text = names.SCIPY[case.name]
        return [text, without_out(text)]


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


class Torch(Peer):
    """Eager. f' is backward with ones; a function without a backward kernel goes through autograd, its graph built."""

    def open(self) -> str:
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        self.torch = torch
        self.scope |= {"torch": torch, "F": torch.nn.functional, "nn": torch._C._nn, "aten": torch.ops.aten}
        return f"{torch.__version__} ({torch.backends.cpu.get_cpu_capability()})"

    def native(self, a: Array) -> Any:
        if a.dtype.kind == "f":
            return self.torch.from_numpy(a)
        return self.torch.from_numpy(a.view(np.uint16)).view(self.torch.bfloat16)

    def back(self, a: Any, kind: np.dtype[Any]) -> Array:
        if kind.kind == "f":
            return np.asarray(a.numpy())
        return np.asarray(a.view(self.torch.uint16).numpy()).view(kind)

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        if case.name not in names.TORCH or case.which not in ("forward", "derivative", "backward"):
            raise NotThere(case.name)
        forward, backward = names.TORCH[case.name]
        if case.name == "standardize" and case.axis == 0:
            forward = names.TORCH_COLUMNS
        x = scope["array"]("x")
        scope |= {"weight": x.new_full((1,), case.parameters.get("alpha", 1.0)), "unit": x.new_ones(())}
        if case.which == "forward":
            return [forward, without_out(forward)]
        if backward is None:
            raise NotThere("no gradient")
        scope["one"] = self.torch.ones_like(x)
        texts = [backward] if backward else [self._autograd(case, without_out(forward), scope)]
        if case.which == "derivative":
            texts = [re.sub(r"\bg\b", "one", text) for text in texts]
        return texts

    def _autograd(self, case: Case, forward: str, scope: dict[str, Any]) -> str:
        """The call that runs the graph of a function backwards."""
        leaf = scope["array"]("x").detach().requires_grad_()
        with self.torch.enable_grad():
            scope["graph"] = eval(forward, {**scope, "x": leaf})
        scope["leaf"] = leaf
        return "torch.autograd.grad(graph, leaf, g, retain_graph=True)"


# ---- JAX -------------------------------------------------------------------------------------------------------------


class JAX(Peer):
    """Everything compiled: jax.nn's function where there is one, else the formula; other passes by its own autodiff."""

    layouts = ("contiguous",)

    def open(self) -> str:
        self.jax = jax = importlib.import_module("jax")
        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        self.scope |= {"jax": jax, "nn": jax.nn, "np": jax.numpy, "special": jax.scipy.special}
        self.names = {
            row.actc: (theirs.split()[0], row) for theirs, row in _presets._TABLES["jax"].items() if not row.rule
        }
        return str(jax.__version__)

    def native(self, a: Array) -> Any:
        return self.jax.numpy.asarray(a)

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        inputs = [name for name in ("u", "x") if name in case.inputs or name == "x"]
        source = self._forward(case)
        *before, last = source.split("; ")
        own = dict(scope)
        exec(f"def f({', '.join(inputs)}):\n    {''.join(f'{b}; ' for b in before)}return {last}", own)
        f, jax = own["f"], self.jax

        def derivative(x: Any) -> Any:
            return jax.jvp(f, (x,), (jax.numpy.ones_like(x),))

        def backward(g: Any, *primals: Any) -> Any:
            found = jax.vjp(f, *primals)[1](g)
            return found if len(found) > 1 else found[0]

        made: dict[str, Callable[..., Any]] = {
            "forward": f,
            "derivative": lambda x: derivative(x)[1],
            "value_and_derivative": derivative,
            "second_derivative": lambda x: jax.jvp(lambda v: derivative(v)[1], (x,), (jax.numpy.ones_like(x),))[1],
            "backward": backward,
        }
        if case.family == "row" and case.which == "backward":  # from what the forward pass has saved
            scope["saved"] = jax.jit(lambda x: jax.vjp(f, x)[1])(scope["array"]("x"))
            scope["vjp"] = jax.jit(lambda saved, g: saved(g)[0])
            return ["vjp(saved, g).block_until_ready()"]
        scope["jit"] = jax.jit(made[case.which])
        scope["block"] = jax.block_until_ready
        call = f"jit({given(case)})"
        return [f"block({call})" if len(case.outputs) > 1 else f"{call}.block_until_ready()"]

    def _forward(self, case: Case) -> str:
        if case.name in names.JAX:
            return names.JAX[case.name]
        if case.family == "elementwise" and case.name in self.names:
            name, row = self.names[case.name]
            more = "".join(f", {theirs}={ours}" for theirs, ours in zip(row.parameters, case.parameters, strict=False))
            return f"nn.{name}(x{more})"
        return Case(case.name, "forward", case.dtype, case.shape).numpy_source()


# ---- ONNX Runtime ----------------------------------------------------------------------------------------------------


class ONNXRuntime(Peer):
    """A graph of one operator, or of what its users compose, through IOBinding with preallocated results."""

    layouts = ("contiguous",)
    can_be_held = False
    OPSET = 24

    def open(self) -> str:
        self.onnx, self.ort = importlib.import_module("onnx"), importlib.import_module("onnxruntime")
        self.ort.set_default_logger_severity(4)
        self.names = dict(names.ONNX)
        for theirs, row in _presets._TABLES["onnx"].items():
            if not row.rule and _presets.REQUIRED not in row.parameters.values():
                ours = list(actc.elementwise[row.actc].parameters)
                more = "".join(f", {a}={b}" for a, b in zip(row.parameters, ours, strict=False))
                self.names.setdefault(row.actc, f"{theirs}(x{more})")
        return str(self.ort.__version__)

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        if case.which != "forward" or case.name not in self.names or case.dtype == "bf16":
            raise NotThere(case.name)
        if case.name == "standardize" and case.axis == 0:
            raise NotThere("LayerNormalization knows the last axes only")
        text = self.names[case.name]
        x, y = (scope["array"](name) for name in "xy")
        constants = {k: np.array(v, x.dtype) for k, v in case.parameters.items()}
        constants |= {"axes": np.array([case.axis]), "weight": np.ones(x.shape[-1:], x.dtype)}
        values = {**case.parameters, "axis": case.axis}
        model = self._model(text, {n: scope["array"](n) for n in case.inputs}, y, constants, values)
        options = self.ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            session = self.ort.InferenceSession(model, options, ["CPUExecutionProvider"])
        except Exception as error:  # of its own kinds, which have no common base but this
            raise NotThere(str(error)) from None
        binding = session.io_binding()
        room = self.ort.OrtValue.ortvalue_from_numpy(y)
        for n in case.inputs:
            binding.bind_ortvalue_input(n, self.ort.OrtValue.ortvalue_from_numpy(scope["array"](n)))
        binding.bind_ortvalue_output("y", room)
        scope |= {"session": session, "binding": binding, "room": room}
        return ["session.run_with_iobinding(binding) or room"]

    def back(self, a: Any, kind: np.dtype[Any]) -> Array:
        return np.asarray(a.numpy())

    def _model(self, text: str, inputs: Arrays, y: Array, constants: dict[str, Array], values: dict[str, Any]) -> bytes:
        """The graph of an expression of operators: arguments are tensors, keywords attributes."""
        helper, nodes, initializers = self.onnx.helper, [], {}

        def tensor(node: ast.AST) -> str:
            if isinstance(node, ast.Name):
                if node.id not in inputs:
                    initializers[node.id] = constants[node.id]
                return node.id
            if isinstance(node, ast.Constant):
                initializers[f"c{node.value}"] = np.array(node.value, y.dtype)
                return f"c{node.value}"
            assert isinstance(node, ast.Call)
            *domain, op = ast.unparse(node.func).split(".")
            attributes = {k.arg: eval(ast.unparse(k.value), dict(values)) for k in node.keywords}
            result = f"n{len(nodes)}"
            made = [tensor(a) for a in node.args]
            nodes.append(helper.make_node(op, made, [result], domain="com.microsoft" if domain else "", **attributes))
            return result

        last = tensor(ast.parse(text, mode="eval").body)
        nodes[-1].output[0] = "y"
        assert last.startswith("n")

        def info(name: str, a: Array) -> Any:
            return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)

        graph = helper.make_graph(
            nodes, "g", [info(n, a) for n, a in inputs.items()], [info("y", y)],
            [self.onnx.numpy_helper.from_array(v, n) for n, v in initializers.items()],
        )  # fmt: skip
        opsets = [helper.make_opsetid("", self.OPSET), helper.make_opsetid("com.microsoft", 1)]
        return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())


# ---- numexpr, numba: the formula; thinc ------------------------------------------------------------------------------


class Numexpr(Peer):
    def open(self) -> str:
        numexpr = importlib.import_module("numexpr")
        numexpr.set_num_threads(1)
        self.scope["ne"] = numexpr
        return str(numexpr.__version__)

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        if case.family == "row" or case.kind.itemsize == 2:
            raise NotThere("halves" if case.kind.itemsize == 2 else "rows")
        scope["values"] = values = {n: scope["array"](n) for n in case.inputs}
        texts = []
        for i, (formula, out) in enumerate(zip(case.formulas(), case.outputs, strict=True)):
            expression, numbers = to_numexpr(formula)
            used = {n.id for n in ast.walk(ast.parse(expression)) if isinstance(n, ast.Name)}
            own = {n: v for n, v in {**case.parameters, **numbers}.items() if n in used}
            if not used & values.keys():
                raise NotThere("a constant")
            renamed = re.sub(r"\bc(\d+)\b", rf"k{i}_\1", expression)
            values |= {re.sub(r"^c(\d+)$", rf"k{i}_\1", n): case.kind.type(v) for n, v in own.items()}
            texts.append(f"ne.evaluate({renamed!r}, values, out={out})")
        return [f"({', '.join(texts)})" if len(texts) > 1 else texts[0]]


class Numba(Peer):
    """`vectorize` with fastmath on the scalar formula."""

    def open(self) -> str:
        self.numba = importlib.import_module("numba")
        self.made: dict[Any, Any] = {}
        return str(self.numba.__version__)

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        if case.family == "row" or case.kind.itemsize == 2:
            raise NotThere("halves" if case.kind.itemsize == 2 else "rows")
        texts = []
        real = getattr(self.numba, f"float{8 * case.kind.itemsize}")
        for i, (formula, out) in enumerate(zip(case.formulas(), case.outputs, strict=True)):
            expression, numbers = to_scalars(formula)
            numbers = {n: case.kind.type(v) for n, v in {**case.parameters, **numbers}.items()}
            key = (expression, case.dtype, given(case), *numbers.values())
            if key not in self.made:
                own = {**vars(math), "abs": abs, "max": max, "min": min, **numbers}
                exec(f"def f({given(case)}): return {expression}", own)
                self.made[key] = self._vectorized(own["f"], real(*[real] * len(case.inputs)))
            scope[f"vectorized{i}"] = self.made[key]
            texts.append(f"vectorized{i}({given(case)}, {out})")
        return [f"({', '.join(texts)})" if len(texts) > 1 else texts[0]]

    def _vectorized(self, f: Callable[..., Any], signature: Any) -> Any:
        try:
            return self.numba.vectorize([signature], fastmath=True)(f)
        except self.numba.core.errors.NumbaError as error:
            raise NotThere(str(error)) from None


class Thinc(Peer):
    layouts = ("contiguous",)

    def open(self) -> str:
        self.scope["ops"] = importlib.import_module("thinc.api").NumpyOps()
        return str(importlib.import_module("thinc").__version__)

    def texts(self, case: Case, scope: dict[str, Any]) -> Sequence[str]:
        if case.name not in names.THINC or case.which not in ("forward", "backward"):
            raise NotThere(case.name)
        return [names.THINC[case.name][case.which == "backward"]]


# ----------------------------------------------------------------------------------------------------------------------

PEERS: tuple[type[Peer], ...] = (Actc, NumPy, SciPy, Torch, JAX, ONNXRuntime, Numexpr, Numba, Thinc)


def installed(chosen: Sequence[str] = ()) -> Iterator[Peer]:
    """Those of the named peers (default: all) that can be imported."""
    for kind in PEERS:
        if (chosen and kind.__name__.lower() not in chosen) or (environment.CAPPED and not kind.can_be_held):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                peer = kind()
            except ImportError:
                continue
        yield peer
