"""actc with other libraries.

The functions are ufuncs, so most libraries need nothing: dask, xarray, pandas, polars, sparse, masked arrays and memory
maps hand them their arrays and give back arrays of their own kind, with the bits that NumPy gets; dask.distributed,
ray, joblib and multiprocessing send them by name.

Differentiable functions are here, with actc's names, parameters and defaults: one for each of `actc.elementwise`, of
`actc.gates` (of two arrays, a and b) and, but for maxout, of `actc.row_functions` (with `axis=-1`).

`actc.interop.torch`
    Functions of CPU tensors, and an `nn.Module` for each. Those that torch.nn has are torch's own classes, so that
    arguments, attributes, `state_dict` and `isinstance` stay: `LeakyReLU(0.1)`, `PReLU(8)`, `Softmax(dim=1)`, `GLU()`,
    `RReLU()`, which draws in training. `inplace` is accepted, and the result a new tensor; Softplus has no use for
    its `threshold`; `Softmax` wants its `dim`. The others are `BentIdentity`, `Swish(beta=nn.Parameter(...))` and the
    like: a parameter given as a tensor is differentiated, one given as an `nn.Parameter` learnt. torch.compile takes
    them whole, `torch.func.grad` too, `torch.vmap` does not. bfloat16 needs ml_dtypes.
`actc.interop.jax`
    Functions of JAX arrays by `pure_callback`, with `custom_vjp`: under jit, grad and vmap, on the CPU. No forward mode
    (`jvp`, `jacfwd`, `hessian`). A parameter that is a number keeps the precision of a double; one that passes through
    `jax.jit` has JAX's.
`actc.interop.autograd`
    Functions for HIPS autograd: reverse mode, and forward mode of elementwise functions.

All are twice differentiable in their arrays, once in parameters; entmax15, standardize, crelu and swiglu_oai once, and
not in swiglu_oai's or the rows' parameters, which are numbers. Where actc has no derivative left they raise
NotImplementedError. `from actc.interop import torch as activations` imports the library; `import actc` and this package
do not. maxout is `x.unflatten(-1, (-1, pieces)).amax(-1)` there, and apl a sum of `relu`.

What does not work by itself, and the line that does it:

=====================================  =================================================================================
two outputs on dask                    `da.apply_gufunc(f.value_and_derivative, "()->(),()", x)`
`dtype=` on dask                       converts the result, as for NumPy's ufuncs; `f(x.astype("f8"))` computes in it
crelu on dask                          `x.map_blocks(actc.crelu, chunks=...)`
maxout, packed, rrelu,                 give plain arrays, computed at once: `x.map_blocks(...)`, or `apply_ufunc` in
parameter_backward on dask, xarray     xarray
row functions on xarray                `xr.apply_ufunc(actc.softmax, a, input_core_dims=[["c"]],
                                       output_core_dims=[["c"]])`
apl on xarray, polars, sparse          `xr.apply_ufunc(actc.apl, x, kwargs=dict(a=a, b=b))`; `apl(s.to_numpy(), a, b)`
row functions of masked arrays         sum masked elements too: `actc.softmax(m.data, where=~m.mask)`
two outputs on pandas' arrow columns   `f.value_and_derivative(s.to_numpy())`, likewise on polars
polars columns of integers             `f(s.cast(pl.Float64))`
scipy.sparse                           f(0) = 0: `f(a.data)`; or the package sparse
pint                                   `f(q.m_as(""))`; tanh and arctan are replaced by NumPy's
torch tensors as such                  `f(t)` gives a tensor (NumPy warns); not bfloat16, not where they require grad
JAX arrays as such                     `f(a)` gives a NumPy array; not under jit
numba                                  `ctypes.CDLL(actc.get_library()).actc_gelu_f64(x.ctypes, y.ctypes, x.size)`
CuPy                                   no GPU: `f(a.get())`
exporters of DLPack alone              `f(np.from_dlpack(a))`
=====================================  =================================================================================
"""
