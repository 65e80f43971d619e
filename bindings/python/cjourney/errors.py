"""One exception class per error code of the library, one base class for all of them."""

from __future__ import annotations

from typing import Dict, Type


class LibraryNotFoundError(OSError):
    """libcjourney was not found, or what was found cannot be used."""


class CJourneyError(Exception):
    """A call failed, and nothing has changed.

    code: the negative number of cjourney.h; name: "CJ_EINVAL"; message: one line;
    position: the byte, line or row in the input (from 0), or None when it has no place.
    """

    code: int = 0
    name: str = "CJ_E?"

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message, position)
        self.message = message
        self.position = position

    def __str__(self) -> str:
        place = "" if self.position is None else f" (at {self.position})"
        return f"{self.name}: {self.message}{place}"


class InvalidError(CJourneyError, ValueError):
    """An argument or value is wrong; the message says which."""

    code, name = -1, "CJ_EINVAL"


class NoMemoryError(CJourneyError, MemoryError):
    """Out of memory."""

    code, name = -2, "CJ_ENOMEM"


class StorageError(CJourneyError):
    """The operating system refused to read or write."""

    code, name = -3, "CJ_EIO"


class BusyError(CJourneyError):
    """Another writer held the file for busy_ms: try again."""

    code, name = -4, "CJ_EBUSY"


class CorruptError(CJourneyError):
    """The file is damaged; Store.check() says where."""

    code, name = -5, "CJ_ECORRUPT"


class VersionError(CJourneyError):
    """Not a libcjourney file, or written by a newer library."""

    code, name = -6, "CJ_EVERSION"


class NotFoundError(CJourneyError, LookupError):
    """No such profile, identifier, edge or file."""

    code, name = -7, "CJ_ENOTFOUND"


class ExistsError(CJourneyError):
    """It is already so, or another unique identifier stands against it."""

    code, name = -8, "CJ_EEXISTS"


class ForkError(CJourneyError):
    """The store was opened before fork(): open it again in the child."""

    code, name = -9, "CJ_EFORK"


class MisuseError(CJourneyError):
    """The store is closed, or was never opened."""

    code, name = -10, "CJ_EMISUSE"


class InterruptError(CJourneyError):
    """Store.interrupt() was called, or the progress function returned true."""

    code, name = -11, "CJ_EINTERRUPT"


class CurrencyError(CJourneyError):
    """Money in another currency than the store's."""

    code, name = -12, "CJ_ECURRENCY"


class RejectError(CJourneyError):
    """The event was not recorded; Store.failed_events() has it, with the reason."""

    code, name = -13, "CJ_EREJECT"


class LimitError(CJourneyError):
    """Larger than a limit of the library."""

    code, name = -14, "CJ_ELIMIT"


class ReadOnlyError(CJourneyError):
    """The store was opened read-only."""

    code, name = -15, "CJ_EREADONLY"


class LockError(CJourneyError):
    """Another copy of SQLite broke the file's locks: close and open again."""

    code, name = -16, "CJ_ELOCK"


BY_CODE: Dict[int, Type[CJourneyError]] = {
    error.code: error
    for error in (
        InvalidError,
        NoMemoryError,
        StorageError,
        BusyError,
        CorruptError,
        VersionError,
        NotFoundError,
        ExistsError,
        ForkError,
        MisuseError,
        InterruptError,
        CurrencyError,
        RejectError,
        LimitError,
        ReadOnlyError,
        LockError,
    )
}


def error_of(code: int, message: str, position: int) -> CJourneyError:
    """The exception for a code; a code of a newer library gets the base class."""
    place = None if position < 0 else position
    if code in BY_CODE:
        return BY_CODE[code](message, place)
    error = CJourneyError(message, place)
    error.code = code
    return error
