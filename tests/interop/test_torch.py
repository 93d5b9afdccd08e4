"""`actc.interop.torch`, and torch's tensors as such."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from conftest import same_bits
from tables import NAMES, X, need, other

import actc

torch = need("torch")
T: Any = need("actc.interop.torch")
pytestmark = pytest.mark.filterwarnings("default")  # torch's own deprecations
DTYPES = {torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64}
FUNCTIONS = [name for name in NAMES if name != "apl"]
every = pytest.mark.parametrize("name", FUNCTIONS)
# torch.nn's class for ours at the same parameters, where it has one
THEIRS = {n: (c, getattr(torch.nn, c)) for c, m in T._MODULES.items() if hasattr(torch.nn, c) and (n := m.name)}


def smooth(name: str) -> Any:
    """Points where the function is twice differentiable."""
    return torch.tensor([-3.37, -1.71, -0.61, -0.23, 0.29, 0.61, 1.73, 3.37], dtype=torch.float64)


@every
def test_values(name: str) -> None:
    """The bits of actc, in every type, layout and for parameters."""
    f, g = getattr(T, name), actc.elementwise[name]
    for dtype, kind in DTYPES.items():
        x = torch.from_numpy(X.astype(kind))
        for given in ({}, other(name)):
            assert f(x, **given).dtype == dtype
            same_bits(f(x, **given).numpy(), g(X.astype(kind), **given))
            same_bits(f(x, *given.values())[3].numpy(), g(X.astype(kind)[3], **given))
    image = torch.from_numpy(X).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    assert f(image).stride() == image.stride()
    same_bits(f(image).numpy(), g(X.reshape(1, 2, 3, 4)))
    same_bits(f(torch.from_numpy(X)[::3]).numpy(), g(X[::3]))


@every
def test_bfloat16(name: str) -> None:
    ml_dtypes = need("ml_dtypes")
    x = torch.from_numpy(X).bfloat16()
    wanted = actc.elementwise[name](X.astype(ml_dtypes.bfloat16))
    same_bits(getattr(T, name)(x).view(torch.uint16).numpy(), wanted.view(np.uint16))


@every
def test_gradients(name: str) -> None:
    """First and second, against differences; of parameters the first. binary_step has none but 0."""
    f, x = getattr(T, name), smooth(name).requires_grad_()
    given = {p: torch.tensor(v, dtype=torch.float64, requires_grad=True) for p, v in other(name).items()}
    assert torch.autograd.gradcheck(lambda x, *p: f(x, *p), (x, *given.values()))
    numbers = other(name)
    assert torch.autograd.gradgradcheck(lambda x: f(x, **numbers), (x,))
    if given:
        (slope,) = torch.autograd.grad(f(x, **given).sum(), x, create_graph=True)
        with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative"):
            slope.sum().backward()
    (slope,) = torch.autograd.grad(f(x, **numbers).sum(), x, create_graph=True)
    (curve,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative"):
        curve.sum().backward()
    same_bits(slope.detach().numpy(), actc.elementwise[name].derivative(x.detach().numpy(), **numbers))


def test_parameters_broadcast() -> None:
    x = smooth("elu").reshape(4, 2).requires_grad_()
    for shape in ((2,), (4, 1), (3, 1, 1), ()):
        alpha = torch.full(shape, 0.5, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(T.elu, (x, alpha))
    alpha = torch.full((2,), 0.5, requires_grad=True)  # another type than x's
    T.elu(x, alpha).sum().backward()
    assert alpha.grad.dtype == torch.float32


@pytest.mark.parametrize("name", THEIRS)
def test_modules_are_drop_in(name: str) -> None:
    """The class that torch has under that name agrees, with positional parameters too."""
    class_name, theirs = THEIRS[name]
    ours = getattr(T, class_name)
    given = [v * 0.75 + 0.125 for v in actc.elementwise[name].parameters.values()] if name != "prelu" else []
    x = torch.linspace(-7, 7, 99, dtype=torch.float64, requires_grad=True)
    a, b = ours(*given)(x), theirs(*given).double()(x)
    torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-8)  # softplus of torch is x beyond a threshold
    torch.testing.assert_close(*(torch.autograd.grad(y.sum(), x)[0] for y in (a, b)), rtol=1e-7, atol=1e-8)


def test_there_are_some_of_torch() -> None:
    assert {"ReLU", "SiLU", "GELU", "ELU", "Hardtanh", "LeakyReLU", "LogSigmoid", "Softshrink"} <= {
        c for c, _ in THEIRS.values()
    }
    assert len(T._MODULES) == len(FUNCTIONS) == len(T._FUNCTIONS)


@pytest.mark.parametrize("class_name", T._MODULES)
def test_modules(class_name: str, tmp_path: Any) -> None:
    made = getattr(T, class_name)
    module = made(**other(made.name))
    x = torch.from_numpy(X)
    same_bits(module(x).numpy(), actc.elementwise[made.name](X, **other(made.name)))
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        same_bits(twin(x).numpy(), module(x).numpy())
    assert repr(module).startswith(class_name + "(")
    for parameter, value in other(made.name).items():
        assert f"{parameter}={value}" in repr(module)
    assert not list(module.parameters())


def test_learnt_parameters() -> None:
    """A small network fits; the slope of its PReLU moves, and is saved."""
    torch.manual_seed(0)
    prelu = T.PReLU(alpha=torch.nn.Parameter(torch.full((8,), 0.25)))
    net = torch.nn.Sequential(torch.nn.Linear(1, 8), prelu, torch.nn.Linear(8, 1))
    assert "1.alpha" in net.state_dict()
    x = torch.linspace(-1, 1, 64)[:, None]
    optimizer, losses = torch.optim.Adam(net.parameters(), 0.02), []
    for _ in range(150):
        loss = (net(x) - x.abs()).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 20
    assert not torch.equal(prelu.alpha, torch.full((8,), 0.25))


@pytest.mark.parametrize("name", ["gelu", "elu", "srelu", "bent_identity"])
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compile(name: str, backend: str) -> None:
    """The whole graph, forward and backward, with and without gradients, at two shapes."""
    f = getattr(T, name)
    given = other(name)

    def model(x: Any, w: Any) -> Any:
        return f(x @ w, **given).square().sum()

    compiled = torch.compile(model, fullgraph=True, backend=backend)
    for n in (3, 5):
        x = torch.randn(n, 4, dtype=torch.float64)
        w = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
        torch.testing.assert_close(compiled(x, w), model(x, w))
        torch.testing.assert_close(*(torch.autograd.grad(m(x, w), w)[0] for m in (compiled, model)))
        with torch.no_grad():
            torch.testing.assert_close(compiled(x, w), model(x, w))
    torch._dynamo.reset()


def test_compile_takes_learnt_parameters_and_layouts() -> None:
    module = T.PReLU(alpha=torch.nn.Parameter(torch.full((3, 1, 1), 0.25)))
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    grads = []
    for m in (module, compiled):
        module.zero_grad()
        y = m(x)
        assert y.stride() == x.stride()
        y.square().sum().backward()
        grads.append((y.detach(), module.alpha.grad.clone()))
    torch.testing.assert_close(*grads)


def test_operators_are_well_behaved() -> None:
    """torch's own check of an operator: schema, fake tensors, tracing."""
    from actc.interop import _torch_pass

    x, alpha = torch.randn(5), torch.tensor(0.5)
    torch.library.opcheck(_torch_pass._OPERATORS[_torch_pass._compute], ([x, alpha], "elu", ""))
    torch.library.opcheck(_torch_pass._OPERATORS[_torch_pass._sums], ([x, x, alpha], "elu"))


