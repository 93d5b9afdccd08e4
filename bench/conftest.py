"""`--grid small` (default: a smoke run) or `--grid full` (sizes from 1 to 16 million)."""

import pytest

SIZES = {"small": [1, 10_000], "full": [1, 16, 1000, 65_536, 1_000_000, 16_000_000]}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--grid", choices=list(SIZES), default="small", help="sizes to measure")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "size" in metafunc.fixturenames:
        metafunc.parametrize("size", SIZES[metafunc.config.getoption("grid")])
