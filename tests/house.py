#!/usr/bin/env python3
"""The house checks: the laws of docs/CONTRIBUTING.md that a program can see.

    house.py BUILDDIR [--root DIR] [CHECK...]

Each check is a function that yields "place: what is wrong"; tests/test_house.py breaks
every law once in a copy and expects it to be found.  A new check is one function with
the decorator @law.  Nothing here needs git or the network.
"""
import argparse
import ctypes
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

CC = os.environ.get("CC", "cc").split()

# Rooms by floor: a room may include the door (<room>/<room>.h) of a lower one.
FLOORS = {
    "base": 0, "store": 1, "identity": 2, "profile": 3, "events": 4, "scan": 5,
    "metrics": 6, "journey": 6, "segment": 6,
    "campaign": 7, "privacy": 7, "report": 7,
    "api": 8,
}
# Headers besides the doors that other rooms may include, and why.
EXTRA_DOORS = {
    "store/row.h": ("*", "an event as rows and columns: what journal, blocks and folds share"),
    "store/reader.h": ("*", "read snapshots; their blocks are for scan only, see law blocks"),
    "store/block.h": ({"scan"}, "only scan reads event blocks (law 3)"),
    "profile/score.h": ({"metrics", "segment"}, "scores: written by a refresh, read as traits by segments"),
    "scan/frame.h": ({"segment"}, "hot profiles are events as columns, as a scan shows them"),
}
# Calls that a library must not make; the files that may, each with its reason.
FORBIDDEN = {
    "malloc calloc realloc free strdup strndup asprintf vasprintf aligned_alloc "
    "posix_memalign getline getdelim": {"lib/base/alloc.c", "lib/base/ctx.c"},
    "time gettimeofday clock ftime": {"lib/base/ctx.c"},
    "rand srand random srandom drand48 rand_r": set(),
    "printf vprintf puts putchar perror": set(),
    "abort exit _exit _Exit quick_exit atexit": set(),
    "signal sigaction sigprocmask raise": set(),
    "setlocale setenv putenv unsetenv tzset umask chdir pthread_atfork": set(),
    "localtime gmtime strtok asctime ctime": set(),
    "cJSON_InitHooks sqlite3_config sqlite3_initialize sqlite3_shutdown": set(),
    "sqlite3_mprintf sqlite3_vmprintf sqlite3_snprintf sqlite3_str_appendf": set(),
}
MAX_SHOWN = 25 # problems of one law: the first ones tell
MAX_FUNCTION, MAX_FILE, MAX_NESTING, MAX_PARAMETERS = 80, 600, 4, 6
MAX_OPENING = 14 # lines: the opening may be the essay on its format or algorithm
# Departures from the sizes, each with its reason (also in docs/CONTRIBUTING.md).
LONG_FILES = {"lib/api.c": "a flat list: every exported function"}
MANY_PARAMETERS = {
    "cj_identify": "seven plain values an FFI can pass; a struct would be built for each call",
    "cj__ctx_init": "three hooks with their user pointers, called once by cj_open",
}

LAWS = {}


def law(function):
    LAWS[function.__name__] = function
    return function


class House:
    """A tree and its build; reads files once."""

    def __init__(self, root, build):
        self.root, self.build = Path(root), Path(root) / build
        self.cache = {}

    def read(self, path):
        path = str(path)
        if path not in self.cache:
            file = self.root / path
            self.cache[path] = file.read_text() if file.exists() else ""
        return self.cache[path]

    def glob(self, *patterns):
        found = [p.relative_to(self.root) for g in patterns for p in self.root.glob(g)]
        return sorted(str(p) for p in found)

    def sources(self):
        return self.glob("lib/*.[ch]", "lib/*/*.[ch]")

    def run(self, *command, text=None):
        return subprocess.run([str(c) for c in command], cwd=self.root, input=text,
                              capture_output=True, text=True)


