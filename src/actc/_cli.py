"""The command line: `python -m actc`, also installed as `actc`."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import json
import math
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import actc
from actc import _config, _surface


class UsageError(Exception):
    """What was asked for makes no sense: exit code 2, as argparse does."""


class Failure(Exception):
    """What was asked for could not be done: one line on stderr, exit code 1."""


# ---- names and parameters --------------------------------------------------------------------------------------------


def unknown(what: str, name: str, valid: Iterable[str]) -> UsageError:
    """An error that names the nearest valid choice, and all of them."""
    valid = list(valid)
    near = difflib.get_close_matches(name, valid, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return UsageError(f"unknown {what} {name!r}{hint}; valid: {', '.join(valid)}")


def function_name(name: str, halves: bool = False) -> str:
    """The table's name for a name or an alias of it; with `halves` also of what makes two elements of one."""
    f = actc.functions.get(name)
    if name in actc.elementwise or (halves and f is not None and f.info.get("shape") == "doubled"):
        return name
    found = vars(actc).get(name)
    for known, f in actc.elementwise.items():
        if f is found:
            return known
    for functions, why in (
        (actc.gates, "it takes two arrays"),
        (actc.row_functions, "it works on whole rows"),
        (actc.functions, "its parameters are arrays"),
    ):
        if name in functions:
            raise UsageError(f"{name} cannot be used here, for {why}; valid: {', '.join(actc.elementwise)}")
    raise unknown("function", name, actc.elementwise)


def parameters(name: str, given: Iterable[str]) -> dict[str, float]:
    """`alpha=0.5` ... as keyword arguments of the named function."""
    defaults = actc.functions[name].parameters
    values = {}
    for item in given:
        key, _, text = item.partition("=")
        if not defaults:
            raise UsageError(f"{name} has no parameters, but was given {item!r}")
        if key not in defaults:
            raise unknown(f"parameter of {name}", key, defaults)
        try:
            values[key] = float(text)
        except ValueError:
            raise UsageError(f"parameter {key} of {name} must be a number, as in {key}=0.5, not {item!r}") from None
    return values


# ---- small commands --------------------------------------------------------------------------------------------------


def info(args: argparse.Namespace) -> None:
    """Versions, instruction set, where the library lies: what a bug report needs."""
    found = {**_config.config(), "features": _config.cpu_features()}
    if args.json:
        print(json.dumps(found, indent=2))
        return
    found["features"] = [f"{name} {'yes' if has else 'no'}" for name, has in _config.cpu_features().items()]
    for key, value in found.items():
        print(f"{key:12} {', '.join(value) if isinstance(value, list) else value}")


def in_json(value: Any) -> Any:
    """JSON knows no infinity: "inf" and "nan", as the table's texts have them."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def listing(args: argparse.Namespace) -> None:
    """The table of functions."""
    if args.json:
        aliases: dict[str, list[str]] = {}
        for alias, name in _surface.ALIASES.items():
            aliases.setdefault(name, []).append(alias)
        table = [
            {k: in_json(v) for k, v in f.info.items()} | {"aliases": aliases.get(name, [])}
            for name, f in actc.functions.items()
        ]
        print(json.dumps(table, indent=2, allow_nan=False))
        return
    lines = [("name", "parameters", "formula")]
    for name, f in actc.functions.items():
        given = [*f.info.get("required", ()), *(f"{k}={v:g}" for k, v in f.parameters.items())]
        lines.append((name, " ".join(given), f.formula))
    widths = [max(len(line[i]) for line in lines) for i in range(2)]
    for line in lines:
        print(f"{line[0]:{widths[0]}}  {line[1]:{widths[1]}}  {line[2]}")


def build_flags(args: argparse.Namespace) -> bool:
    """What a compiler needs to use the C library of this installation; False where no flag was asked for."""
    folder = _config.get_library_dir()
    answers = {
        "cflags": f"-I{_config.get_include()}",
        "libs": f"-L{folder} -Wl,-rpath,{folder} -lactc",
        "includedir": _config.get_include(),
        "libdir": folder,
        "cmakedir": _config.get_cmake_dir(),
    }
    asked = [text for name, text in answers.items() if getattr(args, name)]
    if asked:
        print(" ".join(asked))
    return bool(asked)


# ---- the others, imported when used ----------------------------------------------------------------------------------


def bench(args: argparse.Namespace) -> None:
    """Time against plain NumPy."""
    from actc import _cli_bench

    _cli_bench.run(args)


def plot(args: argparse.Namespace) -> None:
    """Draw functions and their derivatives."""
    items = [
        (function_name(name, halves=True), given) for name, _, given in (item.partition(":") for item in args.names)
    ]
    wanted = [(name, parameters(name, filter(None, given.split(",")))) for name, given in items]
    from actc import _plot

    target = args.output or "_".join(name for name, _ in wanted) + ".png"
    try:
        _plot.save(wanted, target)
    except ImportError:
        raise Failure("plot needs matplotlib: pip install 'actc[plot]'") from None
    except (OSError, ValueError) as error:
        raise Failure(f"{target}: {getattr(error, 'strerror', None) or error}") from None
    print(target)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM as Ctrl-C, so that nothing half-written is left: batch systems send it where a user would press that."""
    try:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:  # for the main thread only
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def apply(args: argparse.Namespace) -> None:
    """Run a function over an .npy file."""
    from actc import _cli_apply

    name = function_name(args.name)
    values = parameters(name, args.param)
    tier = actc.exact.elementwise if args.exact else actc.elementwise
    passes = _cli_apply.passes(tier[name])
    if args.which not in passes:
        raise unknown("pass", args.which, passes)
    run: Callable[..., None] = _cli_apply.apply
    if args.scheduler is not None and args.workers is not None:
        raise UsageError("--workers are started here, and --scheduler has those of its cluster: give one of the two")
    if args.workers is not None and args.workers < 1:
        raise UsageError(f"--workers must be positive, not {args.workers}")
    if args.dask:
        from actc import _cli_scale

        run = functools.partial(_cli_scale.apply, scheduler=args.scheduler, workers=args.workers)
    elif args.scheduler is not None or args.workers is not None:
        raise UsageError("--scheduler and --workers are for --dask")
    try:
        with terminable():
            run(passes[args.which], args.input, args.output, values, args.force, args.bfloat16)
    except _cli_apply.Refusal as error:
        raise Failure(str(error)) from None


