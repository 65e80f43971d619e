"""Events, items and classes as Python objects, and their way into the header's structs.

A filled array of structs is all that a call needs: it keeps what it points to.
"""

from __future__ import annotations

import dataclasses
import struct
from ctypes import addressof, c_char, c_int64
from decimal import Decimal
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypedDict,
    Union,
)

from . import _ffi, _values
from ._values import Json, Time
from .errors import InvalidError

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

# Ids are often whole numbers; they are recorded as their digits.
Text: TypeAlias = "Union[str, int]"
Identifiers: TypeAlias = (
    "Union[Mapping[str, Union[Text, Sequence[Text]]], Iterable[Tuple[str, Text]]]"
)

KINDS = (
    "user_id",
    "crm_id",
    "loyalty_card",
    "email",
    "phone",
    "device_id",
    "anonymous_id",
    "guest",
)


class Kinds(TypedDict, total=False):
    """Identifiers as keyword arguments: store.identify(email=..., user_id=...)."""

    user_id: Optional[Text]
    crm_id: Optional[Text]
    loyalty_card: Optional[Text]
    email: Optional[Text]
    phone: Optional[Text]
    device_id: Optional[Text]
    anonymous_id: Optional[Text]
    guest: Optional[Text]


class EventFields(Kinds, total=False):
    """The fields of an Event as keyword arguments."""

    identifiers: Optional[Identifiers]
    time: Optional[Time]
    channel: Optional[str]
    message_id: Optional[Text]
    session: Optional[Text]
    campaign: Optional[str]
    content: Optional[str]
    product: Optional[Text]
    order_id: Optional[Text]
    quantity: Optional[int]
    value: Optional[Decimal]
    value_minor: Optional[int]
    currency: Optional[str]
    properties: Optional[Json]
    items: Optional[Iterable[Union[Item, Mapping[str, Any]]]]


@dataclasses.dataclass
class Item:
    """One line of an order; value is that of the whole line."""

    product: Text
    quantity: Optional[int] = None  # None: 1
    value: Optional[Decimal] = None  # in major units: Decimal("12.50")
    value_minor: Optional[int] = None  # or in minor units: 1250
    properties: Optional[Json] = None


@dataclasses.dataclass
class Event:
    """Something that a customer did.

    The customer is said by identifiers ({"email": "ann@example.com"}, pairs) or by the
    fields named like the kinds.  Money is a Decimal of major units in value, or a whole
    number of minor units in value_minor.
    """

    name: str
    identifiers: Optional[Identifiers] = None
    time: Optional[Time] = None  # None: now
    channel: Optional[str] = None
    message_id: Optional[Text] = None
    session: Optional[Text] = None
    campaign: Optional[str] = None
    content: Optional[str] = None
    product: Optional[Text] = None
    order_id: Optional[Text] = None
    quantity: Optional[int] = None
    value: Optional[Decimal] = None
    value_minor: Optional[int] = None
    currency: Optional[str] = None
    properties: Optional[Json] = None
    items: Optional[Iterable[Union[Item, Mapping[str, Any]]]] = None
    user_id: Optional[Text] = None
    crm_id: Optional[Text] = None
    loyalty_card: Optional[Text] = None
    email: Optional[Text] = None
    phone: Optional[Text] = None
    device_id: Optional[Text] = None
    anonymous_id: Optional[Text] = None
    guest: Optional[Text] = None


@dataclasses.dataclass(frozen=True)
class RfmClass:
    """Customers whose scores, brought to 1..5, lie in all three ranges (0: open)."""

    name: str
    r_min: int = 0
    r_max: int = 0
    f_min: int = 0
    f_max: int = 0
    m_min: int = 0
    m_max: int = 0


@dataclasses.dataclass(frozen=True)
class RecordResult:
    """What became of the messages of one call."""

    recorded: int  # an order with its items is one
    duplicates: int  # were there already, by message id
    rejected: int  # are in Store.failed_events(), with the reason
    first_reject: Optional[int]  # index of the first rejected one


@dataclasses.dataclass(frozen=True)
class ImportResult:
    """What became of the lines of a file."""

    lines: int
    recorded: int  # messages
    duplicates: int
    rejected: int  # lines
    events: int  # an order and its items count each


