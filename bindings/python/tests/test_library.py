"""Where the library is looked for, and what is said when it is not there.

Each case runs in a Python of its own, because a process loads the library once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PACKAGE

from cjourney import _library

VERSION = "import cjourney; print(cjourney.version())"


def run(code: str, package: Path, **environment: str) -> subprocess.CompletedProcess:
    clean = {k: v for k, v in os.environ.items() if k != _library.ENVIRONMENT}
    clean.update(environment, PYTHONPATH=str(package), PYTHONDONTWRITEBYTECODE="1")
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=clean, cwd=package, capture_output=True, text=True
    )


@pytest.fixture
def lonely(tmp_path: Path) -> Path:
    """The package alone, with nothing beside it."""
    target = tmp_path / "site" / "python" / "here"
    shutil.copytree(PACKAGE / "cjourney", target / "cjourney")
    for left in (target / "cjourney").glob("libcjourney*"):
        left.unlink()
    return target


def loaded() -> str:
    _library.load()
    with open("/proc/self/maps") as maps:
        lines = [line.split()[-1] for line in maps if "libcjourney" in line]
    return lines[0]


def test_importing_needs_no_library(lonely):
    done = run("import cjourney; print('ok')", lonely, CJOURNEY_LIBRARY="/nowhere")
    assert done.stdout == "ok\n", done.stderr


def test_the_variable_comes_first(lonely):
    done = run(VERSION, lonely, CJOURNEY_LIBRARY=loaded())
    assert done.stdout == "0.4.0\n", done.stderr


def test_a_wrong_variable_is_an_error_and_not_passed_over(lonely):
    shutil.copy(loaded(), lonely / "cjourney" / "libcjourney.so")
    done = run(VERSION, lonely, CJOURNEY_LIBRARY="/no/such/lib.so")
    assert "LibraryNotFoundError" in done.stderr
    assert "$CJOURNEY_LIBRARY is /no/such/lib.so" in done.stderr


def test_beside_the_package_comes_second(lonely):
    shutil.copy(loaded(), lonely / "cjourney" / "libcjourney.so.0")
    done = run(VERSION, lonely)
    assert done.stdout == "0.4.0\n", done.stderr


def test_the_build_of_the_source_tree_is_beside_the_package(tmp_path):
    package = tmp_path / "bindings" / "python"
    shutil.copytree(PACKAGE / "cjourney", package / "cjourney")
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "cjourney.h").touch()
    (tmp_path / "build" / "release").mkdir(parents=True)
    shutil.copy(loaded(), tmp_path / "build" / "release" / "libcjourney.so")
    done = run(VERSION, package)
    assert done.stdout == "0.4.0\n", done.stderr


def test_the_system_comes_third(lonely, tmp_path):
    shutil.copy(loaded(), tmp_path / "libcjourney.so.0")
    done = run(VERSION, lonely, LD_LIBRARY_PATH=str(tmp_path))
    assert done.stdout == "0.4.0\n", done.stderr


def test_the_error_names_all_three_places(lonely):
    done = run(VERSION, lonely, LD_LIBRARY_PATH="")
    if done.returncode == 0:
        pytest.skip("libcjourney is installed in this system")
    text = done.stderr.splitlines()[-1]
    assert "$CJOURNEY_LIBRARY (not set)" in text
    assert str(lonely / "cjourney") in text
    assert "the system's libraries" in text


def test_another_library_is_told_from_ours(lonely, tmp_path):
    source = tmp_path / "other.c"
    source.write_text("int other(void) { return 0; }\n")
    other = tmp_path / "libcjourney.so"
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", other], check=True)
    done = run(VERSION, lonely, CJOURNEY_LIBRARY=str(other))
    assert "has no cj_version: it is not of version 0.4.0" in done.stderr
