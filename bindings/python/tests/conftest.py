"""What the tests share: the source tree first, and a fresh store for each test."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
sys.path.insert(0, str(PACKAGE))

import cjourney  # noqa: E402

# What a shell starts in the background begins deaf to Ctrl-C; its tests are not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def store(path: Path):
    with cjourney.open(path, currency="EUR") as opened:
        yield opened


def optional(name: str):
    """A module that Debian's python3 may lack; without it the test is skipped."""
    return pytest.importorskip(name, reason=f"{name} is not installed")


def pytest_terminal_summary(terminalreporter) -> None:
    """Skipped tests are said aloud, also with -q."""
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if report.longrepr else ""
        terminalreporter.write_line(f"SKIPPED {report.nodeid}: {reason}")