@dataclasses.dataclass(frozen=True)
class Context:
    """What only the store knows: how its texts of time and its money are read."""

    parse_time: Callable[[bytes], int]
    exponent: Callable[[], int]
    currency: Callable[[], str]


def event_of(value: Union[Event, Mapping[str, Any]]) -> Event:
    """An Event as it is, or from a mapping with its fields."""
    made: Event = _made(Event, value)
    return made


def event_array(events: Sequence[Event], context: Context, numbered: bool) -> Any:
    """An array of cj_event; an error says which event, if they are numbered."""
    packer = _Packer(context)
    packed = bytearray(_EVENT.size * len(events))
    for row, event in enumerate(events):
        try:
            _EVENT.pack_into(packed, _EVENT.size * row, *packer.event(event))
        except InvalidError as error:
            raise InvalidError(error.message, row if numbered else None) from None
    array: Any = (_ffi.Event * len(events)).from_buffer(packed)
    array.packer = packer  # its memory holds the texts
    return array


def identifier_array(
    identifiers: Optional[Identifiers], kinds: Iterable[Tuple[str, Any]]
) -> Any:
    """An array of cj_identifier from both ways to say them."""
    pairs = [*_pairs(identifiers), *(pair for pair in kinds if pair[1] is not None)]
    array = (_ffi.Identifier * len(pairs))()
    size = _ffi.SIZES[_ffi.Identifier]
    for target, (kind, value) in zip(array, pairs):
        target.struct_size = size
        target.kind = _values.required(kind, "identifier kind")
        target.value = _values.required(value, kind)
    return array


def class_array(classes: Iterable[RfmClass]) -> Any:
    """An array of cj_rfm_class."""
    rows = list(classes)
    array = (_ffi.RfmClass * len(rows))()
    for target, row in zip(array, rows):
        target.struct_size = _ffi.SIZES[_ffi.RfmClass]
        target.name = _values.required(row.name, "class name")
        for field in ("r_min", "r_max", "f_min", "f_max", "m_min", "m_max"):
            setattr(target, field, _values.int64(getattr(row, field), field))
    return array


def limit_array(
    limits: Optional[Iterable[Union[int, Decimal]]], what: str, context: Context
) -> Any:
    """An array of int64 thresholds; a Decimal is money in major units."""
    numbers: List[int] = []
    for limit in limits or ():
        if isinstance(limit, Decimal):
            numbers.append(_values.minor(limit, context.exponent(), what))
        else:
            numbers.append(_values.int64(limit, what))
    return (c_int64 * len(numbers))(*numbers)


def _made(type_: Any, value: Any) -> Any:
    if isinstance(value, type_):
        return value
    if not isinstance(value, Mapping):
        raise InvalidError(
            f"{type_.__name__} or a mapping is wanted, not {type(value).__name__}"
        )
    try:
        return type_(**value)
    except TypeError:
        known = {field.name for field in dataclasses.fields(type_)}
        wrong = sorted(str(key) for key in value if key not in known)
        missing = "name" if type_ is Event else "product"
        said = f"no field is called {wrong[0]}" if wrong else f"{missing}: is missing"
        raise InvalidError(said) from None


def _pairs(identifiers: Optional[Identifiers]) -> List[Tuple[str, Any]]:
    if identifiers is None:
        return []
    if not isinstance(identifiers, Mapping):
        try:
            return [(kind, value) for kind, value in identifiers]
        except (TypeError, ValueError):
            raise InvalidError("identifiers: a mapping or pairs are wanted") from None
    pairs: List[Tuple[str, Any]] = []
    for kind, value in identifiers.items():
        several = value if isinstance(value, (list, tuple)) else [value]
        pairs += [(kind, one) for one in several]
    return pairs


def _layout(type_: Any) -> struct.Struct:
    """A packer for a struct of int64 and pointers: setting a field through ctypes costs
    a microsecond, and an event has eighteen."""
    letters = ("q" if kind is c_int64 else "P" for _, kind in type_._fields_)
    return struct.Struct("@" + "".join(letters))


