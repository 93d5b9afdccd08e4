"""actc inside JAX: every function of the C table as a target of XLA's foreign function interface.

    load()                              # compiles jax_ffi.cc once; needs a C++17 compiler
    y = activation(x, "elu", 0.5)       # jit, vmap, grad, jvp and grad of grad

On the CPU only. f, f' and f'' are the library's; XLA multiplies the tangents.
"""

from __future__ import annotations

import ctypes
import functools
import subprocess
import tempfile
from pathlib import Path

import jax
import numpy as np

import actc

PASSES = (0, 1, 5)  # f, f', f'' in enum actc_pass


@functools.cache
def load(directory: str | None = None) -> None:
    """Compile and register the target; the compiled file stays in `directory` (default: a new temporary one)."""
    path = Path(directory or tempfile.mkdtemp()) / "jax_ffi.so"
    lib = Path(actc.get_library()).parent
    command = ["c++", "-std=c++17", "-O2", "-shared", "-fPIC", str(Path(__file__).with_name("jax_ffi.cc"))]
    command += [f"-I{jax.ffi.include_dir()}", f"-I{actc.get_include()}", f"-L{lib}", "-lactc", f"-Wl,-rpath,{lib}"]
    subprocess.run([*command, "-o", str(path)], check=True)
    target = jax.ffi.pycapsule(ctypes.CDLL(str(path)).actc_jax_apply)
    jax.ffi.register_ffi_target("actc_apply", target, platform="cpu")


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3))
def derivative(x: jax.Array, order: int, name: str, parameters: tuple[float, ...]) -> jax.Array:
    """The derivative of the given order, 0 to 2, of a function of the table."""
    call = jax.ffi.ffi_call("actc_apply", jax.ShapeDtypeStruct(x.shape, x.dtype), vmap_method="broadcast_all")
    return call(x, name=name, **{"pass": np.int64(PASSES[order])}, parameters=np.array(parameters, np.float64))


@derivative.defjvp
def _(order, name, parameters, primals, tangents):
    if order == 2:
        raise NotImplementedError("actc has two derivatives")
    (x,), (t,) = primals, tangents
    return derivative(x, order, name, parameters), t * derivative(x, order + 1, name, parameters)


def activation(x: jax.Array, name: str, *parameters: float) -> jax.Array:
    """f(x), f being any function of the table, at the given or, without any, the default parameters."""
    return derivative(x, 0, name, parameters)
