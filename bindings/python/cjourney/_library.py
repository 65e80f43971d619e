"""Finding and loading libcjourney: $CJOURNEY_LIBRARY, beside the package, the system.

The library is loaded once, at the first call that needs it, so that importing the
package needs no library.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
import threading
from pathlib import Path
from typing import Any, Iterator, List, Tuple

from . import _ffi
from .errors import LibraryNotFoundError, error_of

ENVIRONMENT = "CJOURNEY_LIBRARY"

_HERE = Path(__file__).resolve().parent
_PATTERNS = (
    ("libcjourney.dylib", "libcjourney.*.dylib")
    if sys.platform == "darwin"
    else ("libcjourney.so", "libcjourney.so.*")
)
_lock = threading.Lock()
_loaded: List[Any] = []


def load() -> Any:
    """The loaded library (a ctypes.CDLL: its calls release the GIL)."""
    if _loaded:
        return _loaded[0]
    with _lock:
        if not _loaded:
            path, library = _find()
            _declare(library, path)
            _loaded.append(library)
    return _loaded[0]


def check(code: int) -> None:
    """Raise the exception for a negative result, with this thread's text and place."""
    if code != 0:
        library = load()
        text = library.cj_errmsg() or b""
        raise error_of(code, text.decode("utf-8", "replace"), library.cj_errpos())


def beside_package() -> List[Path]:
    """Folders searched second: the package's own, and the source tree's build."""
    folders = [_HERE, _HERE / "lib"]
    root = _HERE.parents[2]
    if (root / "include" / "cjourney.h").exists():
        folders += [root / "build" / "release", root / "build"]
    return folders


def _find() -> Tuple[str, Any]:
    named = os.environ.get(ENVIRONMENT)
    if named:
        return named, _load_named(named)
    tried: List[str] = []
    for path in _candidates():
        try:
            return path, ctypes.CDLL(path)
        except OSError as error:
            tried.append(str(error))
    raise LibraryNotFoundError(_not_found(tried))


def _load_named(path: str) -> Any:
    # What was asked for by name is taken or refused: going on would hide a typing error.
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise LibraryNotFoundError(
            f"libcjourney: ${ENVIRONMENT} is {path}, which cannot be loaded: {error}"
        ) from None


def _candidates() -> Iterator[str]:
    for folder in beside_package():
        for pattern in _PATTERNS:
            yield from (str(path) for path in sorted(folder.glob(pattern)))
    if sys.platform == "darwin":
        yield "libcjourney.dylib"
    else:
        yield "libcjourney.so.0"
        yield "libcjourney.so"
    found = ctypes.util.find_library("cjourney")
    if found:
        yield found


def _not_found(tried: List[str]) -> str:
    places = ", ".join(str(folder) for folder in beside_package())
    broken = [text for text in tried if "cannot open shared object file" not in text]
    return (
        f"libcjourney was not found. Looked at: 1. ${ENVIRONMENT} (not set); "
        f"2. beside the package ({places}); "
        "3. the system's libraries (libcjourney.so.0, libcjourney.so). "
        "Build it with make, install it, or set the variable to its path."
        + (f" Not usable: {'; '.join(broken)}" if broken else "")
    )


def _declare(library: Any, path: str) -> None:
    for name, result, arguments in _ffi.FUNCTIONS:
        try:
            function = getattr(library, name)
        except AttributeError:
            raise LibraryNotFoundError(
                f"libcjourney at {path} has no {name}: it is not of version "
                f"{_ffi.VERSION}, as this package is"
            ) from None
        function.restype = result
        function.argtypes = arguments
