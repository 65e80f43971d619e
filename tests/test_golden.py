"""Every schema that was ever released has a file here that must open, be sound, and answer as it did: a format is never
changed.  A file is made once, with the release, by the program of that day; it is not made again."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = os.environ.get("CJOURNEY", "build/release/bin/cjourney")
GOLDEN = Path(__file__).parent / "golden"
EXPORTS = {"schema_1": "867d79f76ee47cdbc38074f53da457c269e1d92c605ac7ddb423c1efe448f7e2"}


def run(db, *arguments):
    done = subprocess.run([PROGRAM, "-d", str(db), *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(params=sorted(EXPORTS))
def golden(request, tmp_path):
    """A copy, so that the file itself is never written to."""
    db = tmp_path / "golden.cj"
    shutil.copyfile(GOLDEN / f"{request.param}.cj", db)
    return request.param, db


def answers(name, db):
    assert run(db, "rfm", "--as-of", "2026-01-01", "--identifier", "email", "--format", "csv") == (
        GOLDEN / f"{name}.rfm.csv"
    ).read_bytes()
    assert run(db, "edges", "--format", "csv") == (GOLDEN / f"{name}.edges.csv").read_bytes()
    assert hashlib.sha256(run(db, "export", "--format", "csv")).hexdigest() == EXPORTS[name]


def test_it_opens_is_sound_and_answers_as_it_did(golden):
    name, db = golden
    run(db, "check")  # ends with 6 when anything is wrong
    answers(name, db)


def test_it_can_be_written_to_and_compacted(golden):
    name, db = golden
    run(db, "compact")
    answers(name, db)
