"""Presets: on their own, and against the frameworks that are installed."""

from __future__ import annotations

import copy
import inspect
import os
import pathlib
import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import pass_of, same_bits

import actc
from actc import _preset_rows, _presets, _surface
from actc._presets import preset

FRAMEWORKS = ("torch", "jax", "keras", "tensorflow", "onnx")
ROWS = {(f, n): row for f, table in _presets._TABLES.items() for names, row in table.items() for n in names.split()}
EVERY = [(f, n) for f, n in ROWS if n in preset(f)]  # the elementwise ones; those of rows have a file of their own
X = np.concatenate([np.arange(-40, 41) / 8, [-6.0, 6.0, -0.0]])  # every kink is among them

# A value for each parameter that has no default, and another setting of each.
GIVEN = {"weight": 0.25, "slope": 0.25, "threshold": 0.5, "value": -1.0, "default_value": -1.0}
OTHER = {
    **dict(alpha=0.75, beta=0.25, b=1.5, lower=0.25, upper=0.5, negative_slope=0.375, weight=0.375, slope=0.375),
    **dict(min=-2.0, max=1.5, min_val=-2.0, max_val=1.5, lambd=1.0, threshold=1.0, value=-2.0, default_value=-2.0),
}
SPECIAL = {
    "relu": [dict(negative_slope=0.375), dict(max_value=2.0), dict(max_value=6.0), dict(threshold=1.0),
             dict(threshold=-1.0), dict(negative_slope=0.375, max_value=2.0)],
    "Shrink": [dict(lambd=1.0), dict(bias=0.5), dict(bias=1.0, lambd=1.0)],
    "Selu": [dict(alpha=0.75, gamma=1.0)],
}  # fmt: skip
SPECIAL["ReLU"] = [s for s in SPECIAL["relu"] if s.get("threshold") != -1]  # which Keras's layer refuses
FLIP = {"none": "tanh", False: True, True: False}


def settings(framework: str, name: str) -> list[dict[str, Any]]:
    """Keyword arguments: the defaults, and others."""
    parameters = ROWS[framework, name].parameters
    usual = {p: GIVEN[p] for p, v in parameters.items() if v is inspect.Parameter.empty}
    if name in SPECIAL and parameters:
        return [usual, *SPECIAL[name]]
    other = {p: FLIP[v] if p == "approximate" else OTHER[p] for p, v in parameters.items()}
    return [usual, other] if other else [usual]


