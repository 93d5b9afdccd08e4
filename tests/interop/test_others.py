"""Pipelines and compilers: scikit-learn, numba; and editors."""

from __future__ import annotations

import ctypes
import re
from typing import Any

import numpy as np
import pytest
from conftest import same_bits
from tables import X, every_function, need, other, passes

import actc


@every_function
def test_scikit_learn(name: str) -> None:
    """In a pipeline, with parameters, cloned and pickled into another process."""
    preprocessing = need("sklearn.preprocessing")
    pipeline, base = need("sklearn.pipeline"), need("sklearn.base")
    f, x = passes(name, "")[""], X.reshape(8, 3)
    wanted = f(x, **other(name))
    step = preprocessing.FunctionTransformer(f, kw_args=other(name), check_inverse=False)
    made = pipeline.make_pipeline(step, preprocessing.FunctionTransformer(None))
    for given in (made, base.clone(made)):
        same_bits(given.fit_transform(x), wanted)
    frame = need("pandas").DataFrame(x, columns=list("abc"))
    if name != "apl":
        assert list(step.fit_transform(frame).columns) == list("abc")


def test_scikit_learn_in_processes() -> None:
    """What joblib sends to the processes of a grid search is found there by its name."""
    network, search = need("sklearn.neural_network"), need("sklearn.model_selection")
    pipeline, preprocessing = need("sklearn.pipeline"), need("sklearn.preprocessing")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3))
    y = (x.prod(1) > 0).astype(int)
    model = pipeline.make_pipeline(preprocessing.FunctionTransformer(), network.MLPClassifier(max_iter=5))
    grid = search.GridSearchCV(
        model, {"functiontransformer__func": [actc.gelu, actc.relu, actc.exact.tanh]}, n_jobs=2, cv=2
    )
    with pytest.warns(need("sklearn.exceptions").ConvergenceWarning):
        grid.fit(x, y)
    assert grid.best_params_["functiontransformer__func"] in (actc.gelu, actc.relu, actc.exact.tanh)


@every_function
def test_numba(name: str) -> None:
    """Compiled code does not know the ufunc, and calls the C function: at full speed, without the GIL."""
    numba = need("numba")
    if name == "apl":
        return
    ufunc = actc.functions[name]
    f = ctypes.CDLL(actc.get_library())[f"actc_{name}_f32"]
    count, given = len(ufunc.parameters), list(other(name).values())
    f.argtypes, f.restype = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_double] * count, None
    call = ", ".join(["x.ctypes", "y.ctypes", "x.size", *map(repr, given)])
    scope: dict[str, Any] = {"f": f}
    exec(f"def compiled(x, y):\n    f({call})\n    return y.sum()", scope)
    y = np.empty_like(X)
    numba.njit(nogil=True)(scope["compiled"])(X, y)
    same_bits(y, ufunc(X, *given))


def test_numba_refuses_ufuncs() -> None:
    numba = need("numba")
    with pytest.raises(numba.core.errors.NumbaError):
        numba.njit(lambda x: actc.gelu(x))(X)


# ---- editors ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shell() -> Any:
    made = need("IPython.core.interactiveshell").InteractiveShell.instance()
    made.run_cell("import actc")
    return made


def completions(shell: Any, text: str) -> list[str]:
    with need("IPython.core.completer").provisionalcompleter():
        return [c.text for c in shell.Completer.completions(text, len(text))]


@every_function
def test_ipython(shell: Any, name: str, capsys: Any) -> None:
    """Completion finds every function and pass; `f?` shows signature and text."""
    assert any(c.endswith(name) for c in completions(shell, f"actc.{name[:-1]}"))
    passes = {"derivative", "second_derivative", "backward", "value_and_derivative"}
    assert passes <= {c.rpartition(".")[2] for c in completions(shell, f"actc.{name}.")}
    shell.run_line_magic("pinfo", f"actc.{name}")
    text = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    f = actc.functions[name]
    assert "out=None" in text and f.formula.partition(" + sum")[0] in text  # apl's text has the sum in words
    for parameter, value in f.info["parameters"].items():
        assert f"{parameter}={value}" in text