# ---- reading C ---------------------------------------------------------------------

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text, strings=True):
    """Comments (and strings) become blanks, so that lines and columns stay."""
    def wipe(match):
        token = match.group()
        if token[0] in "\"'" and not strings:
            return token
        inner = re.sub(r"[^\n]", " ", token)
        return token[0] + inner[1:-1] + token[-1] if token[0] in "\"'" else inner
    return TOKEN.sub(wipe, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def functions(text):
    """(name, first line, last line, parameters) of each definition, as clang-format
    leaves them: the brace of a body stands alone in column 0."""
    lines = blank(text).split("\n")
    for i, line in enumerate(lines):
        if line != "{":
            continue
        first = i
        while first > 0 and lines[first - 1].strip() and \
                not lines[first - 1].rstrip().endswith((";", "}")) and \
                not lines[first - 1].startswith("#"):
            first -= 1
        head = " ".join(lines[first:i])
        match = re.search(r"(\w+)\s*\((.*)\)", head, re.S)
        last = next((j for j in range(i, len(lines)) if lines[j].startswith("}")), i)
        if match:
            yield match.group(1), first + 1, last + 1, parameters(match.group(2))


def parameters(text):
    depth, count = 0, 1
    for c in text:
        depth += (c == "(") - (c == ")")
        if depth < 0:
            break
        count += c == "," and depth == 0
    return 0 if text.strip() in ("", "void") else count


def header_declarations(text):
    """(name, parameters as text) of each function the public header declares; function
    pointer types are none."""
    code = re.sub(r"^\s*#[^\n]*", "", blank(text), flags=re.M)
    code = re.sub(r"struct \w+ \{.*?\}", "", code, flags=re.S)
    return [(m.group(1), m.group(2)) for d in code.split(";") if "typedef" not in d
            for m in re.finditer(r"\b(cj_[a-z0-9_]+)\s*\((.*)\)", d, re.S)]


def header_functions(text):
    return [name for name, _ in header_declarations(text)]


def header_parameters(text):
    return {name: parameters(inner) for name, inner in header_declarations(text)}


def header_structs(text):
    """{struct: [field, ...]} of the public header."""
    found = {}
    for m in re.finditer(r"typedef struct (\w+) \{(.*?)\} \1;", blank(text), re.S):
        names = [re.findall(r"(\w+)(?:\[\d+\])?$", part.strip())[0]
                 for line in m.group(2).split(";") if line.strip()
                 for part in line.split(",")]
        found[m.group(1)] = names
    return found


# ---- laws --------------------------------------------------------------------------


@law
def floors(house):
    """1. Includes go down."""
    for path in house.sources():
        parts = Path(path).parts
        room = parts[1] if len(parts) > 2 else "api"
        if room not in FLOORS:
            yield f"{path}: room {room} has no floor"
            continue
        text = blank(house.read(path), strings=False)
        for m in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', text, re.M):
            problem = include_problem(room, m.group(1))
            if problem:
                yield f"{path}:{line_of(text, m.start(1))}: {problem}"


def include_problem(room, header):
    target = header.split("/")[0]
    if header == "cjourney.h" or target == room:
        return None
    if header == "store/migrations.inc":
        return None if room == "store" else "migrations are read by store"
    if target not in FLOORS or "/" not in header:
        return f'"{header}" is no header of a room: write "<room>/<file>.h"'
    if FLOORS[target] >= FLOORS[room]:
        return f'"{header}" is not below {room}'
    if target == "base" or header == f"{target}/{target}.h":
        return None
    rooms, _ = EXTRA_DOORS.get(header, (set(), ""))
    if rooms == "*" or room in rooms:
        return None
    return f'"{header}" is not the door of {target}'


@law
def outsiders(house):
    """Examples and the program see cjourney.h and their own folder only."""
    for path in house.glob("examples/*.[ch]", "examples/*/*.[ch]"):
        text = blank(house.read(path), strings=False)
        for m in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', text, re.M):
            beside = house.root / Path(path).parent / m.group(1)
            if m.group(1) != "cjourney.h" and not beside.exists():
                yield f"{path}:{line_of(text, m.start(1))}: \"{m.group(1)}\" is ours alone"
    for m in re.finditer(r"#\s*include\s+(\S+)", house.read("include/cjourney.h")):
        if m.group(1) != "<stdint.h>":
            yield f"include/cjourney.h: includes {m.group(1)}"


@law
def blocks(house):
    """3. Only scan reads event blocks."""
    reads = re.compile(r"\bcj__(?:reader_block|reader_parts|reader_journal|block_\w+)\s*\(")
    for path in house.sources():
        if path.startswith(("lib/store/", "lib/scan/")):
            continue
        text = blank(house.read(path))
        for m in reads.finditer(text):
            yield f"{path}:{line_of(text, m.start())}: {m.group()[:-1]} belongs to scan"


SQL = re.compile(r'"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|BEGIN|COMMIT|'
                 r'ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH|VACUUM|REINDEX|ANALYZE|REPLACE|WITH)'
                 r'\b[^a-z:]')


@law
def sqlite_in_store(house):
    """2. <sqlite3.h> only in store, SQL only in stmts.def and migrations."""
    for path in house.sources():
        text = blank(house.read(path), strings=False)
        for m in re.finditer(r"#\s*include\s+<sqlite3", text):
            if not path.startswith("lib/store/"):
                yield f"{path}:{line_of(text, m.start())}: sqlite3.h belongs to lib/store"
        for m in SQL.finditer(text):
            yield f"{path}:{line_of(text, m.start())}: SQL text outside store/stmts.def"


@law
def forbidden(house):
    """6, 7, 14. Memory, clock, dice, printing and process-wide state."""
    for path in house.sources():
        text = blank(house.read(path))
        for names, excepted in FORBIDDEN.items():
            if path in excepted:
                continue
            called = re.compile(r"(?<![\w.>])(?:%s)\s*\(" % "|".join(names.split()))
            for m in called.finditer(text):
                yield f"{path}:{line_of(text, m.start())}: calls {m.group()[:-1].strip()}"
        for m in re.finditer(r"\b(stdout|stderr)\b", text):
            yield f"{path}:{line_of(text, m.start())}: the library does not print"
        for m in re.finditer(r"CLOCK_REALTIME", text):
            if path != "lib/base/ctx.c":
                yield f"{path}:{line_of(text, m.start())}: the clock is an argument"


@law
def mutable_statics(house):
    """14. No variables that change, but the thread's error."""
    objects = [p for p in (house.build / "lib").rglob("*.o")
               if (house.root / p.relative_to(house.build)).with_suffix(".c").exists()]
    if not objects:
        yield f"{house.build}: no objects; run make first"
    for path in sorted(objects):
        name = str(path.relative_to(house.build))
        for line in house.run("objdump", "-t", path).stdout.splitlines():
            m = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+([0-9a-f]+)\s+(?:\.\w+ )?(\S+)$", line)
            if not m or "O" not in m.group(1) or int(m.group(3), 16) == 0:
                continue
            section, symbol = m.group(2), m.group(4)
            thread_error = section in (".tbss", ".tdata") and name.startswith("lib/base/")
            if re.match(r"\.(data|bss|tbss|tdata)|\*COM\*", section) and \
                    not section.startswith(".data.rel.ro") and not thread_error:
                yield f"{name}: variable {symbol} can change ({section})"


@law
def headers_alone(house):
    """Headers compile alone; the public one as C99 and C++."""
    jobs = [(h, [*CC, "-std=c11", "-D_GNU_SOURCE", "-Iinclude", "-Ilib"])
            for h in house.glob("lib/*/*.h")]
    public = "include/cjourney.h"
    jobs.append((public, [*CC, "-std=c99", "-Iinclude"]))
    jobs.append((public, ["g++" if CC[0] != "clang" else "clang++", "-x", "c++",
                          "-std=c++11", "-Iinclude"]))
    for path, command in jobs:
        name = path.split("/", 1)[1]
        kind = [] if "-x" in command else ["-x", "c"]
        done = house.run(*command, *kind, "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                         "-fsyntax-only", "-", text=f'#include "{name}"\n#include "{name}"\n'
                         "typedef int house_unit;\n")
        if done.returncode != 0:
            standard = next(c for c in command if c.startswith("-std="))
            yield f"{path}: {standard}: {first_line(done.stderr)}"


def first_line(text):
    lines = [l for l in text.splitlines() if "error" in l] or text.splitlines() or ["failed"]
    return lines[0]


@law
def symbols(house):
    """5. Exported == header == api.c == docs/SYMBOLS == Python."""
    header = house.read("include/cjourney.h")
    declared = header_functions(header)
    wanted = set(declared)
    for name in sorted(n for n in wanted if declared.count(n) > 1):
        yield f"include/cjourney.h: {name} is declared twice"
    lists = {
        "libcjourney.so": exported(house),
        "docs/SYMBOLS": {l.split()[0] for l in house.read("docs/SYMBOLS").splitlines()
                         if l.strip() and not l.startswith("#")},
        "lib/api.c": {name for name, *_ in functions(house.read("lib/api.c"))
                      if name.startswith("cj_") and not name.startswith("cj__")},
    }
    for place, names in lists.items():
        for name in sorted(wanted - names):
            yield f"{place}: lacks {name} of cjourney.h"
        for name in sorted(names - wanted):
            yield f"{place}: has {name}, which cjourney.h does not declare"
    yield from python_symbols(house, header, wanted)


def exported(house):
    done = house.run("nm", "-D", "--defined-only", house.build / "libcjourney.so")
    rows = [line.split() for line in done.stdout.splitlines()]
    return {r[2].split("@")[0] for r in rows if len(r) == 3 and r[1] != "A"}


def python_symbols(house, header, wanted):
    path = "bindings/python/cjourney/_ffi.py"
    rows = {name: arguments for name, _, arguments in ffi(house)["FUNCTIONS"]}
    for name in sorted(wanted - set(rows)):
        yield f"{path}: has no prototype of {name}"
    for name in sorted(set(rows) - wanted):
        yield f"{path}: has {name}, which cjourney.h does not declare"
    for name, count in header_parameters(header).items():
        if name in rows and len(rows[name]) != count:
            yield f"{path}: {name} has {len(rows[name])} arguments, {count} in cjourney.h"


@law
def layout(house):
    """Structs of the header have the layout ctypes thinks."""
    structs = header_structs(house.read("include/cjourney.h"))
    lines = ["#include <stddef.h>", "#include <stdio.h>", '#include "cjourney.h"',
             "int main(void) {"]
    for struct, fields in structs.items():
        lines.append(f'printf("{struct} . %zu 0\\n", sizeof({struct}));')
        lines += [f'printf("{struct} {f} %zu %zu\\n", offsetof({struct}, {f}), '
                  f'sizeof((({struct} *)0)->{f}));' for f in fields]
    lines += ["return 0; }"]
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "layout"
        done = house.run(*CC, "-Iinclude", "-x", "c", "-", "-o", program,
                         text="\n".join(lines))
        if done.returncode != 0:
            yield f"include/cjourney.h: {first_line(done.stderr)}"
            return
        rows = house.run(program).stdout.split("\n")
    theirs = python_layout(house)
    ours = {tuple(r.split()[:2]): r.split()[2:] for r in rows if r}
    for key in sorted(set(ours) | set(theirs)):
        if ours.get(key) != theirs.get(key):
            yield (f"bindings/python/cjourney/_ffi.py: {'.'.join(key)}: offset and size "
                   f"{theirs.get(key)}, in C {ours.get(key)}")


def ffi(house):
    """The tables of _ffi.py; it loads nothing, so it can be read without the library."""
    path = house.root / "bindings/python/cjourney/_ffi.py"
    module = {"__name__": "_ffi", "__file__": str(path)}
    exec(compile(path.read_text(), str(path), "exec"), module)
    return module


def python_layout(house):
    """{(struct, field): [offset, size]} as ctypes lays out STRUCTS of _ffi.py."""
    found = {}
    for struct, value in ffi(house)["STRUCTS"].items():
        found[struct, "."] = [str(ctypes.sizeof(value)), "0"]
        for field, *_ in value._fields_:
            at = getattr(value, field)
            found[struct, field] = [str(at.offset), str(at.size)]
    return found


@law
def sizes(house):
    """Functions, files, nesting, parameters."""
    for path in house.glob("lib/*.[ch]", "lib/*/*.[ch]", "examples/*.[ch]", "examples/*/*.[ch]"):
        text = house.read(path)
        n_lines = text.count("\n")
        if n_lines > MAX_FILE and path not in LONG_FILES:
            yield f"{path}: {n_lines} lines, at most {MAX_FILE}"
        lines = blank(text).split("\n")
        for name, first, last, n_parameters in functions(text):
            if last - first + 1 > MAX_FUNCTION:
                yield f"{path}:{first}: {name} has {last - first + 1} lines, at most {MAX_FUNCTION}"
            if n_parameters > MAX_PARAMETERS and name not in MANY_PARAMETERS:
                yield f"{path}:{first}: {name} has {n_parameters} parameters, at most {MAX_PARAMETERS}"
            for at in range(first, last):
                m = re.match(r"( +)(?:\} )?(?:if|else|for|while|do|switch)\b", lines[at])
                if m and len(m.group(1)) // 4 > MAX_NESTING:
                    yield f"{path}:{at + 1}: {name} nests deeper than {MAX_NESTING}"
                    break


@law
def openings(house):
    """Every file opens with what it holds; nothing is left undone."""
    for path in house.glob("lib/*.[ch]", "lib/*/*.[ch]", "examples/*.[ch]", "examples/*/*.[ch]",
                           "tests/*.[ch]", "tests/*/*.[ch]"):
        text = house.read(path)
        m = re.match(r"/\*.*?\*/", text, re.S)
        n_lines = m.group().count("\n") + 1 if m else 0
        least = 1 if path.endswith(".h") or path.startswith("tests/") else 2
        if not least <= n_lines <= MAX_OPENING:
            yield f"{path}:1: opens with {n_lines} lines of comment, {least} to {MAX_OPENING} wanted"
    for path in house.glob("lib/**/*.*", "include/*", "examples/**/*.*", "bindings/**/*.py"):
        if not (house.root / path).is_file():
            continue
        m = re.search(r"\b(TODO|FIXME|XXX|HACK|not implemented|placeholder)\b", house.read(path))
        if m:
            yield f"{path}:{line_of(house.read(path), m.start())}: says {m.group()}"


@law
def messages(house):
    """8. An error is one line of at most 100 characters."""
    call = re.compile(r'\bcj__(?:fail|fail_at|reject)\s*\(((?:[^"();]|\([^()]*\))*)'
                      r'((?:"(?:\\.|[^"\\\n])*"\s*)+)')
    for path in house.sources():
        text = blank(house.read(path), strings=False)
        for m in call.finditer(text):
            message = "".join(re.findall(r'"((?:\\.|[^"\\\n])*)"', m.group(2)))
            fixed = re.sub(r"%[-+ #0-9.*]*(?:ll|l|z|h)?[a-zA-Z]", "", message)
            place = f"{path}:{line_of(text, m.start())}"
            if len(fixed) > 100:
                yield f"{place}: message of {len(fixed)} characters, at most 100"
            if "\\n" in message:
                yield f"{place}: message of more than one line"


@law
def statements(house):
    """Every statement prepares, is used, and scans only with a reason."""
    path = "lib/store/stmts.def"
    text = house.read(path)
    db = sqlite3.connect(":memory:")
    for migration in house.glob("lib/store/migrations/*.sql"):
        db.executescript(house.read(migration))
    used = {n for p in house.sources() for n in re.findall(r"\bSTMT_(\w+)", blank(house.read(p)))}
    seen = set()
    for m in re.finditer(r'^S\((\w+),\s*((?:"(?:\\.|[^"\\\n])*"\s*)+)\)', text, re.M):
        name = m.group(1)
        sql = "".join(re.findall(r'"((?:\\.|[^"\\\n])*)"', m.group(2))).replace('\\"', '"')
        place = f"{path}:{line_of(text, m.start())}: {name}"
        if name in seen:
            yield f"{place} stands there twice"
        seen.add(name)
        if name not in used:
            yield f"{place} is used nowhere"
        yield from plan_problems(db, place, sql, reason_above(text, m.start()))
    rows = len(re.findall(r"^S\(", text, re.M))
    if rows != len(seen):
        yield f"{path}: {rows} rows begin with S(, {len(seen)} could be read"


def reason_above(text, offset):
    above = text[:offset].rstrip("\n").rsplit("\n", 1)[-1]
    return bool(re.search(r"SCAN: \S.*\*/\s*$", above)) and text[offset - 1] == "\n" and \
        text[offset - 2:offset] != "\n\n"


def plan_problems(db, place, sql, reason):
    named = {m for m in re.findall(r"\?(\d+)", sql)}
    try:
        rows = db.execute("EXPLAIN QUERY PLAN " + sql,
                          [None] * max((int(n) for n in named), default=0)).fetchall()
    except sqlite3.Error as error:
        yield f"{place} does not prepare: {error}"
        return
    scans = [r[3] for r in rows if r[3].startswith("SCAN") and "CONSTANT ROW" not in r[3]]
    if scans and not reason:
        yield f"{place} plans {scans[0]}; say why above: /* SCAN: reason */"
    if reason and not scans:
        yield f"{place} does not scan; drop the reason"


@law
def documents(house):
    """Generated documents are in step with what they are made from."""
    done = house.run(sys.executable, "docs/generate.py", "--check")
    if done.returncode != 0:
        yield first_line(done.stdout + done.stderr)
    laws = house.read("docs/CONTRIBUTING.md")
    for room in FLOORS:
        if f"`{room}`" not in laws and f" {room} " not in laws:
            yield f"docs/CONTRIBUTING.md: does not name room {room}"
    targets = re.findall(r"^([a-z-]+):.* ##  ", house.read("Makefile"), re.M)
    for target in re.findall(r"`make ([a-z-]+)(?=[ `])", laws + house.read("README.md")):
        if target not in targets:
            yield f"README.md or docs/CONTRIBUTING.md: there is no make {target}"


@law
def tests(house):
    """Tests are at least as long as the code."""
    count = lambda paths: sum(house.read(p).count("\n") for p in paths)
    code = count(house.glob("lib/*.c", "lib/*/*.c"))
    test = count(house.glob("tests/*.[ch]", "tests/*.py", "tests/*.sh", "tests/fuzz/*.c",
                            "bindings/*/tests/*.py"))
    if test < code:
        yield f"tests: {test} lines of tests for {code} lines of code"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", help="where make built, such as build/release")
    parser.add_argument("checks", nargs="*", help=f"some of: {' '.join(LAWS)}")
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    house, failed = House(options.root, options.build), 0
    for name in options.checks or LAWS:
        if name not in LAWS:
            parser.error(f"no check {name}; there are {' '.join(LAWS)}")
        problems = list(LAWS[name](house))
        print(f"{'ok    ' if not problems else 'BROKEN'} {name:16} {LAWS[name].__doc__.splitlines()[0]}")
        for problem in problems[:MAX_SHOWN]:
            print(f"       {problem}")
        if len(problems) > MAX_SHOWN:
            print(f"       and {len(problems) - MAX_SHOWN} more")
        failed += bool(problems)
    print(f"house: {len(options.checks or LAWS) - failed} laws kept, {failed} broken")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