def in_actc(framework: str, name: str, given: Mapping[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    """The function of actc and its parameters, from the row."""
    row = ROWS[framework, name]
    values = {**row.parameters, **given}
    chosen, parameters = row.rule(**values) if row.rule else (row.actc, tuple(values.values()))
    return actc.elementwise[chosen], parameters


@pytest.fixture(params=EVERY, ids="-".join)
def entry(request: Any) -> Any:
    framework, name = request.param
    return framework, name, preset(framework)[name]


def of(framework: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [n for f, n in EVERY if f == framework])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_namespace(framework: str) -> None:
    p = preset(framework)
    assert preset(framework) is p
    of_rows = [n for names in _preset_rows.TABLES[framework] for n in names.split()]
    assert list(p) == [n for f, n in EVERY if f == framework] + of_rows
    assert len(p) == len(list(p)) == len(dict(p))
    for name, f in p.items():
        assert getattr(p, name) is p[name] is f
        assert name in dir(p)
        assert not hasattr(Mapping, name)
    assert framework in repr(p)
    assert pickle.loads(pickle.dumps(p)) is p
    assert copy.deepcopy(p) is p
    assert hash(p) == hash(p)


def test_misspelt_names() -> None:
    with pytest.raises(ValueError, match="'pytorch'; there are torch, jax, keras, tensorflow, onnx"):
        preset("pytorch")
    with pytest.raises(AttributeError, match=r"leakyrelu.*did you mean.*leaky_relu"):
        preset("jax").leakyrelu  # noqa: B018
    with pytest.raises(AttributeError):
        preset("jax").entmax15  # noqa: B018
    with pytest.raises(KeyError):
        preset("jax")["entmax15"]
    assert "entmax15" not in preset("torch")


def test_a_function_that_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actc, "elementwise", {"relu": actc.relu, "elu": actc.elu})
    assert {n for n in _presets.Preset("torch") if ("torch", n) in ROWS} == {"relu", "ReLU", "elu", "ELU"}


@pytest.mark.parametrize(("framework", "name", "given", "function", "parameters"), [
    ("torch", "leaky_relu", {}, "leaky_relu", (0.01,)),
    ("torch", "PReLU", {}, "prelu", (0.25,)),
    ("torch", "rrelu", {}, "leaky_relu", (11 / 48,)),
    ("torch", "gelu", {}, "gelu", ()),
    ("torch", "GELU", {"approximate": "tanh"}, "gelu_tanh", ()),
    ("torch", "hardsigmoid", {}, "hard_sigmoid", ()),
    ("torch", "threshold", {"threshold": 0.5, "value": -1.0}, "threshold", (0.5, -1.0)),
    ("jax", "leaky_relu", {}, "leaky_relu", (0.01,)),
    ("jax", "gelu", {}, "gelu_tanh", ()),
    ("jax", "gelu", {"approximate": False}, "gelu", ()),
    ("jax", "hard_tanh", {}, "hard_tanh", (-1.0, 1.0)),
    ("jax", "hard_silu", {}, "hard_swish", ()),
    ("jax", "swish", {}, "silu", ()),
    ("keras", "leaky_relu", {}, "leaky_relu", (0.2,)),
    ("keras", "LeakyReLU", {}, "leaky_relu", (0.3,)),
    ("keras", "PReLU", {}, "prelu", (0.0,)),
    ("keras", "gelu", {}, "gelu", ()),
    ("keras", "hard_sigmoid", {}, "hard_sigmoid", ()),
    ("keras", "relu", {}, "relu", ()),
    ("keras", "relu", {"max_value": 6.0}, "relu6", ()),
    ("keras", "relu", {"threshold": 2.0}, "thresholded_relu", (2.0,)),
    ("keras", "ReLU", {"negative_slope": 0.5}, "leaky_relu", (0.5,)),
    ("keras", "soft_shrink", {"threshold": 2.0}, "softshrink", (2.0,)),
    ("tensorflow", "leaky_relu", {}, "leaky_relu", (0.2,)),
    ("tensorflow", "silu", {"beta": 2.0}, "swish", (2.0,)),
    ("tensorflow", "gelu", {}, "gelu", ()),
    ("onnx", "LeakyRelu", {}, "leaky_relu", (0.01,)),
    ("onnx", "HardSigmoid", {}, "hard_sigmoid_onnx", (0.2, 0.5)),
    ("onnx", "ThresholdedRelu", {}, "thresholded_relu", (1.0,)),
    ("onnx", "Shrink", {}, "hardshrink", (0.5,)),
    ("onnx", "Shrink", {"bias": 1.5, "lambd": 1.5}, "softshrink", (1.5,)),
    ("onnx", "Clip", {}, "identity", ()),
    ("onnx", "Clip", {"min": 0.0, "max": 6.0}, "relu6", ()),
    ("onnx", "Celu", {"alpha": 2.0}, "celu", (2.0,)),
    ("onnx", "Selu", {"alpha": 2.0, "gamma": 1.0}, "elu", (2.0,)),
    ("onnx", "Selu", {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}, "selu", ()),
])  # fmt: skip
def test_what_it_is(
    framework: str, name: str, given: dict[str, Any], function: str, parameters: tuple[float, ...]
) -> None:
    if name not in preset(framework) or function not in actc.elementwise:
        pytest.skip("not in this build")
    f, g = preset(framework)[name], actc.elementwise[function]
    same_bits(f(X, **given), g(X, *parameters))
    same_bits(f(X, *{**f.parameters, **given}.values()), g(X, *parameters))


def test_every_pass_is_that_of_the_function(entry: Any) -> None:
    framework, name, f = entry
    kinks = ROWS[framework, name].kinks
    x = X[~np.isin(X, list(kinks))]
    g = np.linspace(-3, 3, len(x))
    for given in settings(framework, name):
        function, parameters = in_actc(framework, name, given)
        for kind in ("", *_surface.PASSES):
            inputs = (g, x) if kind == "backward" else (x,)
            found = pass_of(f, kind)(*inputs, **given)
            wanted = pass_of(function, kind)(*inputs, *parameters)
            for a, b in zip(np.atleast_2d(found), np.atleast_2d(wanted), strict=True):
                same_bits(a, b)


def test_parameter_gradients_have_the_names_of_the_framework(entry: Any) -> None:
    framework, name, f = entry
    row = ROWS[framework, name]
    if not row.parameters or row.rule:
        assert not hasattr(f, "parameter_backward")
        return
    for given in settings(framework, name):
        function, parameters = in_actc(framework, name, given)
        found = f.parameter_backward(np.ones_like(X), X, **given)
        wanted = function.parameter_backward(np.ones_like(X), X, *parameters)
        assert list(found) == list(f.parameters)
        assert list(found.values()) == list(wanted.values())


def test_one_of_actc_is_its_ufunc() -> None:
    torch, keras = preset("torch"), preset("keras")
    assert torch.relu is actc.relu
    assert torch.leaky_relu is actc.leaky_relu
    assert keras.linear is actc.linear
    assert torch.ReLU is not actc.relu
    assert keras.leaky_relu is not actc.leaky_relu
    assert preset("jax").leaky_relu is not actc.leaky_relu


def test_names_and_signatures(entry: Any) -> None:
    framework, name, f = entry
    row = ROWS[framework, name]
    assert dict(f.parameters) == dict(row.parameters)
    if isinstance(f, np.ufunc):
        return
    assert f.actc == row.actc
    assert f.__name__ == name
    for kind in ("", *_surface.PASSES):
        p = pass_of(f, kind)
        reference = inspect.signature(pass_of(actc.elementwise[row.actc], kind)).parameters
        given = inspect.signature(p).parameters
        inputs = ["g", "x"] if kind == "backward" else ["x"]
        own = actc.elementwise[row.actc].parameters
        assert list(given) == [*inputs, *row.parameters, *(q for q in reference if q not in (*inputs, *own))]
        assert {q: given[q].default for q in row.parameters} == dict(row.parameters)
        assert "\n" not in p.__doc__
        assert row.actc in p.__doc__
        assert pickle.loads(pickle.dumps(p)) is p
        assert framework in repr(p)


def test_a_signature_in_full() -> None:
    f = preset("onnx").LeakyRelu
    rest = "out=None, *, where=True, casting='same_kind', order='K', dtype=None, subok=True)"
    assert str(inspect.signature(f)) == f"(x, /, alpha=0.01, {rest}"
    assert str(inspect.signature(f.backward)) == f"(g, x, /, alpha=0.01, {rest}"
    assert str(inspect.signature(f.parameter_backward)) == "(g, x, /, alpha=0.01)"
    assert f.__doc__ == "onnx LeakyRelu: leaky_relu(x, negative_slope=alpha)."
    assert f.formula == "x if x > 0 else alpha*x"
    assert f.derivative.__name__ == "LeakyRelu_derivative"


def test_calls_that_are_wrong() -> None:
    torch, jax, keras, onnx = map(preset, ("torch", "jax", "keras", "onnx"))
    for call, message in [
        (lambda: torch.prelu(X), "missing.*weight"),
        (lambda: torch.prelu(X, alpha=0.5), "missing.*weight"),
        (lambda: torch.prelu(X, 0.5, weight=0.5), "multiple values.*weight"),
        (lambda: torch.PReLU(X, alpha=0.5), "unexpected keyword.*alpha"),
        (lambda: torch.PReLU(), "takes 1 positional argument at least, not 0"),
        (lambda: torch.PReLU.backward(X, weight=0.5), "takes 2 positional arguments at least, not 1"),
        (lambda: torch.PReLU(X, 0.5, None, None), "positional"),
        (lambda: torch.softplus(X, threshold=20), "unexpected keyword.*threshold"),
        (lambda: torch.PReLU(X, colour=1), "unexpected keyword.*colour"),
        (lambda: keras.leaky_relu(X, alpha=0.1), "unexpected keyword.*alpha"),
        (lambda: jax.leaky_relu.derivative(X + 0j), "signature"),
    ]:
        with pytest.raises(TypeError, match=message):
            call()
    if "hard_tanh" in jax:
        with pytest.raises(TypeError, match=r"unexpected keyword.*min_val"):
            jax.hard_tanh(X, min_val=0)
    with pytest.raises(ValueError, match="approximate must be 'none' or 'tanh', not True"):
        torch.gelu(X, approximate=True)
    with pytest.raises(ValueError, match="threshold"):
        keras.relu(X, threshold=1.0, max_value=2.0)
    with pytest.raises(ValueError, match="threshold"):
        keras.ReLU(X, threshold=1.0, negative_slope=0.5)
    if "Shrink" in onnx:
        with pytest.raises(ValueError, match="bias"):
            onnx.Shrink(X, bias=0.25)
    with pytest.raises(ValueError, match="gamma must be 1"):
        onnx.Selu(X, gamma=2.0)


def test_keywords_of_ufuncs(entry: Any) -> None:
    framework, name, f = entry
    given = settings(framework, name)[0]
    y = f(X, **given)
    out = np.empty_like(X)
    assert f(X, out=out, **given) is out
    same_bits(out, y)
    if len(given) == 0:
        values = ROWS[framework, name].parameters.values()
        assert f(X, *values, out) is out
        same_bits(out, y)
    out[:] = 7
    f.derivative(X, out=out, where=X > 0, **given)
    assert (out[X <= 0] == 7).all()
    same_bits(out[X > 0], f.derivative(X, **given)[X > 0])
    assert f(X, dtype=np.float32, **given).dtype == np.float32
    assert isinstance(f(1.0, **given), np.float64)
    assert f.backward(X[:, None], X, **given).shape == (len(X), len(X))


KINKS = [(f, n, at, slope) for (f, n), row in ROWS.items() if n in preset(f) for at, slope in row.kinks.items()]


@pytest.mark.parametrize(("framework", "name", "at", "slope"), KINKS)
def test_kinks(framework: str, name: str, at: float, slope: float, dtype: Any) -> None:
    f = preset(framework)[name]
    x = np.array([at, at - 0.5, at, at + 0.5, np.nan], dtype)
    g = np.array([3, 3, -2, 3, 3], dtype)
    usual = in_actc(framework, name, {})[0]
    d = usual.derivative(x)
    d[[0, 2]] = slope
    gd = usual.backward(g, x)
    gd[[0, 2]] = (g.astype(np.float64) * slope)[[0, 2]]
    same_bits(f.derivative(x), d)
    same_bits(f.backward(g, x), gd)
    for a, b in zip(f.value_and_derivative(x), (usual(x), d), strict=True):
        same_bits(a, b)
    for i, element in enumerate(x):  # scalars
        assert type(f.derivative(element)) is dtype.type
        same_bits(f.derivative(element), d[i])
        same_bits(f.backward(g[i], element), gd[i])
        same_bits(f.value_and_derivative(element)[1], d[i])
    same_bits(f.backward(g[:, None], x), np.array([f.backward(h, x) for h in g]))

    where = np.array([True, True, False, False, True])
    out = np.full_like(x, 7)
    assert f.derivative(x, out=out, where=where) is out
    same_bits(out, np.where(where, d, dtype.type(7)))
    in_place = x.copy()
    f.derivative(in_place, out=in_place)
    same_bits(in_place, d)
    for overwritten in (0, 1):
        pair = [g.copy(), x.copy()]
        f.backward(*pair, out=pair[overwritten])
        same_bits(pair[overwritten], gd)
    y, s = np.empty_like(x), np.empty_like(x)
    f.value_and_derivative(x, out=(y, s))
    same_bits(s, d)

    with np.errstate(all="raise"):  # gradients that slopes above 1 take out of range
        format_ = oracle.FORMATS[dtype.name]
        largest = np.full(5, np.ldexp(2 - 2.0 ** (1 - format_.digits), format_.most), dtype)
        same_bits(f.backward(largest[0], x[0]), f.backward(largest, x)[0])


def test_page_is_current() -> None:
    root = pathlib.Path(__file__).parents[1]
    path = os.pathsep.join([str(pathlib.Path(actc.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    printed = subprocess.run(
        [sys.executable, "-m", "actc._presets"],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    assert printed == (root / "docs" / "presets.md").read_text(), "python -m actc._presets > docs/presets.md"


# Against the frameworks themselves, where they are installed.

# Frameworks take differences, 1 + erf, 1 - tanh**2, x - tanh(x), and multiply them by x: they err by some units in the
# last place of 1, of x or of the result, whichever is the largest. Seen are up to 5.
UNITS = {"": 10, "derivative": 10, "second_derivative": 100}  # JAX: 36 in gelu''
# A constant is in single precision there, whatever x is: 1/6 of torch's derivative, 1/sqrt(2) of TensorFlow's gelu, the
# slope of its leaky_relu.
SINGLE = {
    "torch": ("hardsigmoid", "Hardsigmoid"),
    "tensorflow": ("gelu", "leaky_relu"),
    "keras": ("gelu", "leaky_relu", "LeakyReLU"),
}


def compare(framework: str, name: str, given: Any, kind: str, wanted: Any, x: np.ndarray = X) -> None:
    """A pass of the preset at x, against what the framework found."""
    wanted = np.asarray(wanted)
    found = pass_of(preset(framework)[name], kind)(x.astype(wanted.dtype), **given)
    assert wanted.dtype == np.float64 or framework in ("onnx", "keras")  # tanh of Keras on JAX is float32
    unit = 2.0**-23 if wanted.dtype == np.float32 or name in SINGLE.get(framework, ()) else 2.0**-52
    error = np.abs(found - wanted) / (unit * np.maximum(1, np.maximum(np.abs(x), np.abs(wanted))))
    worst = int(np.argmax(error))
    what = f"{framework}.{name}{kind and '.' + kind} {given}"
    print(f"{what}: {error[worst]:.2g} units at {x[worst]}")
    assert error[worst] <= UNITS[kind], f"{what}: {found[worst]!r}, not {wanted[worst]!r}, at {x[worst]}"


@pytest.mark.filterwarnings("ignore")
@of("torch")
def test_torch(name: str) -> None:
    """Values and derivatives, by name: functions of torch.nn.functional, modules of torch.nn."""
    torch = pytest.importorskip("torch")
    for given in settings("torch", name):
        if name == "PReLU":
            function = torch.nn.PReLU(init=given.get("weight", 0.25), dtype=torch.float64)
        elif name[0].isupper():
            function = getattr(torch.nn, name)(**given).eval()
        else:
            tensors = {k: torch.tensor([v], dtype=torch.float64) if k == "weight" else v for k, v in given.items()}

            def function(x: Any, tensors: Any = tensors) -> Any:
                return getattr(torch.nn.functional, name)(x, **tensors)

        x = torch.tensor(X, requires_grad=True)
        y = function(x)
        y.sum().backward()
        compare("torch", name, given, "", y.detach().numpy())
        compare("torch", name, given, "derivative", x.grad.numpy())


@pytest.mark.filterwarnings("ignore")
@of("jax")
def test_jax(name: str) -> None:
    """Values, derivatives and second derivatives, these between the kinks, and gradients of parameters."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    function = getattr(jax.nn, name)
    for given in settings("jax", name):
        compare("jax", name, given, "", function(jax.numpy.asarray(X), **given))
        slope = jax.grad(lambda x: function(x, **given))  # noqa: B023
        compare("jax", name, given, "derivative", jax.vmap(slope)(X))
        compare("jax", name, given, "second_derivative", jax.vmap(jax.grad(slope))(X + 1 / 16), X + 1 / 16)
        if not hasattr(preset("jax")[name], "parameter_backward"):
            continue
        values = {**preset("jax")[name].parameters, **given}
        wanted = jax.grad(lambda v: function(X, **v).sum())(values)
        found = preset("jax")[name].parameter_backward(np.ones_like(X), X, **given)
        assert found == pytest.approx({p: float(v) for p, v in wanted.items()}, rel=1e-13)


@pytest.mark.filterwarnings("ignore")
@of("tensorflow")
def test_tensorflow(name: str) -> None:
    tf = pytest.importorskip("tensorflow")
    function = getattr(tf.nn, name, None) or getattr(tf.math, name)
    for given in settings("tensorflow", name):
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x, **given)
        compare("tensorflow", name, given, "", y.numpy())
        compare("tensorflow", name, given, "derivative", tape.gradient(y, x).numpy())


@pytest.fixture(scope="session")
def keras() -> Any:
    """On the backend that KERAS_BACKEND or its configuration names."""
    keras = pytest.importorskip("keras")
    if keras.backend.backend() == "jax":
        sys.modules["jax"].config.update("jax_enable_x64", True)
    return keras


@pytest.mark.filterwarnings("ignore")
@of("keras")
def test_keras(name: str, keras: Any) -> None:
    """Values; the derivatives are those of the backend."""
    for given in settings("keras", name):
        if name == "PReLU":
            constant = keras.initializers.Constant(given.get("alpha", 0.0))
            function = keras.layers.PReLU(alpha_initializer=constant, dtype="float64")
        elif name[0].isupper():
            function = getattr(keras.layers, name)(dtype="float64", **given)
        else:

            def function(x: Any, given: Any = given) -> Any:
                return getattr(keras.activations, name)(x, **given)

        y = keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(X[None], dtype="float64")))
        compare("keras", name, given, "", y[0])


@pytest.mark.filterwarnings("ignore")
@of("onnx")
def test_onnx(name: str) -> None:
    """Values, in single precision, which ONNX Runtime has for every operator."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    helper, single = onnx.helper, onnx.TensorProto.FLOAT
    for given in settings("onnx", name):
        inputs = {} if name not in ("Clip", "PRelu") else given  # the others are attributes
        node = helper.make_node(name, ["x", *inputs], ["y"], **({} if inputs else given))
        graph = helper.make_graph(
            [node],
            name,
            [helper.make_tensor_value_info("x", single, [len(X)])],
            [helper.make_tensor_value_info("y", single, [len(X)])],
            [helper.make_tensor(k, single, [] if name == "Clip" else [1], [v]) for k, v in inputs.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)], ir_version=10)
        onnx.checker.check_model(model)
        session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (y,) = session.run(None, {"x": X.astype(np.float32)})
        compare("onnx", name, given, "", y)