_EVENT = _layout(_ffi.Event)
_ITEM = _layout(_ffi.Item)
_IDENTIFIER = _layout(_ffi.Identifier)


class _Packer:
    """Events to the fields of their structs; texts go to memory that does not move."""

    _FIRST, _MOST = 1 << 10, 1 << 16  # bytes of memory taken at a time

    def __init__(self, context: Context) -> None:
        self._context = context
        self._chunks: List[Any] = []
        self._view = memoryview(bytearray(0))
        self._base = self._used = 0
        self._names: Dict[str, int] = {}

    def event(self, event: Event) -> Tuple[int, ...]:
        """The values of a cj_event, in the order of its fields."""
        value = self._money(event)
        currency = event.currency
        if value == 0 and currency is None:
            # The struct has a value of 0 only when a currency says so.
            if event.value is not None or event.value_minor is not None:
                currency = self._context.currency()
        identifiers, n_identifiers = self._identifiers(event)
        items, n_items = self._items(event)
        return (
            _EVENT.size,
            _values.time_ms(event.time, "time", self._context.parse_time),
            self._name(event.name, "name"),
            self._name(event.channel, "channel"),
            identifiers,
            n_identifiers,
            self._text(event.message_id, "message_id"),
            self._text(event.session, "session"),
            self._name(event.campaign, "campaign"),
            self._name(event.content, "content"),
            self._text(event.product, "product"),
            self._text(event.order_id, "order_id"),
            _values.int64(event.quantity, "quantity"),
            value,
            self._name(currency, "currency"),
            self._json(event.properties),
            items,
            n_items,
        )

    def _money(self, source: Union[Event, Item]) -> int:
        if source.value is None:
            return _values.int64(source.value_minor, "value_minor")
        if source.value_minor is not None:
            raise InvalidError("value: is given twice, as value and as value_minor")
        if isinstance(source.value, Decimal):
            return _values.minor(source.value, self._context.exponent(), "value")
        return _values.minor(source.value, 0, "value")  # says what is wrong

    def _identifiers(self, event: Event) -> Tuple[int, int]:
        pairs = _pairs(event.identifiers)
        pairs += [(k, v) for k in KINDS if (v := getattr(event, k)) is not None]
        packed = b"".join(
            _IDENTIFIER.pack(
                _IDENTIFIER.size,
                self._name(kind, "identifier kind"),
                self._put(_values.required(value, kind)),
            )
            for kind, value in pairs
        )
        return self._put(packed) if packed else 0, len(pairs)

    def _items(self, event: Event) -> Tuple[int, int]:
        if event.items is None:
            return 0, 0
        packed = b"".join(self._item(_made(Item, item)) for item in event.items)
        return self._put(packed) if packed else 0, len(packed) // _ITEM.size

    def _item(self, item: Item) -> bytes:
        return _ITEM.pack(
            _ITEM.size,
            self._put(_values.required(item.product, "product")),
            _values.int64(item.quantity, "quantity"),
            self._money(item),
            self._json(item.properties),
        )

    def _json(self, value: Optional[Json]) -> int:
        if value is None:
            return 0
        return self._put(_values.json_object(value, "properties") or b"")

    def _text(self, value: Optional[Text], what: str) -> int:
        return 0 if value is None else self._put(_values.required(value, what))

    def _name(self, value: Optional[str], what: str) -> int:
        """A text that repeats: stored once."""
        if value is None:
            return 0
        if type(value) is not str:
            return self._text(value, what)
        if value not in self._names:
            self._names[value] = self._text(value, what)
        return self._names[value]

    def _put(self, data: bytes) -> int:
        """Copy bytes and a NUL to memory that stays; the address, a multiple of 8."""
        size = len(data) + 1
        at = (self._used + 7) & ~7
        if at + size > len(self._view):
            grown = min(2 * len(self._view), self._MOST)
            chunk = bytearray(max(self._FIRST, grown, size))
            anchor = (c_char * len(chunk)).from_buffer(chunk)
            self._chunks.append(anchor)
            self._view, self._base, at = memoryview(chunk), addressof(anchor), 0
        self._view[at : at + len(data)] = data
        self._used = at + size
        return self._base + at
