"""`actc apply`: a function over an .npy file that may be larger than memory.

The input is memory-mapped, a window at a time. The output is written in order, not
mapped: a full disk is then an error that can be reported, where a store into a mapping would kill the process.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from actc import _surface

CHUNK = 2**15  # elements: at most 512 KiB for input and output, and two orders of magnitude above the cost of a call
Array = np.ndarray[Any, Any]


class Refusal(Exception):
    """Why a file cannot be read or written."""


def passes(f: Any) -> dict[str, Any]:
    """The passes that make one array from one array."""
    found = {"forward": f} | {name: getattr(f, name) for name in _surface.PASSES}
    return {name: g for name, g in found.items() if g.nargs == f.nargs and g.nout == 1}


def reason(error: Exception) -> str:
    """One line, without the number and path that OSError prints."""
    text = (str(getattr(error, "strerror", None) or error) or type(error).__name__).splitlines()[0]
    return "shorter than its header says" if text.startswith("mmap length") else text


def apply(f: Any, source: str, target: str, parameters: Mapping[str, float], force: bool, bfloat16: bool) -> None:
    """Write f of the array in `source` to `target`, complete or not at all."""
    final = final_name(target, force)
    x = _load(source, bfloat16)
    dtype = _result_dtype(f, x, source)
    try:
        with _complete_or_absent(final) as out:
            _write_header(out, x, dtype)
            for chunk in _chunks(x):
                out.write(np.asarray(f(chunk, **parameters)).view(np.uint8).data)
            out.flush()
            os.fsync(out.fileno())  # some file systems report a full disk only now
    except OSError as error:
        raise Refusal(f"{target}: {reason(error)}") from None


def final_name(
    target: str, force: bool, replaceable: Callable[[Path], bool] = Path.is_file, what: str = "a regular file"
) -> Path:
    """Where the result goes, if it may."""
    final = Path(target)
    if os.path.lexists(final) and not force:
        raise Refusal(f"{target}: exists; --force replaces it")
    final = final.resolve()  # a link stays a link
    if final.exists() and not replaceable(final):
        raise Refusal(f"{target}: not {what}")
    return final


def _load(source: str, bfloat16: bool) -> np.memmap[Any, Any]:
    try:
        x: Any = np.load(source, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise Refusal(f"{source}: {_not_npy(source) or reason(error)}") from None
    if not isinstance(x, np.memmap):
        x.close()
        raise Refusal(f"{source}: an archive of several arrays (.npz), not an .npy file")
    if bfloat16:
        if x.dtype != np.dtype("V2"):
            raise Refusal(f"{source}: dtype {x.dtype}, which --bfloat16 does not apply to; it is for 2-byte void")
        try:
            from ml_dtypes import bfloat16 as scalar
        except ImportError:
            raise Refusal("--bfloat16 needs ml_dtypes: pip install 'actc[bf16]'") from None
        x = x.view(scalar)
    return x  # type: ignore[no-any-return]


def _not_npy(source: str) -> str | None:
    """np.load takes a file without its magic number for a pickle, and says so; the user wants to hear another thing."""
    try:
        with open(source, "rb") as file:
            start = file.read(6)
    except OSError:
        return None
    if start[:4] == b"PK\x03\x04" or start == b"\x93NUMPY":
        return None
    return "not an .npy file"


def _result_dtype(f: Any, x: Array, source: str) -> np.dtype[Any]:
    """What the ufunc itself says, so that the rule for integers is written once."""
    try:
        return np.asarray(f(np.empty(0, x.dtype))).dtype
    except TypeError:
        hint = "; if it is bfloat16, say --bfloat16" if x.dtype == np.dtype("V2") else ""
        valid = "supported are float16, bfloat16, float32, float64, bool and integers"
        raise Refusal(f"{source}: dtype {x.dtype} is not supported{hint}; {valid}") from None


def _write_header(out: IO[bytes], x: Array, dtype: np.dtype[Any]) -> None:
    fortran = x.flags.f_contiguous and not x.flags.c_contiguous
    descr = dtype.str if dtype.kind == "f" else f"|V{dtype.itemsize}"
    np.lib.format.write_array_header_1_0(out, {"descr": descr, "fortran_order": fortran, "shape": x.shape})


def _chunks(x: np.memmap[Any, Any]) -> Iterator[Array]:
    """The whole array in the order of the file."""
    progress, done = _Progress(x.size), 0
    for chunk in windows(x.filename or "", x.dtype, x.offset, 0, x.size):
        yield chunk
        done += chunk.size
        progress.show(done)
    progress.close()


def windows(path: str | Path, dtype: np.dtype[Any], offset: int, first: int, last: int) -> Iterator[Array]:
    """Runs of a file's elements, each in a mapping of its own: mapped as a whole, a file may become resident in pieces
    of several megabytes, whatever is given back afterwards."""
    with open(path, "rb") as file:
        for i in range(first, last, CHUNK):
            count = min(CHUNK, last - i)
            try:
                chunk = np.memmap(file, dtype, "r", offset + i * dtype.itemsize, count)
            except (OSError, ValueError) as error:  # it has become shorter meanwhile
                raise Refusal(f"{path}: {reason(error)}") from None
            yield chunk.view(np.ndarray)


@contextmanager
def _complete_or_absent(final: Path) -> Iterator[IO[bytes]]:
    """A new file beside `final` that takes its name when everything has been written, and vanishes otherwise."""
    temporary = final.with_name(f".{final.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as out:
            yield out
        if final.exists():
            shutil.copymode(final, temporary)
        os.replace(temporary, final)
    except BaseException:  # KeyboardInterrupt too
        temporary.unlink(missing_ok=True)
        raise


class _Progress:
    """A bar on stderr where that is a terminal, redrawn ten times a second."""

    def __init__(self, total: int) -> None:
        self.total, self.start, self.shown = max(total, 1), time.monotonic(), 0.0
        self.active = sys.stderr.isatty()

    def show(self, done: int) -> None:
        now = time.monotonic()
        if not self.active or (now - self.shown < 0.1 and done < self.total):
            return
        self.shown = now
        bar = "#" * (30 * done // self.total)
        rate = done / max(now - self.start, 1e-9) / 1e6
        sys.stderr.write(f"\r[{bar:30}] {100 * done // self.total:3}%  {rate:,.0f} million/s ")
        sys.stderr.flush()

    def close(self) -> None:
        if self.active and self.shown:
            sys.stderr.write("\n")
