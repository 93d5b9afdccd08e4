"""How many threads a large call may take."""

from __future__ import annotations

import contextlib
import operator
import sys
from collections.abc import Iterator

from actc import _core
from actc._version import __version__

_registered = False


def _checked(n: object) -> int:
    try:
        number = operator.index(n)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"a number of threads is an integer, not {type(n).__name__}") from None
    if not 0 <= number <= _core.MAX_THREADS:
        raise ValueError(f"a number of threads is from 1 to {_core.MAX_THREADS}, or 0 for all processors, not {n}")
    return number or _core.processors()


def get_num_threads() -> int:
    """How many threads a call may take here and now, the calling one included."""
    n: int = _core.get_num_threads()
    return n


def set_num_threads(n: int) -> int:
    """Let large calls be shared by up to n threads, from now on and in every thread of the process.

    Parameters
    ----------
    n : int
        From 1, which is the default, to 1024; 0 is one thread for each processor that the process may use (its
        affinity mask, not the share of a container).

    Returns
    -------
    int
        The number before.

    Raises
    ------
    ValueError, TypeError
        If n is out of range or no integer.

    Notes
    -----
    Results have the same bits with any number of threads. Threads start with the first call that needs them and sleep
    between calls; while the pool is busy with one call others work alone, so nested parallelism (dask, joblib) takes no
    more processors than it would. Calls that take less than some 60 microseconds stay in their own thread, as do those
    that NumPy cuts into pieces: arrays of two or more dimensions that are not contiguous, and those it converts.

    A forked child starts its own threads. The environment variable ACTC_NUM_THREADS sets the number at import;
    threadpoolctl, where it is installed, sees and limits it.

    Examples
    --------
    >>> before = actc.set_num_threads(2)
    >>> y = actc.gelu(np.linspace(-5, 5, 1_000_000))
    >>> _ = actc.set_num_threads(before)
    """
    number = _checked(n)
    if number > 1:
        _show_to_threadpoolctl(wanted=True)
    before: int = _core.set_num_threads(number)
    return before


@contextlib.contextmanager
def _limited(number: int) -> Iterator[None]:
    token = _core.wanted_threads.set(number)
    _core.use_contexts()
    try:
        yield
    finally:
        _core.wanted_threads.reset(token)
        _core.use_contexts()


def threads(n: int) -> contextlib.AbstractContextManager[None]:
    """A context in which large calls are shared by up to n threads, whatever `set_num_threads` says.

    It holds for the thread or asyncio task that enters it, as `numpy.errstate` does. n is as for `set_num_threads`.

    Examples
    --------
    >>> with actc.threads(2):
    ...     y = actc.gelu(np.linspace(-5, 5, 1_000_000))
    """
    number = _checked(n)
    if number > 1:
        _show_to_threadpoolctl(wanted=True)
    return _limited(number)


def from_environment(text: str) -> None:
    """What ACTC_NUM_THREADS says. The C library ignores what it does not understand; Python should not."""
    try:
        set_num_threads(int(text))
    except ValueError:
        raise ValueError(
            f"ACTC_NUM_THREADS={text!r}: a number of threads is from 1 to {_core.MAX_THREADS}, or 0 for all processors"
        ) from None


def _show_to_threadpoolctl(wanted: bool) -> None:
    """Let threadpoolctl find the pool: once threads are in use, or where it is loaded already."""
    global _registered
    if _registered or not (wanted or "threadpoolctl" in sys.modules):
        return
    _registered = True
    try:
        import threadpoolctl
    except ImportError:
        return

    class Controller(threadpoolctl.LibController):  # type: ignore[misc]
        """The number for all threads; `with actc.threads(n)` is above it."""

        user_api = "actc"
        internal_api = "actc"
        filename_prefixes = ("libactc_threads", "actc_threads")

        def get_num_threads(self) -> int:
            local = self.dynlib.actc_set_num_threads_local(0)
            number: int = self.dynlib.actc_get_num_threads()
            self.dynlib.actc_set_num_threads_local(local)
            return number

        def set_num_threads(self, num_threads: int) -> int:
            before: int = self.dynlib.actc_set_num_threads(num_threads)
            return before

        def get_version(self) -> str:
            return __version__

    threadpoolctl.register(Controller)


_show_to_threadpoolctl(wanted=False)
