"""Row functions and gates of the presets: what they are, and against the frameworks that are installed."""

from __future__ import annotations

import inspect
import os
import pickle
from typing import Any

import numpy as np
import pytest
from conftest import same_bits

import actc
from actc import _preset_rows
from actc._preset_rows import REQUIRED
from actc._presets import preset

ROWS = {(f, n): row for f, table in _preset_rows.TABLES.items() for names, row in table.items() for n in names.split()}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6, 8)) * 3
PASSES = ("", "derivative", "second_derivative", "backward", "value_and_derivative")


def pass_of(f: Any, kind: str) -> Any:
    return getattr(f, kind) if kind else f


def axes(row: Any) -> list[int | None]:
    """The default, if there is one, and others."""
    if not row.parameters:
        return []
    default = next(iter(row.parameters.values()))
    return [*([] if default is REQUIRED else [default]), 0, 1, -1]


def gradient(f: Any, row: Any, x: np.ndarray, given: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """g and backward(g, y or x)."""
    y = f(x, **given)
    g = np.random.default_rng(1).normal(size=np.shape(y))
    from_y = getattr(actc.row_functions.get(row.actc), "info", {}).get("backward_from") == "y"
    return g, f.backward(g, y if from_y else x, **given)


@pytest.fixture(params=list(ROWS), ids="-".join)
def entry(request: Any) -> Any:
    framework, name = request.param
    return framework, name, ROWS[request.param], preset(framework)[name]


def test_it_is_the_function_of_actc(entry: Any) -> None:
    """Bit for bit, by position, by name and by default, in every pass that there is."""
    _, _, row, f = entry
    target = _preset_rows.function_of(row)
    for axis in axes(row):
        first = next(iter(row.parameters))
        for kind in PASSES:
            if not hasattr(target, kind or "__call__"):
                assert not hasattr(f, kind)
                continue
            ours = {"axis": -1 if axis is None else axis}
            x = X
            if row.keywords.get("keepdims"):
                if axis is None:
                    x, ours = X.reshape(-1), {"axis": 0}
                kept = bool(row.parameters["keepdims"])
            else:
                kept = False
            inputs = [x] if kind != "backward" else [np.ones_like(target(x, **ours)), x]
            wanted = pass_of(target, kind)(*inputs, **ours)
            theirs = [X] if kind != "backward" else [inputs[0], X]
            if kept and axis is not None:
                wanted = wanted if kind else np.expand_dims(wanted, axis)
                theirs = theirs if not kind else [np.expand_dims(inputs[0], axis), X]
            elif kept:
                wanted = wanted if kind else np.reshape(wanted, (1, 1, 1))
            if kind == "backward":
                wanted = np.reshape(wanted, X.shape) if row.actc != "crelu" else wanted
            for found in (pass_of(f, kind)(*theirs, axis), pass_of(f, kind)(*theirs, **{first: axis})):
                for a, b in zip(np.atleast_1d(found), np.atleast_1d(wanted), strict=True):
                    same_bits(a, b)
        if axis == row.parameters[first]:
            same_bits(f(X), f(X, axis))


def test_names_and_signatures(entry: Any) -> None:
    framework, name, row, f = entry
    assert f.__name__ == name and f.actc == row.actc and dict(f.parameters) == dict(row.parameters) and f.formula
    for kind in PASSES:
        if not hasattr(f, kind or "__call__"):
            continue
        p = pass_of(f, kind)
        shown = inspect.signature(p).parameters
        assert {q: shown[q].default for q in row.parameters} == dict(row.parameters)
        assert "temperature" not in shown and "layout" not in shown
        assert pickle.loads(pickle.dumps(p)) is p
        assert framework in repr(p) and row.actc in p.__doc__ and "\n" not in p.__doc__
    given = {p: 0 for p, v in row.parameters.items() if v is REQUIRED}
    out = np.empty_like(f(X, **given))
    assert f(X, **given, out=out) is out
    same_bits(out, np.asarray(f(X, **given)))


def test_calls_that_are_wrong() -> None:
    torch, jax, tf, onnx = map(preset, ("torch", "jax", "tensorflow", "onnx"))
    for call, message in [
        (lambda: torch.softmax(X), "missing.*dim"),
        (lambda: torch.softmax(X, axis=0), "unexpected keyword.*axis"),
        (lambda: torch.softmax(X, 0, dim=0), "unexpected keyword.*dim"),
        (lambda: torch.softmax(X, dim=None), "dim must be an integer, not None"),
        (lambda: torch.softmax(X, 0, temperature=2.0), "unexpected keyword.*temperature"),
        (lambda: torch.glu(X, layout="gate_value"), "unexpected keyword.*layout"),
        (lambda: jax.softmax(), "takes x by position, not 0"),
        (lambda: jax.softmax(X, 0, 1), "takes x by position, not 3"),
        (lambda: jax.softmax.backward(X), "takes g and y by position"),
        (lambda: jax.standardize(X, mean=0.0), "unexpected keyword.*mean"),
        (lambda: jax.logsumexp(X, (0, 1)), "integer"),
        (lambda: tf.softmax(X * 1j), "softmax"),
        (lambda: onnx.Softmax(X, axis="last"), "integer"),
    ]:
        with pytest.raises(TypeError, match=message):
            call()
    with pytest.raises(ValueError, match="axis"):
        torch.softmax(X, 3)
    with pytest.raises(ValueError, match="even"):
        jax.glu(X[:, :, 1:])


def test_masks_and_kept_axes() -> None:
    jax = preset("jax")
    where = X > 0
    same_bits(jax.softmax(X, 1, where=where), actc.softmax(X, axis=1, where=where))
    same_bits(jax.logsumexp(X, where=where), actc.logsumexp(X.ravel(), where=where.ravel()))
    for axis in (None, 1):
        y = jax.logsumexp(X, axis, keepdims=True)
        assert y.shape == ((1, 1, 1) if axis is None else (4, 1, 8))
        same_bits(np.squeeze(y), np.asarray(jax.logsumexp(X, axis)))
        g = np.full(y.shape, 2.0)
        same_bits(jax.logsumexp.backward(g, X, axis, keepdims=True), jax.logsumexp.backward(np.squeeze(g), X, axis))
    out = np.empty(X.shape)
    g = np.array(2.0)
    assert jax.logsumexp.backward(g, X, out=out) is out
    same_bits(out, jax.logsumexp.backward(g, X))
    for out, error in ((np.empty(3), ValueError), ([0.0], TypeError), (np.empty((), np.int64), TypeError)):
        with pytest.raises(error):
            jax.logsumexp(X, out=out)
    same_bits(preset("onnx").ReduceLogSumExp(X, [1], keepdims=0), actc.logsumexp(X, axis=1))


# Against the frameworks themselves, where they are installed.


def compare(what: str, found: Any, wanted: Any, single: bool = False) -> None:
    """Frameworks subtract logarithms of sums, and err by some units in the last place of the largest element."""
    wanted = np.asarray(wanted)
    assert np.shape(found) == wanted.shape, what
    assert single or wanted.dtype == np.float64
    np.testing.assert_allclose(
        found, wanted, rtol=3e-6 if single else 1e-13, atol=2e-6 if single else 5e-14, err_msg=what
    )


def of(framework: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [n for f, n in ROWS if f == framework])


@pytest.mark.filterwarnings("ignore")
@of("torch")
def test_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    f, row = preset("torch")[name], ROWS["torch", name]
    settings = [{"dim": d} for d in axes(row)] or [{}]
    for given in [*settings, *([{}] if REQUIRED not in row.parameters.values() else [])]:
        x = torch.tensor(X, requires_grad=True)
        y = (getattr(torch.nn, name)(**given) if name[0].isupper() else getattr(torch.nn.functional, name))(
            x, **({} if name[0].isupper() else given)
        )
        compare(f"{name} {given}", f(X, **given), y.detach().numpy())
        g, gx = gradient(f, row, X, given)
        y.backward(torch.tensor(g))
        compare(f"{name}.backward {given}", gx, x.grad.numpy())


@pytest.mark.filterwarnings("ignore")
@of("jax")
def test_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    f, row, function = preset("jax")[name], ROWS["jax", name], getattr(jax.nn, name)
    settings: list[dict[str, Any]] = [{}, *({"axis": a} for a in axes(row))]
    settings += [{"axis": 1, "keepdims": True}, {"keepdims": True}] if "keepdims" in row.parameters else []
    settings += [{"axis": 1, "epsilon": 0.5}] if "epsilon" in row.parameters else []
    for given in settings:
        y, pull = jax.vjp(lambda x: function(x, **given), jax.numpy.asarray(X))  # noqa: B023
        compare(f"{name} {given}", f(X, **given), y)
        g, gx = gradient(f, row, X, given)
        compare(f"{name}.backward {given}", gx, pull(jax.numpy.asarray(g))[0])
    if name == "softmax":
        compare("softmax where", f(X, where=X > -1), function(X, where=X > -1))


@pytest.mark.filterwarnings("ignore")
@of("tensorflow")
def test_tensorflow(name: str) -> None:
    tf = pytest.importorskip("tensorflow")
    f, row = preset("tensorflow")[name], ROWS["tensorflow", name]
    function = getattr(tf.nn, name, None) or getattr(tf.math, name)
    settings: list[dict[str, Any]] = [{}, *({"axis": a} for a in axes(row))]
    settings += [{"axis": 1, "keepdims": True}, {"keepdims": True}] if "keepdims" in row.parameters else []
    for given in settings:
        x = tf.constant(X)
        g, gx = gradient(f, row, X, given)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x, **given)
        compare(f"{name} {given}", f(X, **given), y.numpy())
        compare(f"{name}.backward {given}", gx, tape.gradient(y, x, tf.constant(g)).numpy())