# ---- arguments -------------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    top = argparse.ArgumentParser("actc", description="Neural-network activation functions and their derivatives.")
    top.add_argument("--version", action="version", version=actc.__version__)
    flags = top.add_argument_group("build flags, for compiling against the C library of this installation")
    for name, text in (
        ("cflags", "compiler flags"),
        ("libs", "linker flags"),
        ("includedir", "directory of actc.h"),
        ("libdir", "directory of the shared library"),
        ("cmakedir", "directory of actcConfig.cmake"),
    ):
        flags.add_argument(f"--{name}", action="store_true", help=text)
    commands = top.add_subparsers(metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    p = command("info", info, "versions, instruction sets, and where the library lies")
    p.add_argument("--json", action="store_true", help="as JSON")
    p = command("list", listing, "every function with its parameters and formula")
    p.add_argument(
        "--json",
        action="store_true",
        help="as JSON, with derivatives, limits and references; an infinite gain is the string inf, one that depends "
        "on required parameters is null",
    )
    _bench_arguments(command("bench", bench, "time and error against the plain NumPy expression of the same formula"))
    p = command("plot", plot, "draw functions and their derivatives side by side (needs matplotlib)")
    p.add_argument("names", nargs="+", metavar="NAME", help="a function; with parameters as NAME:alpha=0.5,beta=2")
    p.add_argument("-o", "--output", metavar="FILE", help="picture to write: .png, .svg or .pdf (default NAME.png)")
    _apply_arguments(command("apply", apply, "apply a function to an .npy file of any size"))
    return top


def _bench_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("names", nargs="*", metavar="NAME", help="functions (default: all)")
    p.add_argument("--dtype", nargs="+", metavar="D", default=["f32"], help="f16 bf16 f32 f64 (default: f32)")
    p.add_argument(
        "--size",
        nargs="+",
        type=int,
        metavar="N",
        default=[1, 1000, 1_000_000],
        help="elements (default: 1 1000 1000000)",
    )
    p.add_argument("--pass", nargs="+", dest="passes", metavar="P", default=["forward"], help="default: forward")
    p.add_argument("--exact", action="store_true", help="the correctly rounded tier")
    p.add_argument("--seconds", type=float, default=0.1, help="to spend on a line (default: %(default)s)")
    p.add_argument("--json", metavar="FILE", help="also write everything as JSON; - for standard output alone")


def _apply_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("name", metavar="NAME", help="a function")
    p.add_argument("input", metavar="in.npy")
    p.add_argument("output", metavar="out.npy")
    p.add_argument("--param", nargs="+", action="extend", default=[], metavar="P=V", help="such as alpha=0.5")
    p.add_argument("--pass", dest="which", default="forward", metavar="P", help="forward (default), derivative ...")
    p.add_argument("--exact", action="store_true", help="the correctly rounded tier")
    p.add_argument("--force", action="store_true", help="replace out.npy, which may be in.npy itself")
    p.add_argument("--bfloat16", action="store_true", help="the file holds bfloat16, which .npy records as 2-byte void")
    p.add_argument("--dask", action="store_true", help="on the workers of dask.distributed; also from zarr to zarr")
    p.add_argument("--scheduler", metavar="ADDRESS", help="of a cluster that sees the same files (default: one here)")
    p.add_argument("--workers", type=int, metavar="N", help="processes to start here (default: one for each core)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 (could not be done), 2 (usage) or 130 (interrupted)."""
    top = parser()
    args = top.parse_args(argv)
    try:
        if build_flags(args):
            return 0
        if not hasattr(args, "run"):
            top.error("a command is required: info, list, bench, plot or apply")
        args.run(args)
        sys.stdout.flush()
    except UsageError as error:
        top.error(str(error))
    except Failure as error:
        print(f"actc: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `actc list | head`: nobody reads on, and that is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("actc: interrupted", file=sys.stderr)
        return 130
    return 0
