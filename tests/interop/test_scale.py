"""`actc apply --dask`: the bits of one process, whatever happens to workers; and all that it refuses."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tables import X, need
from test_cli import ARRAYS, CURVED, ENVIRONMENT, PARAMETER, TUNABLE, VALUES, refused, run
from test_cli import array as array
from test_cli import call as call

import actc
from actc import _cli_apply, _cli_scale

distributed: Any = need("dask", "distributed")
zarr: Any = need("zarr")
pytestmark = [
    pytest.mark.filterwarnings("default"),  # of sockets that a killed process leaves
    pytest.mark.skipif(sys.platform == "win32", reason="kills and limits processes as Unix does"),
]


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0") as made:
        yield made


@pytest.fixture(scope="module")
def shared() -> Iterator[Any]:
    """Two workers for all tests that do them no harm."""
    with cluster(2) as made:
        yield made


@pytest.fixture
def scale(call: Any, shared: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`actc apply --dask` there, in blocks of 1000."""
    monkeypatch.setattr(_cli_scale, "BLOCK", 1000)
    return lambda *argv: call("apply", *argv, "--dask", "--scheduler", shared.scheduler_address)


def pids(made: Any) -> list[int]:
    with distributed.Client(made, set_as_default=False) as client:
        return sorted(client.run(os.getpid).values())


# ---- what it computes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ARRAYS)
def test_the_files_are_those_of_one_process(scale: Any, call: Any, array: Any, tmp_path: Path, case: str) -> None:
    source = array(ARRAYS[case])
    assert call("apply", CURVED, source, tmp_path / "one.npy") == (0, "", "")
    assert scale(CURVED, source, tmp_path / "many.npy") == (0, "", "")
    assert (tmp_path / "many.npy").read_bytes() == (tmp_path / "one.npy").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "many.npy", "one.npy"]


@pytest.mark.parametrize("name", actc.elementwise)
def test_every_function(scale: Any, array: Any, tmp_path: Path, name: str) -> None:
    x = VALUES[:5000].astype(np.float32)
    assert scale(name, array(x), tmp_path / "y.npy") == (0, "", "")
    np.testing.assert_array_equal(
        np.load(tmp_path / "y.npy").view(np.uint32), actc.elementwise[name](x).view(np.uint32)
    )


def test_options(scale: Any, array: Any, tmp_path: Path) -> None:
    x, target = VALUES[:5000].astype(np.float32), tmp_path / "out.npy"
    source = array(x)
    for tier, more in ((actc, []), (actc.exact, ["--exact"])):
        f = tier.elementwise[TUNABLE]
        for which, g in (("forward", f), ("derivative", f.derivative)):
            argv = [TUNABLE, source, target, "--force", "--param", f"{PARAMETER}=0.375", "--pass", which]
            assert scale(*argv, *more) == (0, "", "")
            np.testing.assert_array_equal(np.load(target), g(x, **{PARAMETER: 0.375}))


def test_bfloat16(scale: Any, array: Any, tmp_path: Path) -> None:
    bfloat16 = need("ml_dtypes").bfloat16
    x = VALUES[:5000].astype(bfloat16)
    assert scale(CURVED, array(x), tmp_path / "y.npy", "--bfloat16") == (0, "", "")
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy").view(bfloat16), actc.elementwise[CURVED](x))


def test_in_place(scale: Any, array: Any) -> None:
    path = array(VALUES)
    assert scale(CURVED, path, path, "--force")[0] == 0
    np.testing.assert_array_equal(np.load(path), actc.elementwise[CURVED](VALUES))


ZARRS: dict[str, tuple[Any, dict[str, Any]]] = {
    "2-d": (VALUES[:30_000].reshape(150, 200).astype("f4"), dict(chunks=(40, 70))),
    "shards": (VALUES[:30_000].reshape(150, 200), dict(chunks=(20, 50), shards=(40, 100))),
    "0-d": (np.array(1.5, np.float32), {}),
    "empty": (np.zeros((0, 3), np.float16), dict(chunks=(2, 2))),
    "bool": (VALUES[:100] > 0, dict(chunks=(7,))),
    "int64": ((VALUES[:1000] * 9).astype(np.int64), dict(chunks=(99,))),
    "format 2": (VALUES[:1000].astype("f4"), dict(chunks=(99,), zarr_format=2)),
    "uncompressed": (VALUES[:1000].astype("f4"), dict(chunks=(99,), compressors=None)),
}


