"""Arrays of other libraries, as NumPy's protocols bring them: dask, xarray, pandas, polars, masked, sparse, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import same_bits
from tables import G, X, every_function, every_row_function, need, of_one, other, other_of, passes

import actc

# ---- dask ------------------------------------------------------------------------------------------------------------


@every_function
def test_dask(name: str) -> None:
    """Lazy until computed, then the bits of one process; parameters by keyword, numbers and arrays."""
    da = need("dask.array")
    x, g = da.from_array(X, chunks=7), da.from_array(G, chunks=7)
    calls: list[Any] = [(f, (x,), {}) for f in of_one(name).values()]
    calls += [(passes(name, "backward")["backward"], (g, x), {})]
    if name != "apl":
        f = actc.functions[name]
        calls += [(f, (x,), other(name)), (f, (x, *[x] * len(f.parameters)), {})]
    for f, arrays, given in calls:
        lazy = f(*arrays, **given)
        assert isinstance(lazy, da.Array)
        assert lazy.dtype == np.float32
        same_bits(lazy.compute(scheduler="threads"), f(*(a.compute() for a in arrays), **given))


def test_dask_dtype() -> None:
    """dask converts the result, of NumPy's ufuncs too; to compute in another type convert x."""
    da = need("dask.array")
    x = da.from_array(X, chunks=7)
    same_bits(actc.gelu(x, dtype="f8").compute(), actc.gelu(X).astype("f8"))
    same_bits(actc.gelu(x.astype("f8")).compute(), actc.gelu(X, dtype="f8"))


@every_function
def test_dask_two_outputs(name: str) -> None:
    """dask knows only NumPy's own ufuncs of two outputs; apply_gufunc does it."""
    da = need("dask.array")
    x = da.from_array(X, chunks=7)
    f = passes(name, "value_and_derivative")["value_and_derivative"]
    if name != "apl":
        with pytest.raises(TypeError):
            f(x)
    for lazy, wanted in zip(da.apply_gufunc(f, "()->(),()", x), f(X), strict=True):
        assert isinstance(lazy, da.Array)
        same_bits(lazy.compute(), wanted)


@every_row_function
def test_dask_rows(name: str) -> None:
    da = need("dask.array")
    f, x = actc.row_functions[name], X.reshape(4, 6)
    if name == "crelu":  # (n)->(m), where dask cannot know m
        with pytest.raises(KeyError):
            f(da.from_array(x, chunks=(2, 6)))
        whole = da.from_array(x, chunks=(2, 6)).map_blocks(f, chunks=(2, 12))
        same_bits(whole.compute(), f(x))
        return
    lazy = f(da.from_array(x, chunks=(2, 6)))
    assert isinstance(lazy, da.Array)
    same_bits(lazy.compute(), f(x))
    with pytest.raises(ValueError, match="multiple chunks"):
        f(da.from_array(x, chunks=(2, 3))).compute()


# ---- xarray ----------------------------------------------------------------------------------------------------------


@every_function
def test_xarray(name: str) -> None:
    """Labels stay; so does laziness."""
    xr = need("dask.array", "xarray")
    if name == "apl":
        return
    a = xr.DataArray(X.reshape(4, 6), dims=("row", "column"), coords={"row": list("abcd")})
    for f in of_one(name).values():
        wanted = f(X.reshape(4, 6))
        for given in (a, a.chunk(row=2)):
            result = f(given)
            assert result.dims == a.dims
            assert list(result.row.values) == list("abcd")
            assert (result.chunks is None) == (given is a)
            same_bits(result.values, wanted)
        together = xr.Dataset({"one": a, "two": a + 1})
        for both in (f(together), f(together.chunk(row=2))):
            same_bits(both.one.values, wanted)
            same_bits(both.two.values, f(X.reshape(4, 6) + 1))
    value, slope = actc.functions[name].value_and_derivative(a)
    assert value.dims == slope.dims == a.dims


@every_row_function
def test_xarray_rows(name: str) -> None:
    xr = need("xarray")
    f, a = actc.row_functions[name], xr.DataArray(X.reshape(4, 6), dims=("row", "column"))
    with pytest.raises(NotImplementedError, match="apply_ufunc"):
        f(a)
    wanted = f(a.values)
    kept = [["column"]] if wanted.shape == a.shape else [["twice"]] if wanted.ndim == 2 else [[]]
    same_bits(xr.apply_ufunc(f, a, input_core_dims=[["column"]], output_core_dims=kept).values, wanted)


def test_xarray_apl() -> None:
    xr = need("xarray")
    a = xr.DataArray(X, dims="x")
    with pytest.raises(TypeError, match="NotImplemented"):
        actc.apl(a, [0.2], [0.0])
    same_bits(xr.apply_ufunc(actc.apl, a, kwargs=dict(a=[0.2], b=[0.0])).values, actc.apl(X, [0.2], [0.0]))


