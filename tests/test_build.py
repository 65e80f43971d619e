"""The build's own promises: what the scripts print and answer, what the shared library
shows, what install puts where and uninstall removes."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILDDIR", "build/release")
ENV = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def run(*command, env=None, cwd=ROOT):
    return subprocess.run([str(c) for c in command], cwd=cwd, env=env or ENV, text=True,
                          capture_output=True, timeout=300)


# ---- run.sh ------------------------------------------------------------------------


def test_suites_that_pass_are_summed(tmp_path):
    done = run("sh", "tests/run.sh", tmp_path, 2, "one\ttrue", "two\techo quiet")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "2 passed, 0 failed"
    assert "quiet" not in done.stdout
    assert (tmp_path / "two.log").read_text() == "quiet\n"


def test_a_suite_that_fails_shows_its_log_and_fails_the_run(tmp_path):
    done = run("sh", "tests/run.sh", tmp_path, 2, "good\ttrue", "bad\techo why; exit 3")
    assert done.returncode == 1
    assert "why" in done.stdout and "FAILED bad" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"


def test_a_suite_that_is_killed_is_a_failure(tmp_path):
    done = run("sh", "tests/run.sh", tmp_path, 1, "shot\tkill -9 $$")
    assert done.returncode == 1 and "0 passed, 1 failed" in done.stdout


def test_every_suite_runs_once_however_many_there_are(tmp_path):
    suites = [f"s{i}\techo x >> {tmp_path}/ran" for i in range(40)]
    done = run("sh", "tests/run.sh", tmp_path / "logs", 4, *suites)
    assert (tmp_path / "ran").read_text().count("x") == 40
    numbers = sorted(int(n) for n in re.findall(r"^\[ *(\d+)/40\]", done.stdout, re.M))
    assert numbers == list(range(1, 41))


# ---- deps.sh -----------------------------------------------------------------------


@pytest.fixture()
def bare(tmp_path):
    """A PATH with a compiler that knows stdio.h only, and no package manager."""
    for tool in ("sh", "id", "grep", "cat"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\ngrep -q stdio.h\n")
    compiler.chmod(0o755)
    return {"PATH": str(tmp_path), "PYTHON": "/nonexistent/python3"}


def test_without_a_package_manager_the_lines_are_printed(bare):
    done = run(shutil.which("sh"), "tests/deps.sh", "build", "check", env=bare)
    assert done.returncode == 1 and done.stdout == ""
    for line in ("apt-get install libsqlite3-dev libcjson-dev libxxhash-dev pkg-config",
                 "dnf install sqlite-devel cjson-devel xxhash-devel", "apk add sqlite-dev",
                 "brew install sqlite cjson xxhash", "python3-pytest python3-numpy"):
        assert line in done.stderr, done.stderr


def test_without_a_compiler_that_is_said_first(bare):
    (Path(bare["PATH"]) / "cc").write_text("#!/bin/sh\nexit 1\n")
    done = run(shutil.which("sh"), "tests/deps.sh", "build", env=bare)
    assert done.returncode == 1 and "no C compiler" in done.stderr


def test_with_apt_get_what_is_missing_is_installed(bare, tmp_path):
    record = tmp_path / "asked"
    for name, text in {"apt-get": f'echo "$@" >>{record}', "env": 'shift; exec "$@"',
                       "id": "echo 0", "mktemp": f"echo {tmp_path}/log", "ls": "",
                       "rm": ""}.items():
        tool = tmp_path / name
        tool.unlink(missing_ok=True)
        tool.write_text(f"#!/bin/sh\n{text}\n")
        tool.chmod(0o755)
    done = run(shutil.which("sh"), "tests/deps.sh", "build", env=bare)
    assert done.returncode == 0, done.stderr
    lines = record.read_text().splitlines()
    assert lines[0].startswith("update") and "libsqlite3-dev" in lines[1], lines


def test_nothing_missing_is_silent():
    done = run("sh", "tests/deps.sh", "build", "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_unknown_part_is_refused():
    done = run("sh", "tests/deps.sh", "everything")
    assert done.returncode == 2 and "build, check" in done.stderr


# ---- Makefile ----------------------------------------------------------------------


def test_help_lists_every_target_in_one_line():
    text = (ROOT / "Makefile").read_text()
    listed = re.findall(r"^make (\S+) +\S", run("make", "help").stdout, re.M)
    inner = {"FORCE", "tests", "examples", "fuzzers", "benches", "run-suites", "run-all", "unwarn"}
    phony = set(re.findall(r"[\w-]+", " ".join(
        re.findall(r"^\.PHONY:((?:.*\\\n)*.*)", text, re.M)).replace("\\\n", " ")))
    assert phony - inner == set(listed)


def test_an_unknown_flavour_names_the_known_ones():
    done = run("make", "-n", "lib", "FLAVOUR=vanilla")
    assert done.returncode != 0 and "release debug asan" in done.stderr


def test_reading_the_makefile_needs_no_package(tmp_path):
    """A bare machine has no pkg-config and no python: parsing must not ask them."""
    tools = ("sh", "make", "sed", "nproc", "find", "awk", "mkdir", "echo")
    for tool in tools:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    done = run("make", "help", env={"PATH": str(tmp_path)})
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_the_shared_library_shows_the_public_names_only():
    header = (ROOT / "include/cjourney.h").read_text()
    version = re.search(r'CJ_VERSION "(.*)"', header).group(1)
    library = BUILD / f"libcjourney.so.{version}"
    dynamic = run("readelf", "-dW", library).stdout
    assert "Library soname: [libcjourney.so.0]" in dynamic
    assert {"libsqlite3.so.0", "libcjson.so.1"} <= set(re.findall(r"\[(lib\S+)\]", dynamic))
    names = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library)
             .stdout.splitlines() if " A " not in line]
    assert names and all(re.match(r"cj_[a-z]\w*@@CJOURNEY_0$", n) for n in names), names


def test_install_and_uninstall_are_each_others_inverse(tmp_path):
    arguments = ("make", f"DESTDIR={tmp_path}", "PREFIX=/opt/cj", f"FLAVOUR={BUILD.name}")
    done = run(*arguments, "install")
    assert done.returncode == 0, done.stderr
    there = {str(p.relative_to(tmp_path / "opt/cj")) for p in tmp_path.rglob("*") if not p.is_dir()}
    assert {"include/cjourney.h", "lib/libcjourney.a", "lib/libcjourney.so",
            "lib/libcjourney.so.0", "lib/pkgconfig/cjourney.pc", "bin/cjourney",
            "share/man/man1/cjourney.1"} <= there
    assert (tmp_path / "opt/cj/lib/libcjourney.so").is_symlink()
    pc = (tmp_path / "opt/cj/lib/pkgconfig/cjourney.pc").read_text()
    assert "@" not in pc and "prefix=/opt/cj" in pc and "Requires.private: sqlite3" in pc
    assert ".TH" in (tmp_path / "opt/cj/share/man/man1/cjourney.1").read_text()
    assert run(*arguments, "uninstall").returncode == 0
    assert [p for p in tmp_path.rglob("*") if not p.is_dir()] == []