@pytest.mark.filterwarnings("ignore")
@of("keras")
def test_keras(name: str) -> None:
    keras = pytest.importorskip("keras")
    f, row = preset("keras")[name], ROWS["keras", name]
    x = keras.ops.convert_to_tensor(X.astype(np.float32))
    for given in [{}, *({"axis": a} for a in axes(row))]:
        if name[0].isupper():
            y = getattr(keras.layers, name)(**given)(x)
        else:
            y = getattr(keras.activations, name)(x, **given)
        found, wanted = f(X.astype(np.float32), **given), np.array(keras.ops.convert_to_numpy(y))
        if name == "sparsemax":  # Keras adds up the partial sums, where the last of them is meant
            right = np.isclose(wanted.sum(given.get("axis", -1), keepdims=True), 1) | np.zeros_like(wanted, bool)
            assert 0.2 < right.mean() < 0.9, "then the remark in the table has to go"
            wanted[~right] = found[~right]
        compare(f"{name} {given}", found, wanted, single=True)


@of("onnx")
def test_onnx(name: str) -> None:
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    helper, single = onnx.helper, onnx.TensorProto.FLOAT
    f, row = preset("onnx")[name], ROWS["onnx", name]
    for given in [{}, *({next(iter(row.parameters)): a} for a in axes(row) if a is not None)]:
        tensors, attributes = [], given
        if "axes" in given:
            tensors, attributes = [helper.make_tensor("axes", onnx.TensorProto.INT64, [1], [given["axes"]])], {}
        graph = helper.make_graph(
            [helper.make_node(name, ["x", *(t.name for t in tensors)], ["y"], **attributes)], name,
            [helper.make_tensor_value_info("x", single, X.shape)],
            [helper.make_tensor_value_info("y", single, [None] * 3)], tensors,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (y,) = session.run(None, {"x": X.astype(np.float32)})
        compare(f"{name} {given}", f(X.astype(np.float32), **given), y, single=True)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