def test_transforms() -> None:
    x = torch.randn(5)
    slope = torch.func.grad(lambda x: T.silu(x).sum())
    torch.testing.assert_close(slope(x), torch.func.grad(lambda x: torch.nn.functional.silu(x).sum())(x))
    assert torch.func.grad(lambda x: slope(x).sum())(x).shape == (5,)
    with pytest.raises(RuntimeError):
        torch.vmap(T.silu)(x)


def test_refusals() -> None:
    for x, says in (
        (torch.arange(3), "torch.int64"),
        (X, "ndarray"),
        (torch.empty(3, device="meta"), "meta"),
        (1.0, "float"),
    ):
        with pytest.raises(TypeError, match=f"elu.*{says}"):
            T.elu(x)
    x = torch.ones(3)
    for call in (lambda: T.elu(x, 1, 2), lambda: T.ELU(1, 2)):
        with pytest.raises(TypeError, match=r"at most 1 parameters \(alpha\)"):
            call()
    with pytest.raises(TypeError, match=r"'inplace' is none of its parameters \(alpha\)"):
        T.ELU(inplace=True)
    with pytest.raises(TypeError, match="'alpha' was given twice"):
        T.elu(x, 1.0, alpha=2.0)
    with pytest.raises(RuntimeError, match=r"(?i)broadcast|shape"):
        T.elu(x, torch.ones(2))


# ---- tensors as such -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_bare_ufuncs(name: str) -> None:
    """A tensor comes back, but NumPy warns of torch's old protocol; gradients and bfloat16 are refused."""
    if name == "apl":
        return
    f, x = actc.functions[name], torch.from_numpy(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        result = f(x)
    assert isinstance(result, torch.Tensor)
    same_bits(result.numpy(), f(X))
    with pytest.raises(RuntimeError, match="requires grad"):
        f(x.clone().requires_grad_())
    with pytest.raises(TypeError, match="BFloat16"):
        f(x.bfloat16())