# ---- data frames -----------------------------------------------------------------------------------------------------


@every_function
@pytest.mark.parametrize("column", ["float32", "Float32", "float32[pyarrow]"])
def test_pandas(name: str, column: str) -> None:
    """Index, name, type and missing values stay."""
    pd = need("pyarrow", "pandas")
    values: list[Any] = X.tolist()
    if column != "float32":
        values[3] = None
    s = pd.Series(values, dtype=column, name="n", index=range(100, 124))
    for kind, f in of_one(name).items():
        if name == "apl" and column != "float32":
            break  # its hinges are an axis of their own, which only plain columns have
        result = f(s)
        assert (result.dtype, result.name) == (s.dtype, "n"), kind
        assert result.index.equals(s.index)
        assert list(result[result.isna()].index) == ([] if column == "float32" else [103])
        present = result.notna().to_numpy()
        same_bits(result[present].to_numpy(np.float32), f(X)[present])
    if name != "apl":
        same_bits(actc.functions[name](pd.DataFrame(X.reshape(4, 6))).to_numpy(), actc.functions[name](X.reshape(4, 6)))
        same_bits(pd.Series(X).apply(actc.functions[name]).to_numpy(), actc.functions[name](X))


def test_pandas_arrow_has_no_two_outputs() -> None:
    """A limit of pandas; to_numpy is the way."""
    pd = need("pyarrow", "pandas")
    s = pd.Series(X, dtype="float32[pyarrow]")
    with pytest.raises(AttributeError):
        actc.gelu.value_and_derivative(s)
    for a, b in zip(actc.gelu.value_and_derivative(s.to_numpy()), actc.gelu.value_and_derivative(X), strict=True):
        same_bits(a, b)


@every_function
def test_polars(name: str) -> None:
    """Columns, expressions eager and lazy; null stays null."""
    pl = need("polars")
    if name == "apl":
        with pytest.raises(TypeError, match="unsupported type"):
            passes(name, "")[""](pl.Series(X))
        return
    frame = pl.DataFrame({"x": X, "g": G})
    for f in of_one(name).values():
        same_bits(f(frame["x"]).to_numpy(), f(X))
        same_bits(frame.select(f(pl.col("x")).alias("y"))["y"].to_numpy(), f(X))
    f = actc.functions[name]
    lazy = frame.lazy().select(
        f.backward(pl.col("g"), pl.col("x")).alias("y"), f(pl.col("x"), **other(name)).alias("p")
    )
    same_bits(lazy.collect()["y"].to_numpy(), f.backward(G, X))
    same_bits(lazy.collect()["p"].to_numpy(), f(X, **other(name)))
    some = f(pl.Series([1.0, None, 2.0]))
    assert some.is_null().to_list() == [False, True, False]


def test_polars_limits() -> None:
    """It asks a ufunc for integers when given integers, and takes one output."""
    pl = need("polars")
    with pytest.raises(TypeError, match="did not contain a loop"):
        actc.gelu(pl.Series([1, 2]))
    same_bits(actc.gelu(pl.Series([1, 2]).cast(pl.Float64)).to_numpy(), actc.gelu(np.array([1.0, 2.0])))
    with pytest.raises(NotImplementedError, match="one 1D array"):
        actc.gelu.value_and_derivative(pl.Series(X))


# ---- NumPy's own, sparse, files --------------------------------------------------------------------------------------


@every_function
def test_masked(name: str) -> None:
    masked = np.ma.masked_array(X, mask=np.arange(24) % 3 == 0)
    if name == "apl":
        with pytest.raises(ValueError, match="broadcast"):
            passes(name, "derivative")["derivative"](masked)
        return
    for f in of_one(name).values():
        result = f(masked)
        np.testing.assert_array_equal(result.mask, masked.mask)
        same_bits(result.compressed(), f(X)[~masked.mask])
    first, second = passes(name, "value_and_derivative")["value_and_derivative"](masked)
    np.testing.assert_array_equal(first.mask, masked.mask)
    np.testing.assert_array_equal(second.mask, masked.mask)


def test_masked_rows_need_where() -> None:
    """A row function sums masked elements too; `where` leaves them out."""
    masked = np.ma.masked_array([1.0, 50.0, 2.0], mask=[False, True, False])
    assert np.ma.sum(actc.softmax(masked)) < 1e-10
    same_bits(actc.softmax(masked.data, where=~masked.mask)[[0, 2]], actc.softmax(np.array([1.0, 2.0])))


