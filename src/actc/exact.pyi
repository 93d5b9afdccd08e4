"""The exact tier has the surface of `actc` itself."""

from collections.abc import Mapping
from typing import Any

functions: Mapping[str, Any]
row_functions: Mapping[str, Any]

def __getattr__(name: str) -> Any: ...
