"""The loops on any contiguous buffer; every function of the table, with suffixes for the passes."""

from collections.abc import Mapping
from typing import Any

functions: Mapping[str, Any]

def __getattr__(name: str) -> Any: ...
