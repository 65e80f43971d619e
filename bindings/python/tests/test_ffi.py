"""cjourney.h and _ffi.py agree: names, order, types, constants; and the compiler's
layout of every struct is ctypes'.  Needs the header and a C compiler, not the library.
"""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import subprocess
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_uint8, c_void_p

import pytest
from conftest import ROOT

from cjourney import _ffi

HEADER = ROOT / "include" / "cjourney.h"

# What each C type of the header may be in ctypes.  Some texts come out without a NUL, or
# have to be freed: there char * is an address.
TYPES = {
    "void": [None],
    "void *": [c_void_p],
    "int32_t": [c_int32],
    "int64_t": [c_int64],
    "int64_t *": [POINTER(c_int64)],
    "const int64_t *": [POINTER(c_int64)],
    "const int64_t **": [POINTER(POINTER(c_int64))],
    "const double *": [POINTER(c_double)],
    "const uint8_t *": [POINTER(c_uint8)],
    "const char *": [c_char_p],
    "char *": [c_void_p],
    "char **": [POINTER(c_void_p)],
    "const char *const *": [POINTER(c_char_p)],
    "cj_db *": [c_void_p],
    "cj_db **": [POINTER(c_void_p)],
    "double": [c_double],
    "cj_clv *": [c_void_p],
    "const cj_clv *": [c_void_p],
    "cj_clv **": [POINTER(c_void_p)],
    "cj_table *": [c_void_p],
    "const cj_table *": [c_void_p],
    "cj_table **": [POINTER(c_void_p)],
}
NOT_NUL_TERMINATED = {"cj_table_text"}


def header() -> str:
    """The header without comments, preprocessor lines and line breaks."""
    text = re.sub(r"/\*.*?\*/", " ", HEADER.read_text(), flags=re.S)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    return re.sub(r"\s+", " ", text.replace('extern "C" {', ""))


def declaration(text: str) -> tuple[str, str]:
    """("const char *", "name") of "const char *name"."""
    kind, name = re.fullmatch(r"\s*(.*?)(\w+)\s*", text).groups()
    return re.sub(r"\s*(\*+)$", r" \1", kind.strip()), name


def functions() -> list[tuple[str, str, list[str]]]:
    """(name, result, argument types) in the header's order."""
    text = re.sub(r"typedef struct \w+ \{.*?\} \w+;", "", header())
    text = re.sub(r"typedef [^;]*;", "", text)
    found = []
    for match in re.finditer(r"([\w ]+?[ *]+)(cj_\w+)\(([^)]*)\);", text):
        result, name = declaration(match[1] + match[2])
        arguments = [] if match[3].strip() == "void" else match[3].split(",")
        found.append((name, result, [declaration(a)[0] for a in arguments]))
    return found


def structs() -> dict[str, list[tuple[str, str]]]:
    """{name: [(field, type)]}."""
    found = {}
    for match in re.finditer(r"typedef struct (\w+) \{(.*?)\} \1;", header()):
        fields = []
        for line in filter(str.strip, match[2].split(";")):
            kind, _ = declaration(line.split(",")[0])
            names = [re.search(r"(\w+)\s*$", one)[1] for one in line.split(",")]
            fields += [(name, kind) for name in names]
        found[match[1]] = fields
    return found


def allowed(kind: str) -> list:
    if kind in _ffi.HOOKS:
        return [_ffi.HOOKS[kind]]
    named = re.fullmatch(r"(?:const )?(cj_\w+) \*", kind)
    if named and named[1] in _ffi.STRUCTS:
        return [POINTER(_ffi.STRUCTS[named[1]])]
    return TYPES[kind]


def test_the_parser_sees_the_whole_header():
    plain = header()
    assert len(functions()) == len(re.findall(r"\bcj_\w+\((?!\*)", plain)) > 40
    assert len(structs()) == plain.count("struct_size;") >= 10


def test_functions_are_the_headers_in_its_order():
    assert [name for name, *_ in _ffi.FUNCTIONS] == [name for name, *_ in functions()]


@pytest.mark.parametrize("row", _ffi.FUNCTIONS, ids=lambda row: row[0])
def test_function_types(row):
    name, result, arguments = row
    declared = {f[0]: f for f in functions()}[name]
    wanted = [c_void_p] if name in NOT_NUL_TERMINATED else allowed(declared[1])
    assert result in wanted, declared[1]
    assert len(arguments) == len(declared[2])
    for got, kind in zip(arguments, declared[2]):
        assert got in allowed(kind), kind


def test_structs_are_the_headers():
    assert list(_ffi.STRUCTS) == list(structs())


@pytest.mark.parametrize("name", _ffi.STRUCTS)
def test_struct_fields(name):
    fields = _ffi.STRUCTS[name]._fields_
    assert [field for field, _ in fields] == [field for field, _ in structs()[name]]
    for (field, got), (_, kind) in zip(fields, structs()[name]):
        assert got in allowed(kind), field


def test_hooks_have_the_headers_types():
    for match in re.finditer(r"typedef ([^;(]*)\(\*(cj_\w+)\)\(([^)]*)\);", header()):
        hook = _ffi.HOOKS[match[2]]
        kinds = [declaration(a)[0] for a in match[3].split(",")]
        scalar = dict(TYPES, **{"uint64_t": [ctypes.c_uint64]})
        result = re.sub(r"\s*(\*+)\s*$", r" \1", match[1].strip())
        assert hook._restype_ in scalar[result], match[2]
        assert len(hook._argtypes_) == len(kinds)
        for got, kind in zip(hook._argtypes_, kinds):
            assert got in scalar[kind], (match[2], kind)


def test_constants():
    defined = re.findall(r"^#define (CJ_\w+) \(?(-?\d+)\)?", HEADER.read_text(), re.M)
    assert {name: int(value) for name, value in defined} == _ffi.CONSTANTS
    version = re.search(r'#define CJ_VERSION "([^"]*)"', HEADER.read_text())[1]
    assert _ffi.VERSION == version


def test_every_error_code_has_a_class():
    from cjourney import errors

    codes = {n: v for n, v in _ffi.CONSTANTS.items() if n.startswith("CJ_E")}
    assert {e.name: code for code, e in errors.BY_CODE.items()} == codes


def test_the_compiler_agrees_on_every_offset(tmp_path):
    lines = ["#include <stddef.h>", "#include <stdio.h>", '#include "cjourney.h"']
    lines.append("int main(void) {")
    wanted = []
    for name, struct in _ffi.STRUCTS.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        wanted.append(f"{name} {ctypes.sizeof(struct)}")
        for field, _ in struct._fields_:
            at = getattr(struct, field)
            lines.append(
                f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), '
                f"sizeof((({name} *)0)->{field}));"
            )
            wanted.append(f"{name}.{field} {at.offset} {at.size}")
    source, program = tmp_path / "layout.c", tmp_path / "layout"
    source.write_text("\n".join([*lines, "return 0; }"]))
    compiler = shlex.split(os.environ.get("CC") or "cc")
    subprocess.run(
        [*compiler, "-std=c99", f"-I{HEADER.parent}", str(source), "-o", str(program)],
        check=True,
    )
    printed = subprocess.run([program], check=True, capture_output=True, text=True)
    assert printed.stdout.splitlines() == wanted
