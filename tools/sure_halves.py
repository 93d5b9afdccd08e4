"""Which halves does the float unit round right without a judge? Prints c/src/sure_halves.def.

All 65,536 inputs of each type decide: the float32 result rounded once more, against `exact` halves, which are tested
against arbitrary precision. Of rows without parameters, for of those all inputs are known.
"""

import re
from pathlib import Path

import ml_dtypes
import numpy as np

import actc

TABLE = (Path(__file__).resolve().parent.parent / "c" / "include" / "actc" / "activations.def").read_text()
TYPES = (np.float16, ml_dtypes.bfloat16)


def is_sure(name: str, which: str, dtype: type) -> bool:
    """Whether the float unit's result, rounded, is the nearest half everywhere."""
    f, judge = (getattr(tier[name], which, tier[name]) for tier in (actc.elementwise, actc.exact.elementwise))
    x = np.arange(1 << 16, dtype=np.uint16).view(dtype)
    with np.errstate(all="ignore"):
        rounded, right = f(x.astype(np.float32)).astype(dtype), judge(x)
    is_nan = np.isnan(right.astype(np.float32))
    return bool(np.all(is_nan | (rounded.view(np.uint16) == right.view(np.uint16))))


def main() -> None:
    """Print the list."""
    print("/* sure_halves.def - SURE(row, f in f16, f' in f16, f in bf16, f' in bf16): 1 where the float unit rounds")
    print("   right at all 65,536 inputs of the type without a judge: see tools/sure_halves.py, tried by the tests */")
    for name, kind in re.findall(r"^ROW\((\w+), NONE, (\w+)", TABLE, re.MULTILINE):
        if kind in ("ROUNDED", "PAIRED"):
            sure = [int(is_sure(name, which, dtype)) for dtype in TYPES for which in ("forward", "derivative")]
            if any(sure):
                print(f"SURE({name}, {', '.join(map(str, sure))})")


if __name__ == "__main__":
    main()
