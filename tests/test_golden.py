"""Every schema that was ever released has a file here that must open, be sound, and answer as it did: a format is never
changed.  A file is made once, with the release, by the program of that day; it is not made again."""

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = os.environ.get("CJOURNEY", "build/release/bin/cjourney")
GOLDEN = Path(__file__).parent / "golden"
EXPORTS = {
    "schema_1": "867d79f76ee47cdbc38074f53da457c269e1d92c605ac7ddb423c1efe448f7e2",
    "schema_2": "120f9ae2b3860ab0f5da2d35a01170c251d17700ba902b99c569b7eec448c0ed",
    "schema_3": "eb1587be57f1b6f6e50248140858a801d893c9cbc0d1dc3abaac6a7bdaeda8b5",
    "schema_4": "9afb01b2639699c88d4a86843fd0371a2cda14504952b58a87049a5ebb570062",
}


NOBODY = 4  # the program's code for an empty answer


def run(db, *arguments, may_be=(0,)):
    done = subprocess.run([PROGRAM, "-d", str(db), *arguments], capture_output=True, check=False)
    assert done.returncode in may_be, done.stderr.decode()
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
    for words, kind in ((("segment", "list"), "segments"), (("segment", "feed"), "feed")):
        kept = GOLDEN / f"{name}.{kind}.csv"
        if kept.exists():
            assert run(db, *words, "--format", "csv") == kept.read_bytes()
    assert hashlib.sha256(run(db, "export", "--format", "csv")).hexdigest() == EXPORTS[name]


def test_it_opens_is_sound_and_answers_as_it_did(golden):
    name, db = golden
    run(db, "check")  # ends with 6 when anything is wrong
    answers(name, db)


def test_it_can_be_written_to_and_compacted(golden):
    name, db = golden
    run(db, "compact")
    answers(name, db)


def test_segments_of_schema_2_go_on(tmp_path):
    """Members are those of the feed, and who comes next is told after it."""
    db = tmp_path / "golden.cj"
    shutil.copyfile(GOLDEN / "schema_2.cj", db)
    feed = run(db, "segment", "feed", "--format", "csv").decode().splitlines()
    inside = set()
    for _, segment, profile, _, what, _ in (line.split(",") for line in feed[1:]):
        (inside.add if what == "entered" else inside.remove)((segment, profile))
    for segment in ("lately", "munich", "few-lately"):
        members = run(db, "segment", "members", segment, "--as-of", "2027-02-01", "--format", "csv",
                      may_be=(0, NOBODY)).decode().splitlines()
        assert members[0] == "profile,user_id"
        assert {line.split(",")[0] for line in members[1:]} == {who for name, who in inside if name == segment}
    run(db, "segment", "advance", "--to", "2027-03-01")  # and time goes on
    assert run(db, "segment", "feed", "--format", "csv").decode().splitlines()[: len(feed)] == feed
    run(db, "check")


@pytest.mark.parametrize("name", ["schema_3", "schema_4"])
def test_value_models_and_scores_are_there(name, tmp_path):
    """A saved model, to the last bit, and the scores that are traits: of schema 3 rows, of schema 4 runs."""
    import cjourney  # the program has no word for traits
    from cjourney import _library

    db = tmp_path / "golden.cj"
    shutil.copyfile(GOLDEN / f"{name}.cj", db)
    with cjourney.Store(db) as store:
        saved = {row.name: row for row in store._table("cj_clv_saved")}["weekly"]
        assert (saved.name, saved.model, saved.saved_ms) == ("weekly", "bgnbd", 1798800001000)
        assert saved.fit == (GOLDEN / f"{name}.fit.json").read_text()
        clv, out = ctypes.c_void_p(), ctypes.c_void_p()
        store._handle.call("cj_clv_load", b"weekly", ctypes.byref(clv))
        _library.check(_library.load().cj_clv_parameters(clv, ctypes.byref(out)))
        assert {row.parameter: row.estimate for row in cjourney.Table(out.value)} == json.loads(saved.fit)["params"]
        store._handle.call("cj_clv_save", b"again", clv)
        _library.load().cj_clv_free(clv)
        assert {row.fit for row in store._table("cj_clv_saved") if row.name in ("weekly", "again")} == {saved.fit}
        kept = [line.split(",") for line in (GOLDEN / f"{name}.scores.csv").read_text().splitlines()]
        got = [
            [str(profile), row.name, row.value, str(row.time_ms)]
            for profile in sorted({int(line[0]) for line in kept})
            for row in store._table("cj_profile_traits", profile, 1900000000000)
            if row.source == "clv"
        ]
        assert got == kept and len(kept) > 100
