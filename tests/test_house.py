"""The house checks find what they are for: each law is broken once in a copy of the
tree, and the check must name the place.  A law without a case here fails too."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import house  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("lib", "include", "docs", "examples", "bindings", "tests", "Makefile", "README.md")


@pytest.fixture()
def tree(tmp_path):
    """A copy of the sources; nothing is built in it."""
    skip = shutil.ignore_patterns("__pycache__", "*.gz", "corpus", "data")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=skip)
        elif source.exists():
            shutil.copy(source, tmp_path / part)
    return tmp_path


def write(tree, path, text):
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def edit(tree, path, old, new):
    text = (tree / path).read_text()
    assert old in text, f"{path} has no {old!r}: mend this test"
    write(tree, path, text.replace(old, new, 1))


def append(tree, path, text):
    write(tree, path, (tree / path).read_text() + text)


def problems(tree, law):
    return list(house.LAWS[law](house.House(tree, "build/release")))


def break_body(lines):
    return "/* A file\n * that breaks a law. */\nint f(int a)\n{\n" + lines + "    return a;\n}\n"


# law, how it is broken, what the finding must say
CASES = [
    ("floors", lambda t: write(t, "lib/base/bad.c", '#include "store/store.h"\n'),
     'lib/base/bad.c:1: "store/store.h" is not below base'),
    ("floors", lambda t: write(t, "lib/metrics/bad.c", '#include "segment/segment.h"\n'),
     "is not below metrics"),
    ("floors", lambda t: write(t, "lib/metrics/bad.c", '#include "store/internal.h"\n'),
     "is not the door of store"),
    ("floors", lambda t: write(t, "lib/metrics/bad.c", '#include "store/block.h"\n'),
     "is not the door of store"),
    ("blocks", lambda t: write(t, "lib/metrics/bad.c", break_body(
        "    a = cj__reader_block(r, 1, NULL, NULL);\n")), "lib/metrics/bad.c:5: cj__reader_block"),
    ("floors", lambda t: write(t, "lib/cellar/bad.c", "\n"), "room cellar has no floor"),
    ("floors", lambda t: write(t, "lib/base/bad.c", '#include "helpers.h"\n'), "no header of a room"),
    ("outsiders", lambda t: write(t, "examples/bad.c", '#include "base/str.h"\n'),
     "examples/bad.c:1:"),
    ("outsiders", lambda t: edit(t, "include/cjourney.h", "#include <stdint.h>",
                                 "#include <stdint.h>\n#include <time.h>"), "includes <time.h>"),
    ("sqlite_in_store", lambda t: write(t, "lib/scan/bad.c", "#include <sqlite3.h>\n"),
     "lib/scan/bad.c:1: sqlite3.h belongs"),
    ("sqlite_in_store", lambda t: write(t, "lib/store/bad.c", 'char *q = "SELECT 1";\n'),
     "lib/store/bad.c:1: SQL text"),
    ("forbidden", lambda t: write(t, "lib/base/bad.c", break_body("    free(p);\n")),
     "lib/base/bad.c:5: calls free"),
    ("forbidden", lambda t: write(t, "lib/base/bad.c", break_body("    a = time(0);\n")),
     "calls time"),
    ("forbidden", lambda t: write(t, "lib/base/bad.c", break_body("    abort();\n")), "calls abort"),
    ("forbidden", lambda t: write(t, "lib/base/bad.c", break_body("    fputs(x, stderr);\n")),
     "does not print"),
    ("forbidden", lambda t: write(t, "lib/scan/bad.c",
                                  break_body("    clock_gettime(CLOCK_REALTIME, &ts);\n")),
     "the clock is an argument"),
    ("sizes", lambda t: write(t, "lib/base/bad.c", break_body("    a++;\n" * 80)),
     "f has 84 lines"),
    ("sizes", lambda t: write(t, "lib/base/bad.c", "\n" * 601), "601 lines"),
    ("sizes", lambda t: write(t, "lib/base/bad.c",
                              "int f(int a, int b, int c, int d, int e, int (*f)(int, int), int g)\n"
                              "{\n    return 0;\n}\n"), "f has 7 parameters"),
    ("sizes", lambda t: write(t, "lib/base/bad.c", break_body(
        "".join(" " * 4 * i + "if (a)\n" for i in range(1, 6)))), "nests deeper than 4"),
    ("openings", lambda t: write(t, "lib/base/bad.c", "int a;\n"), "lib/base/bad.c:1: opens with 0"),
    ("openings", lambda t: write(t, "lib/base/bad.h", "/* x.  TODO: more */\n"), "says TODO"),
    ("messages", lambda t: write(t, "lib/base/bad.c", break_body(
        '    return cj__fail(CJ_EINVAL, "%s" "' + "x" * 101 + '", name);\n')), "101 characters"),
    ("messages", lambda t: write(t, "lib/base/bad.c", break_body(
        '    return cj__fail(CJ_EINVAL, "a\\n");\n')), "more than one line"),
    ("headers_alone", lambda t: write(t, "lib/base/bad.h", "size_t cj__bad(void);\n"),
     "lib/base/bad.h"),
    ("headers_alone", lambda t: append(t, "include/cjourney.h", "int cj_bad(int class);\n"),
     "-std=c++"),
    ("headers_alone", lambda t: append(t, "include/cjourney.h", "inline bool cj_bad(void);\n"),
     "-std=c99"),
    ("symbols", lambda t: edit(t, "include/cjourney.h", "int32_t cj_merge(cj_db",
                               "int32_t cj_new(cj_db *db);\nint32_t cj_merge(cj_db"),
     "docs/SYMBOLS: lacks cj_new"),
    ("symbols", lambda t: edit(t, "docs/SYMBOLS", "cj_merge\n", "cj_merge\ncj_gone\n"),
     "docs/SYMBOLS: has cj_gone"),
    ("symbols", lambda t: edit(t, "bindings/python/cjourney/_ffi.py", '"cj_merge"', '"cj_mergd"'),
     "_ffi.py: has no prototype of cj_merge"),
    ("symbols", lambda t: edit(t, "include/cjourney.h", "int32_t cj_close(cj_db *db);",
                               "int32_t cj_close(cj_db *db, int32_t how);"),
     "_ffi.py: cj_close has 1 arguments, 2 in cjourney.h"),
    ("symbols", lambda t: append(t, "lib/api.c",
                                 "\nint32_t cj_extra(cj_db *db)\n{\n    return 0;\n}\n"),
     "lib/api.c: has cj_extra"),
    ("layout", lambda t: edit(t, "include/cjourney.h", "    const char *kind;\n",
                              "    const char *new_kind;\n    const char *kind;\n"),
     "cj_identifier.kind"),
    ("statements", lambda t: append(t, "lib/store/stmts.def",
                                    '\nS(BAD, "SELECT text FROM term WHERE text = ?1")\n'),
     "BAD plans SCAN term"),
    ("statements", lambda t: append(t, "lib/store/stmts.def", '\nS(BAD, "SELECT nothing FROM term")\n'),
     "BAD does not prepare"),
    ("statements", lambda t: append(t, "lib/store/stmts.def", '\n/* SCAN: why */\nS(BAD, "SELECT 1")\n'),
     "drop the reason"),
    ("statements", lambda t: append(t, "lib/store/stmts.def", '\nS(BAD, "SELECT 1")\n'),
     "BAD is used nowhere"),
    ("documents", lambda t: edit(t, "docs/API.md", "# The API", "# An API"), "docs/API.md"),
    ("documents", lambda t: append(t, "README.md", "Then `make coffee`.\n"), "no make coffee"),
    ("tests", lambda t: write(t, "lib/base/bad.c", "int a;\n" * 900000), "lines of tests for 9"),
]


BEFORE = {}  # what each law says of the tree as it is


@pytest.mark.parametrize("law,damage,finding", CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_a_broken_law_is_found(tree, law, damage, finding):
    if law not in BEFORE:
        BEFORE[law] = problems(tree, law)
    damage(tree)
    found = [p for p in problems(tree, law) if p not in BEFORE[law]]
    assert any(finding in p for p in found), found


def test_a_variable_that_changes_is_found_in_its_object(tree):
    source = tree / "lib/base/bad.c"
    source.write_text("static int counter;\nint cj__bad(void);\n"
                      "int cj__bad(void)\n{\n    return counter++;\n}\n"
                      "static const char *const fixed[] = {\"a\"};\n"
                      "const char *cj__fixed(int i);\n"
                      "const char *cj__fixed(int i)\n{\n    return fixed[i];\n}\n"
                      "static const char *moving[] = {\"a\"};\n"
                      "const char **cj__moving(void);\n"
                      "const char **cj__moving(void)\n{\n    return moving;\n}\n")
    target = tree / "build/release/lib/base/bad.o"
    target.parent.mkdir(parents=True)
    subprocess.run([*house.CC, "-fPIC", "-O2", "-c", source, "-o", target], check=True)
    found = problems(tree, "mutable_statics")
    assert [p for p in found if "counter" in p and ".bss" in p], found
    assert [p for p in found if "moving" in p], found
    assert not [p for p in found if "fixed" in p], found


def test_no_objects_is_a_finding(tree):
    assert "no objects" in problems(tree, "mutable_statics")[0]


def test_every_law_has_a_case():
    assert {c[0] for c in CASES} | {"mutable_statics"} == set(house.LAWS)


def test_what_a_comment_says_is_not_a_call(tree):
    write(tree, "lib/base/good.c", "/* never free() or \"SELECT 1\",\n * nor abort(). */\n"
          "int f(void);\nint f(void)\n{\n    return x->realloc(1) + cj__free(2); // time(0)\n}\n")
    for law in ("forbidden", "sqlite_in_store"):
        assert not [p for p in problems(tree, law) if "good.c" in p]


def test_the_header_reader_sees_every_function_once():
    header = (ROOT / "include/cjourney.h").read_text()
    names = house.header_functions(header)
    assert len(names) == len(set(names)) and "cj_open" in names and "cj_table_free" in names
    assert "cj_realloc_fn" not in names
    structs = house.header_structs(header)
    assert structs["cj_identifier"] == ["struct_size", "kind", "value"]
    assert structs["cj_rfm_class"][-1] == "m_max" and len(structs["cj_rfm_class"]) == 8
