"""Python values to the library's: text, times, money and JSON, exact or refused.

Every integer is checked against its C type here, because ctypes would cut it silently.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any, Callable, List, Mapping, Optional, Union

from .errors import InvalidError

Time = Union[int, str, dt.datetime, dt.date]
Json = Union[str, Mapping[str, Any]]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_MILLISECOND = dt.timedelta(milliseconds=1)
_INT64_MAX = 2**63 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def text(value: Any, what: str) -> Optional[bytes]:
    """UTF-8 of a text, or of a whole number (ids often are); None stays None."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidError(f"{what}: text is wanted, not {type(value).__name__}")
    if "\0" in value:
        raise InvalidError(f"{what}: a text cannot hold a NUL character")
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidError(f"{what}: a lone surrogate is no Unicode text") from None


def required(value: Any, what: str) -> bytes:
    encoded = text(value, what)
    if encoded is None:
        raise InvalidError(f"{what}: is missing")
    return encoded


def int64(value: Any, what: str) -> int:
    """A whole number that fits; None is 0, the header's word for the default."""
    if value is None:
        return 0
    try:
        whole = value.__index__()
    except AttributeError:
        raise InvalidError(
            f"{what}: a whole number is wanted, not {type(value).__name__}"
        ) from None
    if isinstance(value, bool):
        raise InvalidError(f"{what}: a whole number is wanted, not bool")
    if not -_INT64_MAX - 1 <= whole <= _INT64_MAX:
        raise InvalidError(f"{what}: does not fit 64 bits")
    return int(whole)


def int32(value: Any, what: str) -> int:
    whole = int64(value, what)
    if not -(2**31) <= whole < 2**31:
        raise InvalidError(f"{what}: does not fit 32 bits")
    return whole


def double(value: Any, what: str) -> float:
    """A finite number; None is 0, the header's word for the default."""
    if value is None:
        return 0.0
    if isinstance(value, (str, bytes, bool)) or not hasattr(value, "__float__"):
        raise InvalidError(f"{what}: a number is wanted, not {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number):
        raise InvalidError(f"{what}: is not a finite number")
    return number


def time_ms(value: Optional[Time], what: str, parse: Callable[[bytes], int]) -> int:
    """Milliseconds since 1970 UTC; None is 0.  Texts and dates mean the store's zone,
    which only the library knows: parse asks it."""
    if value is None:
        return 0
    if isinstance(value, dt.datetime):
        if value.utcoffset() is None:
            raise InvalidError(
                f"{what}: a datetime needs a tzinfo; a text is read in the store's zone"
            )
        return int((value - _EPOCH) // _MILLISECOND)
    if isinstance(value, dt.date):
        return parse(value.isoformat().encode())
    if isinstance(value, str):
        return parse(required(value, what))
    if isinstance(value, float):
        raise InvalidError(f"{what}: whole milliseconds are wanted, not a float")
    return int64(value, what)


def minor(value: Any, exponent: int, what: str) -> int:
    """A Decimal in major units to minor units, exactly."""
    if isinstance(value, float):
        raise InvalidError(
            f"{what}: a float is not exact money; use a Decimal, or {what}_minor"
        )
    if not isinstance(value, Decimal):
        raise InvalidError(
            f"{what}: major units are a Decimal; whole minor units go in {what}_minor"
        )
    if not value.is_finite():
        raise InvalidError(f"{what}: is not a finite amount")
    sign, digits, power = value.as_tuple()
    amount = int("".join(map(str, digits)))
    shift = int(power) + exponent
    if amount != 0 and shift > 19:
        raise InvalidError(f"{what}: does not fit 64 bits")
    if amount != 0 and shift < -len(digits):
        raise _inexact(what, exponent)
    if shift >= 0:
        amount *= 10 ** min(shift, 19)
    elif amount != 0:
        amount, rest = divmod(amount, 10**-shift)
        if rest:
            raise _inexact(what, exponent)
    return int64(-amount if sign else amount, what)


def _inexact(what: str, exponent: int) -> InvalidError:
    return InvalidError(
        f"{what}: has more than the currency's {exponent} decimals; round it first"
    )


def json_object(value: Optional[Json], what: str) -> Optional[bytes]:
    """A JSON text as it is, or a mapping written as JSON."""
    if value is None or isinstance(value, str):
        return text(value, what)
    if not isinstance(value, Mapping):
        raise InvalidError(
            f"{what}: a mapping or JSON text is wanted, not {type(value).__name__}"
        )
    try:
        # In C; it refuses what needs the slow one below.
        written = _ENCODER.encode(value)
    except (TypeError, ValueError):
        parts: List[str] = []
        _write(value, parts, what, 0)
        written = "".join(parts)
    return text(written, what)


def _write(value: Any, out: List[str], what: str, depth: int) -> None:
    if depth > 32:
        raise InvalidError(f"{what}: is nested deeper than 32, or holds itself")
    if isinstance(value, Decimal) and value.is_finite():
        out.append(str(value))  # a number's text: "12.50", "1E+2"
    elif isinstance(value, (dt.datetime, dt.date)):
        out.append(f'"{value.isoformat()}"')
    elif isinstance(value, Mapping):
        _write_mapping(value, out, what, depth)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            out.append("," if i else "[")
            _write(item, out, what, depth + 1)
        out.append("]" if value else "[]")
    else:
        out.append(_scalar(value, what))


def _write_mapping(
    value: Mapping[Any, Any], out: List[str], what: str, depth: int
) -> None:
    for i, (key, item) in enumerate(value.items()):
        if not isinstance(key, str):
            raise InvalidError(f"{what}: a JSON key is text, not {type(key).__name__}")
        out.append(("," if i else "{") + _scalar(key, what) + ":")
        _write(item, out, what, depth + 1)
    out.append("}" if value else "{}")


def _scalar(value: Any, what: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise InvalidError(f"{what}: NaN and infinities are no JSON") from None
    except TypeError:
        raise InvalidError(
            f"{what}: {type(value).__name__} cannot be written as JSON"
        ) from None