@every_function
def test_sparse(name: str) -> None:
    """The value at 0 becomes the fill value."""
    sparse = need("sparse")
    dense = np.where(X > 1, X, np.float32(0)).reshape(4, 6)
    for make in (sparse.COO.from_numpy, sparse.GCXS.from_numpy):
        if name == "apl":
            with pytest.raises(TypeError):
                passes(name, "")[""](make(dense))
            continue
        for f in of_one(name).values():
            result = f(make(dense))
            assert result.nnz <= (dense != 0).sum()
            same_bits(np.asarray(result.fill_value, np.float32), f(np.float32(0)))
            same_bits(result.todense(), f(dense))


@every_function
def test_memmap(name: str, tmp_path: Path) -> None:
    """Read from a mapped file and written to one."""
    np.save(tmp_path / "x.npy", X)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    out: Any = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float32, X.shape)
    for f in of_one(name).values():
        assert isinstance(f(x), np.ndarray)
        same_bits(f(x), f(X))
        f(x, out=out)
        out.flush()
        same_bits(np.load(tmp_path / "y.npy"), f(X))


@every_function
def test_zarr(name: str, tmp_path: Path) -> None:
    """A whole zarr array is read into memory; by way of dask it goes chunk by chunk."""
    zarr = need("dask.array", "zarr")
    da = need("dask.array")
    stored = zarr.create_array(tmp_path / "x.zarr", data=X, chunks=(7,))
    f = passes(name, "")[""]
    same_bits(f(stored), f(X))
    lazy = f(da.from_zarr(stored))
    assert isinstance(lazy, da.Array)
    same_bits(lazy.compute(), f(X))


# ---- what says no ----------------------------------------------------------------------------------------------------


@every_function
def test_pint(name: str) -> None:
    """pint takes the ufuncs whose names it knows, and calls NumPy's; others it refuses. Magnitudes are arrays."""
    pint = need("pint")
    x = X * pint.UnitRegistry().dimensionless
    f = passes(name, "")[""]
    if name in ("tanh", "arctan"):
        same_bits(f(x).m, getattr(np, name)(X))
    else:
        with pytest.raises(TypeError, match="NotImplemented"):
            f(x)
    same_bits(f(x.m_as("")), f(X))


@every_function
def test_scipy_sparse(name: str) -> None:
    """No protocol there: `f(a.data)` where f(0) = 0, or the package sparse."""
    sparse = need("scipy.sparse")
    with pytest.raises(TypeError):
        passes(name, "")[""](sparse.eye_array(3, format="csr"))


def test_names_that_cupy_would_take_for_its_own() -> None:
    """CuPy looks an elementwise ufunc up by its bare name, among its own and in its scipy.special: where a name is
    taken it has to mean the same."""
    special = need("scipy.special")
    for f in actc.elementwise.values():
        theirs = getattr(np, f.__name__, getattr(special, f.__name__, None))
        if theirs is not None:
            np.testing.assert_allclose(theirs(X), f(X), rtol=1e-5, atol=1e-7)


# ---- gates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", actc.gates)
def test_gates(name: str) -> None:
    """Of two arrays, as any ufunc: of dask, lazy too within xarray, pandas, polars, sparse, masked."""
    da, xr, pd, pl, sparse = need("dask.array"), need("xarray"), need("pandas"), need("polars"), need("sparse")
    f, given = actc.gates[name], other_of(actc.gates[name])
    wanted = f(X, G, **given)
    lazy = f(da.from_array(X, chunks=7), da.from_array(G, chunks=7), **given)
    assert isinstance(lazy, da.Array)
    same_bits(lazy.compute(), wanted)
    set_ = xr.Dataset({"x": ("i", X), "g": ("i", G)})
    for of in (set_, set_.chunk(i=5)):
        result = f(of.x, of.g, **given)
        assert (result.chunks is None) == (of is set_)
        same_bits(result.values, wanted)
    frame = pd.DataFrame({"x": X, "g": G}, index=range(100, 124))
    assert f(frame.x, frame.g, **given).index.equals(frame.index)
    same_bits(f(frame.x, frame.g, **given).to_numpy(), wanted)
    columns = pl.DataFrame({"x": X, "g": G}).lazy()
    same_bits(columns.select(f(pl.col("x"), pl.col("g"), **given)).collect().to_series().to_numpy(), wanted)
    same_bits(f(sparse.COO.from_numpy(X), sparse.COO.from_numpy(G), **given).todense(), wanted)
    masked = np.ma.masked_array(X, mask=np.arange(24) % 3 == 0)
    same_bits(f(masked, G, **given).compressed(), wanted[~masked.mask])
    with pytest.raises(TypeError):  # two outputs, as of the elementwise functions
        f.backward(da.from_array(G, chunks=7), da.from_array(X, chunks=7), da.from_array(G, chunks=7))
