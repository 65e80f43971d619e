"""What the tests share: the source tree first, and a fresh store for each test."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
sys.path.insert(0, str(PACKAGE))

import cjourney  # noqa: E402


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def store(path: Path):
    with cjourney.open(path, currency="EUR") as opened:
        yield opened


def optional(name: str):
    """Import a module that Debian's python3 may lack, or skip and say so aloud."""
    try:
        return __import__(name)
    except ImportError:
        text = f"SKIPPED: {name} is not installed for {sys.executable}"
        os.write(2, f"\n{text}\n".encode())
        pytest.skip(text)
