"""What the tests of the cjourney program share: the program that was built, running it, and a
small shop to run it on."""

import json
import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("CJOURNEY_PROGRAM") or os.environ.get("CJOURNEY")
               or TOP / "build/release/bin/cjourney").resolve()
GENERATE = PROGRAM.parent.parent / "examples/demo/generate"

DONE, FAILED, USAGE, REJECTS, NOTHING, BUSY, DAMAGED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130


def run(*words, stdin=b"", env=None):
    """Run the program; text in, text out."""
    own = {k: v for k, v in os.environ.items() if k not in ("CJOURNEY_DB", "NO_COLOR", "COLUMNS")}
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run([PROGRAM, *map(str, words)], input=stdin, capture_output=True,
                          env={**own, **(env or {})}, timeout=120)
    done.out, done.err = done.stdout.decode(), done.stderr.decode()
    return done


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


ORDERS = [
    # who, time, order, value
    ("ann", "2025-01-05T10:00:00Z", "A1", "20.00"),
    ("ann", "2025-03-01T10:00:00Z", "A2", "35.50"),
    ("bob", "2025-02-10T22:30:00Z", "A3", "10.00"),
    ("cid", "2025-03-09T23:30:00Z", "A4", "99.99"),
]


def order(who, when, number, value, **more):
    return {"type": "event", "time": when, "name": "order", "channel": "web",
            "identifiers": {"user_id": who}, "order_id": number, "value": value,
            "message_id": number, **more}


def ndjson(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def shop(tmp_path):
    """A file with four orders of three customers."""
    path = tmp_path / "shop.db"
    done = run("-d", path, "import", "--format", "json", "--time-zone", "Europe/Berlin", "-",
               stdin=ndjson(order(*row) for row in ORDERS))
    assert done.returncode == DONE, done.err
    return path
