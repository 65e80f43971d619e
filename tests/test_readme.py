"""The README works as printed: its C and Python are cut out and run, its links lead to
files, its make targets exist."""
import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
BUILD = ROOT / os.environ.get("BUILDDIR", "build/release")


def block(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)
    assert len(found) == 1, f"the README has {len(found)} blocks of {language}"
    return found[0]


def run(command, where, **more):
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture()
def c_program(tmp_path):
    (tmp_path / "readme.c").write_text(block("c"))
    run([*os.environ.get("CC", "cc").split(), "-std=c11", "-Wall", "-Wextra", "-Werror",
         f"-I{ROOT / 'include'}", "readme.c", f"-L{BUILD}", "-lcjourney", "-o", "readme"], tmp_path)
    return tmp_path / "readme"


def test_the_c_program_scores_its_customer(c_program, tmp_path):
    out = run([c_program], tmp_path, env={**os.environ, "LD_LIBRARY_PATH": str(BUILD)})
    header, *rows = [line.split() for line in out.splitlines() if line.strip()]
    assert header[:4] == ["profile", "recency_days", "frequency", "monetary_minor"]
    assert any(row[:4] == ["1", "0", "1", "2590"] for row in rows), out


def test_python_goes_on_with_the_same_file(c_program, tmp_path):
    """C recorded 25.90, Python 14.10 for the same address: one customer, 40.00."""
    run([c_program], tmp_path, env={**os.environ, "LD_LIBRARY_PATH": str(BUILD)})
    code = block("python").replace(".to_pandas()", ".to_dicts()")
    out = run([sys.executable, "-c", code], tmp_path,
              env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python"),
                   "CJOURNEY_LIBRARY": str(BUILD / "libcjourney.so")})
    rows = ast.literal_eval(out)
    assert [(r["user_id"], r["frequency"], r["monetary_minor"]) for r in rows] == [("7", 2, 4000)]


def sessions(text):
    """What a terminal showed: (command, what came of it) for each."""
    parts = re.split(r"^\$ ", text.replace("\\\n", ""), flags=re.M)[1:]
    return [part.partition("\n")[::2] for part in parts]


def test_the_terminal_shows_what_the_program_says(tmp_path):
    """On the shop of `make demo`, put where it is after that."""
    demo, program = BUILD / "examples/demo", BUILD / "bin/cjourney"
    if not (demo / "generate").exists():
        pytest.skip("the demo is not built")
    folder = tmp_path / "build/release/demo"
    folder.mkdir(parents=True)
    (folder / "year.ndjson").write_bytes(subprocess.run([demo / "generate"], capture_output=True, check=True).stdout)
    shop = ["-d", folder / "shop.db"]
    subprocess.run([program, *shop, "import", "--time-zone", "Europe/Berlin", folder / "year.ndjson"],
                   capture_output=True, timeout=60)
    run([demo / "segments", folder / "shop.db", "2026-01-01"], tmp_path)
    shown = sessions("".join(re.findall(r"^```console\n(.*?)^```$", README, re.M | re.S)))
    assert len(shown) >= 5
    (export, nothing), *shown = shown
    assert export.startswith("export CJOURNEY_DB=") and nothing == ""
    env = {**{k: v for k, v in os.environ.items() if k != "COLUMNS"},
           "CJOURNEY_DB": export.split("=")[1]}
    for command, expected in shown:
        done = subprocess.run(["sh", "-c", f'cjourney() {{ "{program}" "$@"; }}\n{command}'], cwd=tmp_path,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, env=env)
        found = done.stdout
        if " define " in command:  # a program that reads gets a row, people do not
            found = "".join(line for line in found.splitlines(True) if not line.startswith("{"))
        assert found.strip() == expected.strip(), command


def test_lengths_are_as_promised():
    assert len([line for line in block("c").splitlines() if line.strip()]) <= 16
    assert len([line for line in block("python").splitlines() if line.strip()]) <= 8


def test_links_lead_somewhere():
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert links
    for target in links:
        assert (ROOT / target).exists(), target
