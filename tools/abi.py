"""What a program compiled against actc.h relies on, one line each: c/abi/VERSION.txt is what a release promised.

    python tools/abi.py > c/abi/0.1.txt        at a release: what the headers declare now
    python tools/abi.py --check                every line of every file in c/abi still holds

A line is a function, an enumerator with its value, a row of a table with its parameters (which stand for its flat
symbols), or a field of a structure with its offset and size on LP64. Lines are only ever added: see docs/abi.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "c" / "include"
PARAMETERS = re.compile(r"(\w+), [-+\w.]+")


def rows() -> list[str]:
    lines = []
    for table, kind in (("activations", "activation"), ("gates", "gate"), ("rows", "row")):
        text = (INCLUDE / "actc" / f"{table}.def").read_text()
        for name, parameters, rest in re.findall(r"^[A-Z]+\((\w+), (NONE|\w+\([^)]*\)),([^.]*)\.", text, re.M):
            shape = re.findall(r"MAP|REDUCE|DOUBLED", rest) if kind == "row" else []
            lines.append(" ".join([kind, name, *shape, *PARAMETERS.findall(parameters.partition("(")[2])]))
    return lines


def declarations() -> list[str]:
    """Functions, and through the compiler enumerators and fields."""
    text = "".join((INCLUDE / p).read_text() for p in ("actc.h", "actc/rows.h"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S).replace("\\\n", "")
    code = re.sub(r"^#define.*$", "", text, flags=re.M)
    lines = []
    for before, name, after in re.findall(r"ACTC_API ([^;{(]*?)\b(actc_\w+)\(([^;{]*)\);", code):
        types = [p if p == "void" else re.sub(r" ?\b\w+(\[\d+\])?$", r"\1", p.strip()) for p in after.split(",")]
        lines.append(" ".join(f"function {before}{name}({', '.join(types)})".split()))
    prints = []
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", code, re.S):
        for field in re.findall(r"(\w+);", body):
            size = f"(unsigned)sizeof(({name} *)0)->{field}"
            prints.append(f'printf("field {name}.{field} %u %u\\n", (unsigned)offsetof({name}, {field}), {size});')
    for body in re.findall(r"enum \w+ \{(.*?)\}", code, re.S):
        for name in re.findall(r"(\w+) =", body):
            if not name.endswith("_COUNT"):  # of what there is, for arrays; it grows
                prints.append(f'printf("enumerator {name} %d\\n", {name});')
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory, "print")
        program.with_suffix(".c").write_text(
            f'#include "actc.h"\n#include <stdio.h>\nint main(void) {{ {"".join(prints)} }}'
        )
        subprocess.run(["cc", f"-I{INCLUDE}", f"{program}.c", "-o", program], check=True)
        printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return lines + printed.splitlines()


def broken() -> list[str]:
    """Promises that the headers no longer keep."""
    now = set(rows() + declarations())
    released = {f.name: f.read_text().splitlines() for f in sorted((ROOT / "c" / "abi").glob("*.txt"))}
    return [f"{name}: {line}" for name, lines in released.items() for line in lines if line not in now]


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if gone := broken():
            sys.exit("\n".join(["no longer as it was:", *gone]))
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        print("\n".join(sorted(rows() + declarations())))