@pytest.mark.parametrize("case", ZARRS)
def test_zarr(scale: Any, tmp_path: Path, case: str) -> None:
    """Chunks, shards and attributes stay."""
    x, options = ZARRS[case]
    given = zarr.create_array(tmp_path / "x.zarr", data=x, attributes={"unit": "m"}, **options)
    assert scale(CURVED, tmp_path / "x.zarr", tmp_path / "y.zarr") == (0, "", "")
    y, wanted = zarr.open_array(tmp_path / "y.zarr", mode="r"), np.asarray(actc.elementwise[CURVED](x))
    assert (y.dtype, y.shape, y.chunks, y.shards) == (wanted.dtype, x.shape, given.chunks, given.shards)
    assert y.attrs["unit"] == "m" and y.metadata.zarr_format == given.metadata.zarr_format
    np.testing.assert_array_equal(y[...], wanted)
    assert sorted(os.listdir(tmp_path)) == ["x.zarr", "y.zarr"]


def test_zarr_of_which_chunks_are_missing(scale: Any, tmp_path: Path) -> None:
    """What was never written has the fill value, and f of it is not always 0."""
    given = zarr.create_array(tmp_path / "x.zarr", shape=(100,), chunks=(10,), dtype="f4", fill_value=3.0)
    given[5] = -1
    assert scale("sigmoid", tmp_path / "x.zarr", tmp_path / "y.zarr")[0] == 0
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "y.zarr", mode="r")[:], actc.sigmoid(given[:]))


def test_zarr_of_which_a_chunk_is_cut_off(scale: Any, tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "x.zarr", data=VALUES[:100], chunks=(10,))
    (tmp_path / "x.zarr" / "c" / "3").write_bytes(b"no")
    assert refused(scale(CURVED, tmp_path / "x.zarr", tmp_path / "y.zarr"), "x.zarr: [30:40] cannot be read: ")
    assert os.listdir(tmp_path) == ["x.zarr"]


def test_zarr_within_zarr(scale: Any, tmp_path: Path) -> None:
    """Replaced or not: the one would go with the other."""
    outer, inner = tmp_path / "x.zarr", tmp_path / "x.zarr" / "y.zarr"
    zarr.create_array(outer, data=VALUES[:100])
    assert refused(scale(CURVED, outer, inner), "within the other")
    zarr.create_array(inner, data=VALUES[:100])
    assert refused(scale(CURVED, inner, outer, "--force"), "within the other")
    np.testing.assert_array_equal(zarr.open_array(inner, mode="r")[:], VALUES[:100])


def test_zarr_in_place(scale: Any, tmp_path: Path) -> None:
    x = VALUES[:1000]
    zarr.create_array(tmp_path / "x.zarr", data=x, chunks=(100,))
    assert refused(scale(CURVED, tmp_path / "x.zarr", tmp_path / "x.zarr"), "x.zarr", "--force")
    assert scale(CURVED, tmp_path / "x.zarr", tmp_path / "x.zarr", "--force")[0] == 0
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "x.zarr", mode="r")[:], actc.elementwise[CURVED](x))
    assert os.listdir(tmp_path) == ["x.zarr"]


def test_processes_of_its_own(array: Any, tmp_path: Path) -> None:
    """From a shell, with nothing but --dask."""
    done = run("apply", CURVED, array(VALUES), tmp_path / "y.npy", "--dask", "--workers", 2)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), actc.elementwise[CURVED](VALUES))


# ---- memory and progress -----------------------------------------------------------------------------------------


def peak() -> int:
    """Resident memory of this process at its largest, in bytes."""
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the peak of resident memory from /proc")
def test_workers_need_no_memory(call: Any, tmp_path: Path) -> None:
    """400 MB of .npy in 8 MiB; of zarr a few chunks."""
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "f4", (100_000_000,))[::1000] = 1
    np.save(tmp_path / "small.npy", X)
    zarr.create_array(tmp_path / "small.zarr", data=X)
    large = zarr.create_array(tmp_path / "x.zarr", shape=(50, 1_000_000), chunks=(1, 1_000_000), dtype="f4")
    large[:] = 1.0
    with cluster(2) as made, distributed.Client(made) as client:
        for small, big, bound in (("small.npy", "x.npy", 8 * 2**20), ("small.zarr", "x.zarr", 16 * 4_000_000)):
            to = ["--dask", "--scheduler", made.scheduler_address, "--force"]
            out = tmp_path / f"out{Path(big).suffix}"
            for _ in range(4):  # until both workers have had one
                assert call("apply", CURVED, tmp_path / small, out, *to)[0] == 0
            before = client.run(peak)
            assert call("apply", CURVED, tmp_path / big, out, *to)[0] == 0
            after = client.run(peak)
            assert max(after[w] - before[w] for w in after) < bound
    for path in tmp_path.glob("*.npy"):
        path.unlink()


