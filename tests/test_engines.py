"""actc inside other engines (examples/engines): the same bits as the ufuncs, and gradients that it checks itself.

Each runs in an interpreter of its own where the framework is installed; the ONNX Runtime operator also needs
onnxruntime_c_api.h, which its wheel has not: ORT_INCLUDE, or Debian's libonnxruntime-dev.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from actc import _config

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "engines"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the source tree")


def run(code: str, *needed: str) -> None:
    for module in needed:
        if not importlib.util.find_spec(module):
            pytest.skip(f"no {module}")
    path = os.pathsep.join([str(FOLDER), str(Path(_config.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.endswith("fine\n"), "the code did not come to its end"


def test_torch() -> None:
    run(
        """
import numpy as np, torch, actc
from torch_actc import activation, run
ops = torch.ops.actc
torch.manual_seed(1)

x = torch.randn(5, 7) * 3
for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
    v = x.to(dtype)
    for name in ("gelu", "elu", "softplus"):
        y = activation(v, name)
        assert y.dtype == dtype and y.shape == v.shape
        assert torch.equal(y, ops.activation(v, name, []))
        if dtype != torch.bfloat16:
            assert np.array_equal(y.numpy(), actc.elementwise[name](v.numpy()))
assert np.array_equal(activation(x, "elu", 0.5).numpy(), actc.elu(x.numpy(), 0.5))
assert np.array_equal(activation(x.T[::2], "mish").numpy(), actc.mish(x.numpy().T[::2]))  # strides
assert activation(torch.empty(0, 3), "gelu").shape == (0, 3)

for name, *parameters in (("gelu",), ("mish",), ("swish", 1.5), ("softplus",), ("tanh",)):
    v = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    for f in (lambda t: activation(t, name, *parameters), lambda t: ops.activation(t, name, parameters)):
        assert torch.autograd.gradcheck(f, v)
        assert torch.autograd.gradgradcheck(f, v)
# what the library computes, not an approximation of it
v = torch.randn(1000, requires_grad=True)
activation(v, "gelu").backward(torch.ones(1000))
assert np.array_equal(v.grad.numpy(), actc.gelu.backward(np.ones(1000, "f4"), v.detach().numpy()))

v = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
torch.library.opcheck(torch.ops.actc.activation.default, (v, "gelu", []))
torch.library.opcheck(torch.ops.actc.gradient.default, (v.detach(), v.detach(), "gelu", []))
class Mish(torch.nn.Module):
    def forward(self, t):
        return ops.activation(t, "mish", [])
exported = torch.export.export(Mish(), (x,))
assert np.array_equal(exported.module()(x).numpy(), actc.mish(x.numpy()))

for wrong, error in (
    (lambda: activation(x, "gelo"), ValueError),
    (lambda: activation(x, "elu", 1, 2), ValueError),
    (lambda: activation(x.int(), "elu"), TypeError),
):
    try:
        wrong()
    except error:
        continue
    raise AssertionError("nothing raised")
print("fine")
""",
        "torch",
    )


def test_jax() -> None:
    if not shutil.which("c++"):
        pytest.skip("no c++")
    run(
        """
import jax
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
import jax.numpy as jnp, numpy as np, actc
from jax.test_util import check_grads
from jax_actc import activation, load
load()

x = np.random.default_rng(1).normal(0, 3, (5, 7))
for dtype in ("float16", "float32", "float64"):
    v = x.astype(dtype)
    for name in ("gelu", "elu", "softplus"):
        y = jax.jit(lambda t: activation(t, name))(v)
        assert y.dtype == v.dtype
        assert np.array_equal(np.asarray(y), actc.elementwise[name](v))
v = jnp.asarray(x, jnp.bfloat16)
assert np.array_equal(np.asarray(activation(v, "mish")).view("u2"), actc.mish(np.asarray(v)).view("u2"))
assert np.array_equal(np.asarray(activation(jnp.asarray(x), "elu", 0.5)), actc.elu(x, 0.5))
assert np.array_equal(np.asarray(jax.vmap(lambda row: activation(row, "gelu"))(jnp.asarray(x))), actc.gelu(x))
slopes = jax.vmap(jax.grad(lambda t: activation(t, "gelu")))(jnp.asarray(x[0]))
assert np.array_equal(np.asarray(slopes), actc.gelu.derivative(x[0]))

for name, *parameters in (("gelu",), ("mish",), ("swish", 1.5), ("tanh",)):
    check_grads(lambda t: activation(t, name, *parameters), (jnp.asarray(x),), order=2, modes=("fwd", "rev"))
for wrong, *arguments in ((x, "gelo"), (x, "elu", 1.0, 2.0), (jnp.arange(3), "elu")):
    try:
        jax.block_until_ready(activation(jnp.asarray(wrong), *arguments))
    except Exception as error:
        assert "actc" in str(error) or "parameters" in str(error), error
        continue
    raise AssertionError("nothing raised")
print("fine")
""",
        "jax",
    )


def ort_headers() -> str:
    for folder in (os.environ.get("ORT_INCLUDE", ""), "/usr/include/onnxruntime", "/usr/local/include/onnxruntime"):
        if folder and Path(folder, "onnxruntime_c_api.h").exists():
            return folder
    pytest.skip("no onnxruntime_c_api.h (ORT_INCLUDE)")


def test_onnxruntime(tmp_path: Path) -> None:
    if not shutil.which("cc"):
        pytest.skip("no cc")
    headers = ort_headers()
    library = tmp_path / "actc_op.so"
    lib = Path(_config.get_library()).parent
    flags = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-isystem", headers, f"-I{_config.get_include()}"]
    link = [f"-L{lib}", "-lactc", f"-Wl,-rpath,{lib}", "-o", str(library)]
    subprocess.run(["cc", *flags, str(FOLDER / "onnxruntime_op.c"), *link], check=True)
    run(
        f"""
import numpy as np, onnx, onnxruntime as ort, actc
from onnx import TensorProto as T, helper as h

def session(function, dtype, **more):
    node = h.make_node("Activation", ["x"], ["y"], domain="actc", function=function, **more)
    ends = [h.make_tensor_value_info(name, dtype, [None, None]) for name in "xy"]
    opsets = [h.make_opsetid("", 17), h.make_opsetid("actc", 1)]
    model = h.make_model(h.make_graph([node], "g", ends[:1], ends[1:]), opset_imports=opsets, ir_version=9)
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

options = ort.SessionOptions()
options.log_severity_level = 4
options.register_custom_ops_library({str(library)!r})
x = np.linspace(-9, 9, 60).reshape(6, 10)
for code, dtype in ((T.FLOAT16, "f2"), (T.FLOAT, "f4"), (T.DOUBLE, "f8")):
    for name in ("gelu", "elu", "mish"):
        y, = session(name, code).run(None, {{"x": x.astype(dtype)}})
        assert y.dtype == dtype
        assert np.array_equal(y, actc.elementwise[name](x.astype(dtype)))
y, = session("elu", T.FLOAT, parameters=[0.5]).run(None, {{"x": x.astype("f4")}})
assert np.array_equal(y, actc.elu(x.astype("f4"), 0.5))
assert session("gelu", T.FLOAT).run(None, {{"x": np.zeros((0, 3), "f4")}})[0].shape == (0, 3)
for wrong in (dict(function="gelo"), dict(function="elu", parameters=[1.0, 2.0])):
    try:
        session(dtype=T.FLOAT, **wrong)
    except Exception as error:
        assert "actc has no such function" in str(error) or "number of parameters" in str(error)
        continue
    raise AssertionError("nothing raised")
print("fine")
""",
        "onnxruntime",
        "onnx",
    )
