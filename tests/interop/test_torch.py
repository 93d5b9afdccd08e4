"""`actc.interop.torch`, and torch's tensors as such."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from conftest import same_bits
from tables import NAMES, ROWS, TWICE, X, need, other, other_of

import actc

torch = need("torch")
T: Any = need("actc.interop.torch")
pytestmark = pytest.mark.filterwarnings("default")  # torch's own deprecations
DTYPES = {torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64}
FUNCTIONS = [name for name in NAMES if name != "apl"]
every = pytest.mark.parametrize("name", FUNCTIONS)
OURS = [name for name, made in T._MODULES.items() if issubclass(made, T.Activation)]
THEIRS = [name for name in T._MODULES if name not in OURS]  # which torch.nn has


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


# torch.nn's classes at other parameters than the defaults, by position and by name
ARGUMENTS: dict[str, list[Any]] = {
    "LeakyReLU": [((0.2, True), {})],
    "PReLU": [((5,), dict(init=0.5)), ((), {})],
    "ELU": [((0.5,), {}), ((), dict(alpha=2.0, inplace=True))],
    "CELU": [((0.5,), {})],
    "Hardtanh": [((-2, 3), {}), ((), dict(min_val=-0.5))],
    "Softplus": [((2.0,), {}), ((), dict(beta=0.5, threshold=30))],
    "GELU": [((), {}), (("tanh",), {})],
    "Softshrink": [((0.25,), {})],
    "Hardshrink": [((), dict(lambd=1.5))],
    "Threshold": [((0.1, 20.0), {}), ((-0.5, 1), dict(inplace=True))],
    "Softmax": [((1,), {}), ((), dict(dim=-1))],
    "LogSoftmax": [((0,), {}), ((), dict(dim=2))],
    "Softmin": [((-2,), {})],
    "GLU": [((), {}), ((-2,), {}), ((3,), {})],
}


@pytest.mark.parametrize("name", THEIRS)
def test_modules_are_drop_in(name: str) -> None:
    """torch.nn's own class: arguments, attributes, state, representation; values and gradients agree."""
    for args, kwargs in ARGUMENTS.get(name, [((), {})]):
        ours, theirs = (getattr(m, name)(*args, **kwargs).double().eval() for m in (T, torch.nn))
        assert isinstance(ours, type(theirs))
        assert repr(ours) == repr(theirs)
        assert ours.state_dict().keys() == theirs.state_dict().keys()
        for twin in (ours, copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
            x = torch.linspace(-7, 7, 3 * 5 * 4 * 6, dtype=torch.float64).reshape(3, 5, 4, 6).requires_grad_()
            a, b = twin(x), theirs(x * 1)
            assert a.is_contiguous()
            torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-8)  # softplus of torch is x beyond a threshold
            weight = torch.randn(b.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
            for of_a, of_b in zip(
                torch.autograd.grad((a * weight).sum(), [x, *twin.parameters()]),
                torch.autograd.grad((b * weight).sum(), [x, *theirs.parameters()]),
                strict=True,
            ):
                torch.testing.assert_close(of_a, of_b, rtol=1e-7, atol=1e-7)


def test_every_activation_of_torch_is_there() -> None:
    assert set(torch.nn.modules.activation.__all__) - {"MultiheadAttention"} <= set(THEIRS)
    assert len(set(T._MODULES)) == len(T._MODULES)
    computed = {"".join(c for c in name.lower() if c.isalnum()) for name in T._MODULES}
    assert all(name.replace("_", "") in computed or name == "tanh" for name in T._FUNCTIONS)


def test_rrelu_draws_in_training() -> None:
    """Slopes between the bounds, others each time, by torch's generator; the gradient has the same."""
    module, x = T.RReLU(0.1, 0.3), torch.full((1000,), -1.0, requires_grad=True)
    torch.manual_seed(0)
    y = module(x)
    y.sum().backward()
    assert -0.3 <= y.min() < -0.28 and -0.12 < y.max() <= -0.1
    same_bits(x.grad.numpy(), -y.detach().numpy())
    assert not torch.equal(module(x), y)
    torch.manual_seed(0)
    assert torch.equal(module(x), y)
    assert torch.equal(module.eval()(x), torch.full_like(x, -0.2))


@pytest.mark.parametrize("class_name", OURS)
def test_modules(class_name: str, tmp_path: Any) -> None:
    made = getattr(T, class_name)
    f, given = T._FUNCTIONS[made.name], other(made.name)
    module = made(**given)
    x = [torch.from_numpy(X.reshape(4, 6))] * (1 + (made.name in actc.gates))
    same_bits(module(*x).numpy(), f(*x, **given).numpy())
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        same_bits(twin(*x).numpy(), module(*x).numpy())
    assert repr(module).startswith(class_name + "(")
    for parameter, value in given.items():
        assert f"{parameter}={value}" in repr(module)
    assert not list(module.parameters())


def test_learnt_parameters() -> None:
    """A small network fits; the slope of its PReLU moves, and is saved. So for any other function's parameters."""
    torch.manual_seed(0)
    learnt = T.Swish(beta=torch.nn.Parameter(torch.ones(8)))
    net = torch.nn.Sequential(torch.nn.Linear(1, 8), T.PReLU(8), learnt, torch.nn.Linear(8, 1))
    assert {"1.weight", "2.beta"} <= set(net.state_dict())
    x = torch.linspace(-1, 1, 64)[:, None]
    optimizer, losses = torch.optim.Adam(net.parameters(), 0.02), []
    for _ in range(150):
        loss = (net(x) - x.abs()).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 20
    assert not torch.equal(net[1].weight, torch.full((8,), 0.25)) and not torch.equal(learnt.beta, torch.ones(8))


# ---- rows and gates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    """The bits of actc along any axis; gradients against differences."""
    f, g = getattr(T, name), actc.row_functions[name]
    x = X.reshape(2, 3, 4)
    for axis in (-1, 0, 1):
        same_bits(f(torch.from_numpy(x), axis=axis).numpy(), g(x, axis=axis))
    t = torch.from_numpy(x.astype(np.float64)).requires_grad_()
    for given in ({}, {p: 0.75 for p in g.parameters}):
        assert torch.autograd.gradcheck(lambda t: f(t, axis=1, **given), (t,))  # noqa: B023
        if name in TWICE:
            assert torch.autograd.gradgradcheck(lambda t: f(t, axis=1, **given), (t,))  # noqa: B023
    if name not in TWICE:
        (slope,) = torch.autograd.grad(f(t).square().sum(), t, create_graph=True)
        with pytest.raises(NotImplementedError, match=f"{name}: actc has no derivative of backward"):
            slope.square().sum().backward()


@pytest.mark.parametrize("name", actc.gates)
def test_gates(name: str) -> None:
    """Values and both gradients are those of the fused passes."""
    f, g, given = getattr(T, name), actc.gates[name], other_of(actc.gates[name])
    a, b = X.astype(np.float64), X[::-1].astype(np.float64) * 0.75
    same_bits(f(torch.from_numpy(a), torch.from_numpy(b.copy()), **given).numpy(), g(a, b, **given))
    ta, tb = (torch.from_numpy(v.copy()).requires_grad_() for v in (a, b))
    found = torch.autograd.grad(f(ta, tb, **given).sum(), [ta, tb])
    for d, wanted in zip(found, g.backward(np.ones_like(a), a, b, **given), strict=True):
        same_bits(d.numpy(), wanted)
    assert torch.autograd.gradcheck(lambda a, b: f(a, b, **given), (ta, tb))
    if "limit" in given:
        return
    assert torch.autograd.gradgradcheck(lambda a, b: f(a, b, **given), (ta, tb))
    p = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in given.values()]
    assert torch.autograd.gradcheck(lambda a, b, *p: f(a, b, *p), (ta, tb, *p))