def test_progress_only_on_a_terminal(scale: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = array(VALUES)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, _, err = scale(CURVED, source, tmp_path / "b.npy")
    assert "100%" in err and err.endswith("\n")


# ---- workers that die --------------------------------------------------------------------------------------------


def during(monkeypatch: pytest.MonkeyPatch, act: Any) -> list[int]:
    """Call `act` when the first block is done; how much was done is recorded."""
    seen: list[int] = []

    def show(self: Any, done: int) -> None:
        seen.append(done)
        if len(seen) == 1:
            act()

    monkeypatch.setattr(_cli_apply._Progress, "show", show)
    return seen


@pytest.mark.parametrize("suffix", ["npy", "zarr"])
def test_a_killed_worker_loses_nothing(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    x = np.resize(VALUES.astype("f4"), 20_000_000)
    if suffix == "npy":
        np.save(tmp_path / "x.npy", x)
    else:
        zarr.create_array(tmp_path / "x.zarr", data=x, chunks=(500_000,))
    monkeypatch.setattr(_cli_scale, "BLOCK", 500_000)
    with cluster(2) as made:
        before = pids(made)
        seen = during(monkeypatch, lambda: os.kill(before[0], signal.SIGKILL))
        source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
        to = ["--dask", "--scheduler", made.scheduler_address]
        assert call("apply", CURVED, source, target, *to) == (0, "", "")
        assert seen[0] < x.size and seen[-1] == x.size
        assert before[0] not in pids(made)
    y = np.load(target, mmap_mode="r") if suffix == "npy" else zarr.open_array(target, mode="r")[:]
    assert np.array_equal(y, actc.elementwise[CURVED](x))
    assert sorted(os.listdir(tmp_path)) == [f"x.{suffix}", f"y.{suffix}"]


def deadly(x: Any, **parameters: Any) -> Any:
    """A function that no worker survives; asked for a dtype, this process does."""
    return x if x.size == 0 else os._exit(1)


def test_a_block_that_kills_every_worker(array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster(2) as made:
        made.scheduler.allowed_failures = 1
        with pytest.raises(_cli_apply.Refusal, match="several workers in turn died over it"):
            _cli_scale.apply(
                deadly, str(array(VALUES)), str(tmp_path / "y.npy"), {}, False, False, scheduler=made.scheduler_address
            )
    assert os.listdir(tmp_path) == ["in.npy"]


def answer(version: Any) -> Any:
    if isinstance(version, Exception):
        raise version
    return version


def picky(x: Any, **parameters: Any) -> Any:
    """A function that fails without a word."""
    if x.size:
        raise MemoryError
    return x


def test_a_task_that_fails(shared: Any, array: Any, tmp_path: Path) -> None:
    job = picky, str(array(VALUES)), str(tmp_path / "y.npy"), {}, False, False
    with pytest.raises(_cli_apply.Refusal, match="a worker failed: MemoryError: MemoryError"):
        _cli_scale.apply(*job, scheduler=shared.scheduler_address)
    assert os.listdir(tmp_path) == ["in.npy"]


@pytest.mark.parametrize("version", [ModuleNotFoundError("No module named 'actc'"), "0.0"], ids=["none", "other"])
def test_workers_without_this_actc(
    scale: Any, shared: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: Any
) -> None:
    """They are asked, not killed: a task that a worker cannot unpickle is its end."""
    monkeypatch.setattr(_cli_scale, "_version", functools.partial(answer, version))
    before = pids(shared)
    assert refused(scale(CURVED, array(VALUES), tmp_path / "y.npy"), "the worker at tcp://", str(version))
    assert pids(shared) == before and os.listdir(tmp_path) == ["in.npy"]


def test_all_workers_leave(call: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cli_scale, "PATIENCE", 2.0)
    monkeypatch.setattr(_cli_scale, "BLOCK", 10)
    with cluster(1) as made:
        during(monkeypatch, lambda: made.scale(0))
        to = ["--dask", "--scheduler", made.scheduler_address]
        assert refused(call("apply", CURVED, array(VALUES), tmp_path / "y.npy", *to), "no workers any more")
    assert os.listdir(tmp_path) == ["in.npy"]


# ---- schedulers --------------------------------------------------------------------------------------------------


def test_schedulers_that_do_not_answer(call: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cli_scale, "PATIENCE", 1.0)
    source = array(VALUES)
    with socket.socket() as silent, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        closed.bind(("127.0.0.1", 0))
        ports = [s.getsockname()[1] for s in (silent, closed)]
        for address in (*(f"tcp://127.0.0.1:{p}" for p in ports), "nonsense", "ftp://127.0.0.1:1"):
            start = time.monotonic()
            result = call("apply", CURVED, source, tmp_path / "y.npy", "--dask", "--scheduler", address)
            assert refused(result, f"the scheduler at {address} does not answer")
            assert "TimeoutError" not in result[2]
            assert time.monotonic() - start < 10
    assert os.listdir(tmp_path) == ["in.npy"]


def test_a_scheduler_without_workers(call: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cli_scale, "PATIENCE", 1.0)
    with cluster(0) as made:
        to = ["--dask", "--scheduler", made.scheduler_address]
        assert refused(call("apply", CURVED, array(VALUES), tmp_path / "y.npy", *to), "has no workers")
    assert os.listdir(tmp_path) == ["in.npy"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_a_scheduler_that_is_lost(
    call: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setattr(_cli_scale, "PATIENCE", 2.0)
    monkeypatch.setattr(_cli_scale, "BLOCK", 10)
    start = "from distributed.cli.dask_{0} import main; main()"
    options = ["--no-dashboard", "--scheduler-file", str(tmp_path / "address")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", start.format(what), *options, *more],
            env=ENVIRONMENT, cwd="/", stderr=subprocess.DEVNULL,
        )
        for what, more in (("scheduler", ["--host", "127.0.0.1", "--port", "0"]), ("worker", ["--no-nanny"]))
    ]  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "address").exists() or not (tmp_path / "address").read_text().endswith("}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with distributed.Client(scheduler_file=str(tmp_path / "address")) as client:
            client.wait_for_workers(1, timeout=30)
            address = client.scheduler.address
        during(monkeypatch, lambda: processes[0].send_signal(how))
        result = call("apply", CURVED, array(VALUES), tmp_path / "y.npy", "--dask", "--scheduler", address)
        assert refused(result, f"the scheduler at {address} was lost")
        assert sorted(os.listdir(tmp_path)) == ["address", "in.npy"]
    finally:
        for p in processes:
            p.kill()
            p.wait()


# ---- files -------------------------------------------------------------------------------------------------------


def limit(size: int) -> None:
    """As a full disk, on a worker."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.parametrize("suffix", ["npy", "zarr"])
def test_full_disk(scale: Any, shared: Any, array: Any, tmp_path: Path, suffix: str) -> None:
    source = array(VALUES)
    if suffix == "zarr":
        source = tmp_path / "in.zarr"
        zarr.create_array(source, data=VALUES, chunks=(10_000,))
    before = sorted(os.listdir(tmp_path))
    with distributed.Client(shared, set_as_default=False) as client:
        client.run(limit, 50_000)
        try:
            assert refused(scale(CURVED, source, tmp_path / f"out.{suffix}"), f"out.{suffix}", "too large")
        finally:
            client.run(limit, -1)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_disk_that_is_too_small_is_noticed_at_once(
    scale: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(_cli_scale.shutil.disk_usage(tmp_path))
    monkeypatch.setattr(_cli_scale.shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    assert refused(scale(CURVED, array(VALUES), tmp_path / "out.npy"), "out.npy", "No space left", f"{VALUES.nbytes:,}")
    assert os.listdir(tmp_path) == ["in.npy"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts a file system")
def test_disk_that_is_really_full(scale: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", small], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("may not mount")
    try:
        assert refused(scale(CURVED, array(VALUES), small / "out.npy"), "out.npy", "No space left")
        usage = type(_cli_scale.shutil.disk_usage(tmp_path))
        monkeypatch.setattr(_cli_scale.shutil, "disk_usage", lambda path: usage(10**9, 0, 10**9))  # and only then
        assert refused(scale(CURVED, tmp_path / "in.npy", small / "out.npy"), "out.npy", "No space left")
        zarr.create_array(tmp_path / "in.zarr", data=VALUES, chunks=(10_000,))
        assert refused(scale(CURVED, tmp_path / "in.zarr", small / "out.zarr"), "out.zarr", "No space left")
        assert os.listdir(small) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_outputs_that_exist(scale: Any, array: Any, tmp_path: Path) -> None:
    source, mine = array(VALUES), tmp_path / "mine"
    zarr.create_array(tmp_path / "x.zarr", data=X)
    mine.mkdir()
    (mine / "file").write_text("mine")
    (tmp_path / "out.npy").write_text("mine")
    assert refused(scale(CURVED, source, tmp_path / "out.npy"), "out.npy", "exists; --force")
    assert refused(scale(CURVED, tmp_path / "x.zarr", mine), "mine", "exists; --force")
    for given in (tmp_path / "x.zarr", source):  # a directory that is no array is nobody's to delete
        assert refused(scale(CURVED, given, mine, "--force"), "mine", "not a")
    assert (mine / "file").read_text() == (tmp_path / "out.npy").read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "mine", "out.npy", "x.zarr"]


def test_inputs_and_outputs_of_other_kinds(scale: Any, array: Any, tmp_path: Path) -> None:
    source = array(VALUES)
    zarr.create_array(tmp_path / "x.zarr", data=X)
    zarr.create_array(tmp_path / "c.zarr", data=X + 1j)
    zarr.create_group(tmp_path / "g.zarr")
    before = sorted(os.listdir(tmp_path))
    assert refused(scale(CURVED, source, tmp_path / "y.zarr"), "y.zarr", "an .npy file too")
    assert refused(scale(CURVED, tmp_path / "x.zarr", tmp_path / "y.npy"), "y.npy", "a zarr array too")
    assert refused(scale(CURVED, tmp_path / "x.zarr", tmp_path / "y.zarr", "--bfloat16"), "--bfloat16")
    assert refused(scale(CURVED, tmp_path / "c.zarr", tmp_path / "y.zarr"), "c.zarr", "complex64 is not supported")
    assert refused(scale(CURVED, tmp_path / "g.zarr", tmp_path / "y.zarr"), "g.zarr", "not a zarr array")
    assert refused(scale(CURVED, tmp_path / "x.zarr", tmp_path / "g.zarr", "--force"), "g.zarr", "not a zarr array")
    assert refused(scale(CURVED, tmp_path, tmp_path / "y.zarr"), "not a zarr array")
    assert refused(scale(CURVED, tmp_path / "no.npy", tmp_path / "y.npy"), "no.npy", "No such file")
    assert refused(scale(CURVED, source, tmp_path / "no" / "y.npy"), "y.npy", "No such file")
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("suffix", ["npy", "zarr"])
def test_interrupted(scale: Any, array: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    source = array(VALUES)
    zarr.create_array(tmp_path / "in.zarr", data=VALUES, chunks=(1000,))

    def interrupt() -> None:
        assert len(os.listdir(tmp_path)) == 3  # the inputs, and something under another name
        raise KeyboardInterrupt

    during(monkeypatch, interrupt)
    code, _, err = scale(CURVED, source.with_suffix(f".{suffix}"), tmp_path / f"out.{suffix}")
    assert (code, err) == (130, "actc: interrupted\n")
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "in.zarr"]


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_interrupted_from_outside(tmp_path: Path, how: str) -> None:
    """Ctrl-C at a terminal reaches the workers too, and they keep quiet; SIGTERM is for the command alone."""
    with open(tmp_path / "in.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (2**31,)})
        file.truncate(file.tell() + 2**33)
    command = [sys.executable, "-m", "actc", "apply", CURVED, "in.npy", "out.npy", "--dask", "--workers", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 40
        while not any(p.stat().st_blocks > 10**4 for p in tmp_path.glob(".out.npy.*")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        if how == "Ctrl-C":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.terminate()
        _, err = process.communicate(timeout=30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, err) == (130, "actc: interrupted\n")
    assert os.listdir(tmp_path) == ["in.npy"]


# ---- usage -------------------------------------------------------------------------------------------------------


def test_usage(call: Any) -> None:
    for argv, says in (
        (["--scheduler", "x"], "for --dask"),
        (["--workers", "2"], "for --dask"),
        (["--dask", "--workers", "0"], "positive"),
        (["--dask", "--workers", "2", "--scheduler", "x"], "one of the two"),
    ):
        code, _, err = call("apply", CURVED, "a.npy", "b.npy", *argv)
        assert code == 2 and says in err


@pytest.mark.parametrize("module", ["distributed", "zarr"])
def test_without_the_packages(scale: Any, array: Any, tmp_path: Path, monkeypatch: Any, module: str) -> None:
    source = array(VALUES)
    zarr.create_array(tmp_path / "in.zarr", data=X)
    monkeypatch.setitem(sys.modules, module, None)
    given = source if module == "distributed" else tmp_path / "in.zarr"
    assert refused(scale(CURVED, given, tmp_path / "out"), "pip install 'actc[dask]'")
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "in.zarr"]
