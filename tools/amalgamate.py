"""The library as two files, actc.c and actc.h, that compile by `cc -O3 -c actc.c`.

    python tools/amalgamate.py DIRECTORY [FUNCTION ...]       with names, only these functions (needs cmake)

libactc is about thirty translation units, most of which are one text (unit.h) compiled for an instruction set and a
type. In actc.c that text stands once and is included again for each of them: the file includes itself, ACTC_PART saying
which part. What makes one translation unit of many:

- a name that several of them have at file scope (load, gelu_forward) becomes a macro while one of them is read:
  #define load ACTC_OWN(load) gives load_avx2_f32. Which names these are is read off the preprocessor's output.
- the macros of a translation unit are undefined at its end, and GCC's options restored.
- headers with an include guard are what translation units share: they come first, under their own names.

It runs on x86-64, whose compiler sees every unit but NEON's, and that has no names of its own.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^#include "([^"]+)".*\n', re.M)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define (\w+)", re.M)
GUARD = re.compile(r"^#ifndef (ACTC_\w+)\n#define \1\n", re.M)
ENTRY = re.compile(r"^[A-Z]+\((\w+),", re.M)
TOKEN = re.compile(r'[A-Za-z_]\w*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\S')


@functools.cache
def is_shared(path: Path) -> bool:
    return bool(GUARD.search(path.read_text()))


# ---- which names a translation unit has at file scope ----------------------------------------------------------------


def tokens(source: Path, root: Path) -> Iterator[tuple[str, bool]]:
    """What the preprocessor makes of a source: each token, and whether a shared header has it; no system headers."""
    command = ["cc", "-E", "-DACTC_WITH_GNU", f"-I{root}/include", str(source)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    stack = [source.resolve()]
    ours, shared = True, False
    for line in text.splitlines():
        if marker := re.match(r'# \d+ "(.*)"(.*)', line):
            if " 1" in marker[2]:
                stack.append(Path(marker[1]).resolve())
            elif " 2" in marker[2]:
                stack.pop()
            ours = all(root in p.parents for p in stack)
            shared = ours and any(is_shared(p) for p in stack[1:])
        elif ours and not line.startswith("#"):
            yield from ((token, shared) for token in TOKEN.findall(line))


def names(source: Path, root: Path) -> tuple[set[str], set[str]]:
    """Names that the source itself declares at file scope, and those that its shared headers declare.

    A name is declared where ( [ = , or ; follows it outside of brackets and initialisers, { if it is a tag, or inside
    the braces of an enum."""
    found: tuple[set[str], set[str]] = (set(), set())
    depth = attribute = 0  # attribute: the depth at which an __attribute__ began
    keyword = before = ""
    initialiser = is_body = False
    for token, shared in tokens(source, root):
        follows = {"(", "[", "=", ",", ";"} if keyword != "typedef" else {"[", ",", ";", "(", "__attribute__"}
        if depth or attribute or not before.isidentifier():
            declares = depth == 1 and keyword == "enum" and token.isidentifier() and before in ("{", ",")
            declared = token
        else:
            tag = token == "{" and before not in ("struct", "union", "enum")
            declares = tag or (token in follows and not initialiser and before != "__attribute__")
            declared = before
        if declares:
            found[shared].add(declared)
        if token in set("([{"):
            attribute = attribute or (depth + 1 if before == "__attribute__" else 0)
            is_body = is_body if depth else token == "{" and before == ")"
            depth += 1
        elif token in set(")]}"):
            attribute = 0 if attribute == depth else attribute
            depth -= 1
        elif not depth and token in ("struct", "union", "enum", "typedef"):
            keyword = token
        if not depth:
            initialiser = token == "=" or (initialiser and token not in set(",;"))
            if token == ";" or (token == "}" and is_body):
                keyword = token = ""
        before = token
    return found


# ---- the text --------------------------------------------------------------------------------------------------------


def undefined(macros: set[str]) -> str:
    return "".join(f"#undef {m}\n" for m in sorted(macros - {"ACTC_PART"}))


def renamed(own: set[str]) -> str:
    return "".join(f"#define {n} ACTC_OWN({n})\n" for n in sorted(own))


class Amalgamation:
    def __init__(self, root: Path):
        self.root = root
        self.sources = sorted((root / "src").rglob("*.c"))
        self.units = [s for s in self.sources if s.parent.name == "isa"]
        self.vectors = sorted({v for s in self.units for v in re.findall('#define VECTORS "(.*)"', s.read_text())})
        self.shared: list[Path] = []
        self.shared_text = ""
        self.parts: dict[str, str] = {}  # the text by title; ACTC_PART is the place, counted from 1

        declared = {s: names(s, root) for s in self.sources}
        of_shared = set().union(*(shared for _, shared in declared.values()))
        own = {s: {n for n in mine if not n.startswith("actc_")} for s, (mine, _) in declared.items()}
        others = [s for s in self.sources if s not in self.units]
        count = Counter(n for s in others for n in own[s])
        self.clashing = {s: {n for n in own[s] if count[n] > 1 or n in of_shared} for s in others}

        # Words that macros make names of, rows of the tables and passes, have to go through other macros as they are.
        words = {n for table in root.rglob("*.def") for n in ENTRY.findall(table.read_text())}
        words |= {n for h in root.rglob("*.h") for n in re.findall(r"\b[A-Z_]+\(name, (\w+)[,)]", h.read_text())}
        of_units = set().union(*(own[s] for s in self.units))
        self.words = words & of_units
        self.of_units = of_units - words | {f"{n}_of" for n in self.words}

    def part(self, title: str, text: str = "") -> str:
        """Directives that include a part, which is made of the text where it is new."""
        self.parts.setdefault(title, text)
        number = list(self.parts).index(title) + 1
        return f"#undef ACTC_PART\n#define ACTC_PART {number} /* {title} */\n#include ACTC_SELF\n"

    def expand(self, path: Path) -> str:
        """The text of a file with its own includes resolved: tables become parts, other headers stand in place."""

        def resolve(match: re.Match[str]) -> str:
            target = (path.parent / match[1]).resolve()
            if target.name == "actc.h" or target in self.shared:
                return ""
            text = self.expand(target)
            if is_shared(target):
                self.shared.append(target)
                self.shared_text += text
                return ""
            is_part = target.suffix == ".def" or target.name == "unit.h"
            return self.part(str(target.relative_to(self.root)), text) if is_part else text

        text = INCLUDE.sub(resolve, path.read_text())
        if "#include VECTORS\n" in text:
            headers = [self.expand(path.parent / v) for v in self.vectors]
            chosen = "".join(f"#if VECTORS == {i}\n{header}#endif\n" for i, header in enumerate(headers))
            text = text.replace("#include VECTORS\n", chosen)
        return text

    def for_unit(self, text: str) -> str:
        """Where the names of units are macros, their own macros come in place of those, and tests ask for them."""
        for n in self.words:  # what else has that name
            text = re.sub(rf"(?<![A-Z]\()(?<!name, )\b{n}\b", f"{n}_of", text)
        tested = set(re.findall(r"^#ifn?def (\w+)", text, re.M)) & self.of_units

        def define(match: re.Match[str]) -> str:
            n = match[1]
            flag = f"#define {n}_is_macro\n" if n in tested else ""
            return f"#undef {n}\n{flag}{match[0]}" if n in self.of_units else match[0]

        text = DEFINE.sub(define, text)
        for n in tested:
            text = re.sub(rf"^(#ifn?def {n})$", r"\1_is_macro", text, flags=re.M)
        # Members are nobody's own: from here on their names are no macros.
        head, export, tail = text.partition("#if PAIRS\nconst unit EXPORT")
        members = set(re.findall(r"\.(\w+) = ", tail)) & self.of_units
        for n in members:
            tail = re.sub(rf" = {n}\b", f" = ACTC_OWN({n})", tail)
            head = re.sub(rf"^(#define \w+) {n}$", rf"\1 ACTC_OWN({n})", head, flags=re.M)
        return head + undefined(members) + export + tail

    def source(self) -> str:
        main = ""
        macros = set(self.of_units)
        for source in self.sources:
            text = self.expand(source)
            if source in self.units:
                for i, header in enumerate(self.vectors):
                    text = text.replace(f'#define VECTORS "{header}"', f"#define VECTORS {i} /* {header} */")
                macros |= set(DEFINE.findall(text))
                text = self.part("names of units", renamed(self.of_units)) + text + self.part("the end of a unit")
            else:
                own = self.clashing[source]
                text = renamed(own) + text + undefined(own | set(DEFINE.findall(text)))
            title = source.relative_to(self.root)
            main += f"\n/* ==== {title} ==== */\n#define ACTC_FILE {source.stem}\n{text}#undef ACTC_FILE\n"
        unit = self.for_unit(self.parts["src/unit.h"])
        self.parts["src/unit.h"] = RESTORED.format(text=unit)
        macros |= set(DEFINE.findall(unit))
        self.parts["the end of a unit"] = undefined(macros - set(DEFINE.findall(self.shared_text)))
        numbered = enumerate(self.parts.items(), 1)
        parts = "".join(f"\n#elif ACTC_PART == {i} /* {title} */\n{text}" for i, (title, text) in numbered)
        version = re.findall('#define ACTC_VERSION "(.*)"', (self.root / "include" / "actc.h").read_text())[0]
        return HEAD.format(version=version, shared=self.shared_text, main=main, parts=parts)

    def header(self) -> str:
        def resolve(match: re.Match[str]) -> str:
            target = self.root / "include" / "actc" / Path(match[1]).name
            return INCLUDE.sub(resolve, target.read_text()) if target.exists() else ""  # rows.h includes actc.h

        return INCLUDE.sub(resolve, (self.root / "include" / "actc.h").read_text())


HEAD = """\
/* actc.c - libactc {version} as one file, made by tools/amalgamate.py: cc -O3 -c actc.c

   Neural-network activation functions and their derivatives; actc.h says how to use them. The file includes itself,
   once for every instruction set and type and for every use of the tables; if it is renamed, define ACTC_SELF as
   "its_name.c". ACTC_WITHOUT_AVX512 and so on leave instruction sets out, ACTC_COMPACT makes it smaller. */
#if !defined(ACTC_PART)
#ifndef ACTC_SELF
#define ACTC_SELF "actc.c"
#endif
#include "actc.h"

/* a name at file scope, as the file of it that is being read has it */
#define ACTC_OWN(name) ACTC_OWN_(name, ACTC_FILE)
#define ACTC_OWN_(name, file) ACTC_OWN__(name, file)
#define ACTC_OWN__(name, file) name##_##file

/* ==== what all files share ==== */
{shared}
/* Before any name is a macro. */
#if ACTC_HAS_X86_UNITS
#include <immintrin.h>
#elif ACTC_HAS_NEON
#include <arm_neon.h>
#endif
{main}{parts}
#endif
"""
RESTORED = """\
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#endif
{text}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif
"""


def main(directory: str, *functions: str) -> None:
    to = Path(directory)
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary).resolve() / "c"
        if functions:
            pick = [f"-DFUNCTIONS={';'.join(functions)}", f"-DOUTPUT={root}", "-P", str(ROOT / "c" / "pick.cmake")]
            subprocess.run(["cmake", *pick], check=True)
        else:
            shutil.copytree(ROOT / "c", root)
        made = Amalgamation(root)
        (to / "actc.c").write_text(made.source())
        (to / "actc.h").write_text(made.header())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