def test_odd_halves_and_missing_dimensions() -> None:
    with pytest.raises(ValueError, match=r"GLU: dimension -1 of \(2, 5\) has no two equal halves"):
        T.GLU()(torch.ones(2, 5))
    with pytest.raises(TypeError, match="Softmax: dim must be an integer, not None"):
        T.Softmax()(torch.ones(2, 5))
    with pytest.raises(TypeError, match="temperature must be a number, not tensor"):
        T.softmax(torch.ones(3), torch.ones(()))
    with pytest.raises(IndexError):
        T.softmax(torch.ones(3), axis=1)


@pytest.mark.parametrize("name", ["gelu", "elu", "srelu", "bent_identity", "log_softmax", "swiglu"])
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compile(name: str, backend: str) -> None:
    """The whole graph, forward and backward, with and without gradients, at two shapes."""
    f = getattr(T, name)
    given = {} if name not in actc.elementwise else other(name)

    def model(x: Any, w: Any) -> Any:
        h = x @ w
        return f(*([h, h + 1] if name in actc.gates else [h]), **given).square().sum()

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
    module = T.PReLU(3)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    grads = []
    for m in (module, compiled):
        module.zero_grad()
        y = m(x)
        assert y.stride() == x.stride()
        y.square().sum().backward()
        grads.append((y.detach(), module.weight.grad.clone()))
    torch.testing.assert_close(*grads)


def test_operators_are_well_behaved() -> None:
    """torch's own check of an operator: schema, fake tensors, tracing."""
    from actc.interop import _torch_pass

    x, alpha = torch.randn(5), torch.tensor(0.5)
    for arrays, name, kind in (
        ([x, alpha], "elu", ""),
        ([x, x, alpha], "elu", "parameter_backward"),
        ([x, x, x, alpha], "swiglu", "backward"),
        ([torch.randn(3, 4, 5).moveaxis(0, -1), alpha], "softmax", ""),
        ([torch.randn(4, 5).T], "logsumexp", ""),
        ([torch.randn(4), torch.randn(4, 5)], "logsumexp", "backward"),
        ([torch.randn(4, 5)], "crelu", ""),
    ):
        torch.library.opcheck(_torch_pass._OPERATOR, (arrays, name, kind))


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
    for call in (lambda: T.snake(x, 1, 2), lambda: T.Snake(1, 2)):
        with pytest.raises(TypeError, match=r"at most 1 parameters \(alpha\)"):
            call()
    with pytest.raises(TypeError, match=r"'inplace' is none of its parameters \(alpha\)"):
        T.Snake(inplace=True)
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
