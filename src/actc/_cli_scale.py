"""`actc apply --dask`: blocks of an array on the workers of dask.distributed.

Workers read and write the files themselves, a window at a time, so that they need no memory to speak of; what travels
is where a block begins and ends. A block may be done twice with the same result, so one whose worker died is simply
given to another.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import logging
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from actc import _cli_apply
from actc._cli_apply import Refusal, reason
from actc._version import __version__

BLOCK = 2**24  # elements of an .npy file: tens of milliseconds, so that a task's own cost does not count
PATIENCE = 10.0  # seconds in which a scheduler, and any worker of it, has to answer


class Job(NamedTuple):
    """What was asked for."""

    f: Any
    source: str
    target: str
    parameters: Mapping[str, float]
    force: bool
    bfloat16: bool


class Work(NamedTuple):
    """What there is to do: `task(block)` on a worker, which returns how many elements it did."""

    task: Callable[[Any], int]
    blocks: list[Any]
    total: int


def apply(*job: Any, scheduler: str | None = None, workers: int | None = None) -> None:
    """Write f of the array in `source` to `target`, complete or not at all: .npy to .npy, or zarr to zarr."""
    wanted = Job(*job)
    zarr = os.path.isdir(wanted.source)
    if Path(wanted.target).suffix == (".npy" if zarr else ".zarr"):
        raise Refusal(
            f"{wanted.target}: the result of {wanted.source} is {'a zarr array' if zarr else 'an .npy file'} too"
        )
    prepare = _zarr if zarr else _npy
    try:
        with prepare(wanted) as work, _client(scheduler, workers) as client:
            _run(client, work)
    except OSError as error:
        raise Refusal(f"{wanted.target}: {reason(error)}") from None


# ---- .npy ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _npy(job: Job) -> Iterator[Work]:
    final = _cli_apply.final_name(job.target, job.force)
    x = _cli_apply._load(job.source, job.bfloat16)
    dtype = _cli_apply._result_dtype(job.f, x, job.source)
    with _cli_apply._complete_or_absent(final) as out:
        _cli_apply._write_header(out, x, dtype)
        start, size = out.tell(), x.size * dtype.itemsize
        out.truncate(start + size)
        if shutil.disk_usage(final.parent).free < size:  # now, and not after hours
            raise Refusal(f"{job.target}: No space left on device for {size:,} bytes")
        source = Path(job.source).resolve(), x.dtype, x.offset
        task = functools.partial(_npy_block, job.f, job.parameters, source, (Path(out.name), start, dtype.itemsize))
        yield Work(task, [(i, min(i + BLOCK, x.size)) for i in range(0, x.size, BLOCK)], x.size)


def _npy_block(f: Any, parameters: Any, source: tuple[Path, Any, int], target: Any, block: tuple[int, int]) -> int:
    path, start, itemsize = target
    first, last = block
    with open(path, "r+b") as out:
        out.seek(start + first * itemsize)
        for chunk in _cli_apply.windows(*source, first, last):
            out.write(np.asarray(f(chunk, **parameters)).view(np.uint8).data)
        out.flush()
        os.fsync(out.fileno())  # some file systems report a full disk only now
    return last - first


# ---- zarr ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _zarr(job: Job) -> Iterator[Work]:
    """Block by block of what zarr writes at once: a chunk, or a shard where there are shards."""
    try:
        import zarr
    except ImportError:
        raise Refusal("a zarr array needs zarr: pip install 'actc[dask]'") from None
    what = "a zarr array"
    final = _cli_apply.final_name(job.target, job.force, lambda path: _opened(path) is not None, what)
    x, source = _opened(Path(job.source)), str(Path(job.source).resolve())
    if x is None:
        raise Refusal(f"{job.source}: not {what}")
    if final != Path(source) and (final.is_relative_to(source) or Path(source).is_relative_to(final)):
        raise Refusal(f"{job.target}: one of it and {job.source} would lie within the other")
    if job.bfloat16:
        raise Refusal("--bfloat16 is for .npy files")
    dtype = _cli_apply._result_dtype(job.f, np.empty(0, x.dtype), job.source)
    with _folder(final) as folder:
        zarr.create_array(
            folder, shape=x.shape, dtype=dtype, chunks=x.chunks, shards=x.shards, compressors=x.compressors,
            attributes=dict(x.attrs), zarr_format=x.metadata.zarr_format,
            dimension_names=getattr(x.metadata, "dimension_names", None),
        )  # fmt: skip
        steps = x.shards or x.chunks
        ranges = [[slice(i, min(i + s, n)) for i in range(0, n, s)] for n, s in zip(x.shape, steps, strict=True)]
        task = functools.partial(_zarr_block, job.f, job.parameters, source, str(folder))
        yield Work(task, list(itertools.product(*ranges)), x.size)


def _opened(path: Path) -> Any:
    """The array there, or None: a group, or any other directory, is not ours to replace."""
    import zarr

    try:
        return zarr.open_array(str(path), mode="r")
    except Exception:  # of several packages, in every version others
        return None


def _zarr_block(f: Any, parameters: Any, source: str, target: str, block: tuple[slice, ...]) -> int:
    import zarr

    try:
        x: Any = zarr.open_array(source, mode="r")[block]
    except Exception as error:  # a chunk that is cut off, of any of its codecs
        where = ", ".join(f"{s.start}:{s.stop}" for s in block)
        raise Refusal(f"{source}: [{where}] cannot be read: {reason(error)}") from None
    zarr.open_array(target, mode="r+")[block] = f(x, **parameters)
    return int(np.size(x))


@contextlib.contextmanager
def _folder(final: Path) -> Iterator[Path]:
    """As `_complete_or_absent`, for a directory: the old one steps aside for the new one."""
    mark = secrets.token_hex(4)
    new, old = (final.with_name(f".{final.name}.{mark}.{kind}") for kind in ("tmp", "old"))
    try:
        new.mkdir()
        yield new
        if final.exists():
            final.rename(old)
        new.rename(final)
    except BaseException:
        if old.exists() and not final.exists():
            old.rename(final)
        raise
    finally:
        for path in (new, old):
            shutil.rmtree(path, ignore_errors=True)


# ---- on the cluster --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _client(scheduler: str | None, workers: int | None) -> Iterator[Any]:
    """A client of the scheduler, or of a cluster of processes on this machine."""
    try:
        import distributed
    except ImportError:
        raise Refusal("--dask needs dask.distributed: pip install 'actc[dask]'") from None

    class Deaf(distributed.WorkerPlugin):  # type: ignore[misc]
        """Ctrl-C goes to every process of a terminal, and only this one's part is to answer it."""

        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is told in one line of our own
    if scheduler is None:
        with (
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            client.register_plugin(Deaf())
            yield client
        return
    try:
        asyncio.run(asyncio.wait_for(_greet(scheduler), PATIENCE))
        client = distributed.Client(scheduler, timeout=PATIENCE)
    except TimeoutError:
        raise Refusal(f"the scheduler at {scheduler} does not answer: nothing came in {PATIENCE:g} seconds") from None
    except (OSError, ValueError, TypeError) as error:
        raise Refusal(f"the scheduler at {scheduler} does not answer: {reason(error)}") from None
    with client:
        yield client


async def _greet(scheduler: str) -> None:
    """Connect once, for a Client's timeout does not cover a peer that takes the connection and then says nothing."""
    from distributed import Security
    from distributed.comm import connect

    comm = await connect(scheduler, timeout=PATIENCE, **Security().get_connection_args("client"))
    await comm.close()


def _run(client: Any, work: Work) -> None:
    """All blocks, in any order; when one fails, or somebody interrupts, no worker goes on writing."""
    import distributed

    address = client.scheduler.address
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise Refusal(f"the scheduler at {address} has no workers") from None
    _ask_workers(client, address)
    progress, done, heard = _cli_apply._Progress(work.total), 0, time.monotonic()
    futures = client.map(work.task, work.blocks, pure=False)
    # With results: to ask here for one that was lost with the last worker would be to wait forever
    ready = distributed.as_completed(futures, with_results=True)
    try:
        while not ready.is_empty():
            for _, result in ready.next_batch(block=False):
                done += _number(result, address)
                progress.show(done)
            time.sleep(0.01)
            if time.monotonic() - heard > 1 and _has_workers(client, address):
                heard = time.monotonic()
            if time.monotonic() - heard > PATIENCE:
                raise Refusal(f"the scheduler at {address} has no workers any more")
    finally:
        progress.close()
        _stop(client, futures)


def _version() -> str:
    return __version__


def _ask_workers(client: Any, address: str) -> None:
    """Whether they have this very actc: a worker that gets a block and cannot import actc does not refuse it, it dies,
    and so do all others in turn; and one that has another version may give other bits."""
    try:
        found = client.sync(client.run, _version, on_error="return", callback_timeout=3 * PATIENCE)  # to import it
    except OSError:
        raise Refusal(f"not all workers of the scheduler at {address} answer") from None
    for worker, version in found.items():
        if isinstance(version, Exception):
            raise Refusal(f"the worker at {worker} cannot use actc: {reason(version)}")
        if version != __version__:
            raise Refusal(f"the worker at {worker} has actc {version}, and here it is {__version__}")


def _has_workers(client: Any, address: str) -> bool:
    try:
        return bool(client.nthreads(callback_timeout=PATIENCE))
    except OSError:  # TimeoutError is one
        raise Refusal(f"the scheduler at {address} was lost") from None


def _number(result: Any, address: str) -> int:
    """What a task returned, or the error that distributed gives in its place, in the user's words."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    match result[1] if isinstance(result, tuple) else result:
        case int(number):
            return number
        case OSError() | Refusal() as error:
            raise error
        case KilledWorker():
            raise Refusal("a block was given up, for several workers in turn died over it")
        case FutureCancelledError():
            raise Refusal(f"the scheduler at {address} was lost")
        case error:
            raise Refusal(f"a worker failed: {type(error).__name__}: {reason(error)}")


def _is_busy(dask_worker: Any) -> bool:
    """Whether a thread of the worker is at something, be it cancelled."""
    return bool(dask_worker.state.executing)


def _stop(client: Any, futures: list[Any]) -> None:
    """Until no worker is at work on what is left. They are asked themselves: the scheduler forgets what is cancelled
    while a worker may be about to write a block of it."""
    with contextlib.suppress(Exception):  # of a scheduler that is no longer there
        client.nthreads(callback_timeout=PATIENCE)  # the calls below would wait forever for one that hangs
        client.cancel([f for f in futures if not f.done()], force=True)
        limit = time.monotonic() + PATIENCE
        while True in client.run(_is_busy, on_error="return").values() and time.monotonic() < limit:
            time.sleep(0.02)
