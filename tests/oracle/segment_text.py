"""The text of a segment read into nested tuples, as docs/SEGMENTS.md writes the grammar; the
values that segments reckon with; and the calendar of the shop, which is Python's own.
Part of the second opinion on segments (segments.py): shares no line with the library.

    parse('orders(last 90 days) = 0 and country = "DE"', Shop("Europe/Berlin", "EUR"))
"""

import json
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

SECOND, MINUTE, HOUR, DAY, WEEK = 1000, 60_000, 3_600_000, 86_400_000, 604_800_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Shop:
    """What all profiles share."""

    def __init__(self, zone="UTC", currency="EUR", exponent=2, segments=None):
        self.zone = ZoneInfo(zone)
        self.currency = currency
        self.exponent = exponent
        self.segments = segments or {}  # name: parsed segment, for in_segment()


# ---- values: None (missing), bool, float, str, list, dict, and these two ----------------


class Money(NamedTuple):
    minor: int


class Time(NamedTuple):
    ms: int


class AnyCase(str):
    """A text that was written i"...": compares without regard to the case of A to Z.  As part
    of a tree it is another than the same letters without the i."""

    def __eq__(self, other):
        return isinstance(other, AnyCase) and str.__eq__(self, other)

    def __hash__(self):
        return hash(("any case", str(self)))


class Number(float):
    """A number of JSON, which remembers how it was written."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number


def read_json(text):
    return None if text is None else json.loads(text, parse_int=Number, parse_float=Number)


def lower(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


# ---- the calendar ----------------------------------------------------------------------


@lru_cache(maxsize=200_000)
def local(ms, zone):
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(zone)


def to_ms(moment):
    return (moment.astimezone(timezone.utc) - EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=200_000)
def midnight(day, zone):
    """The instant at which a local date begins."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=zone))


@lru_cache(maxsize=200_000)
def local_date(ms, zone):
    """What the calendar on the wall says."""
    return local(ms, zone).date()


def local_day(ms, zone):
    """The day that began last.  It is another than the local date only where the clock went
    back over midnight and a date comes twice."""
    day = local_date(ms, zone)
    return day + timedelta(days=1) if ms >= midnight(day + timedelta(days=1), zone) else day


def first_day(unit, day, back=0):
    """The day on which the day's unit begins, or the unit that many before it."""
    if unit == "day":
        return day - timedelta(days=back)
    if unit == "week":
        return day - timedelta(days=day.weekday() + 7 * back)
    months = day.year * 12 + day.month - 1 - back if unit == "month" else (day.year - back) * 12
    return date(months // 12, months % 12 + 1, 1)


def unit_start(unit, ms, zone, back=0):
    return midnight(first_day(unit, local_day(ms, zone), back), zone)


ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


@lru_cache(maxsize=200_000)
def iso_time(text, zone):
    """Milliseconds of a text such as 2025-03-01 or 2025-03-01T10:30Z; None: it is none."""
    found = ISO.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    if offset and hour is None:
        return None
    try:
        moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    rest = int(((fraction or "") + "000")[:3])
    if offset == "Z":
        moment = moment.replace(tzinfo=timezone.utc)
    elif offset:
        ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
        moment = moment.replace(tzinfo=timezone(-ahead if offset[0] == "-" else ahead))
    else:
        moment = moment.replace(tzinfo=zone)
    return to_ms(moment) + rest


# ---- reading the text --------------------------------------------------------------------

TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*)
      | (?P<text>i?"(?:[^"\\]|\\.)*")
      | (?P<date>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>->|!=|<=|>=|\[\]|[=<>+\-*/(),.%])""",
    re.VERBOSE | re.ASCII,
)

RESERVED = set(
    "and or not true false between in contains starts ends like has is before after on within anniversary where any of"
    " by same last next ever today yesterday this previous since until from".split()
)
UNITS = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
FIELDS = set("channel session campaign content product order quantity value currency hour weekday weekend".split())
WINDOW_WORDS = set("ever last between today yesterday this previous since until from".split())

# The arguments of each function, a letter each: s selector, f field, h one selector of
# another, q steps, w one selector by another, p k of n periods, t text, n number, d duration,
# e a value, k a bare word, r a trait, b texts or a filter; "?" may be left out.  "+": then,
# perhaps, a window.
FUNCTIONS = {
    "count": "s+", "sum": "fs+", "avg": "fs+", "min": "fs+", "max": "fs+", "distinct": "fs+", "share": "h+",
    "first": "s+", "last": "s+", "first_value": "fs+", "last_value": "fs+", "days_since": "e", "hours_since": "e",
    "first_time": "s+", "regularly": "sp", "stopped": "sd", "restarted": "sd", "more": "sd", "less": "sd",
    "trend": "sd", "median_days_between": "s+", "overdue": "sn", "sequence": "q+", "not_followed": "w+",
    "without": "qs+", "orders": "+", "items": "+", "revenue": "+", "gross": "+", "average_order": "+",
    "largest_order": "+", "refund_share": "+", "bought": "b+", "bought_together": "tt+", "sessions": "+",
    "session_minutes": "+", "pages_per_session": "+", "channels": "+", "channel_share": "k+", "first_channel": "+",
    "last_channel": "+", "top_channel": "+", "touched": "t+", "seen": "t+", "responded": "td", "stage": "k",
    "has": "k", "identifiers": "?k", "shared_device": "", "source": "r", "score": "t", "consent": "tt",
    "in_segment": "t", "in_list": "t", "sample": "nt",
}  # fmt: skip


class SegmentError(Exception):
    pass


class Reader:
    def __init__(self, source, shop):
        self.shop = shop
        self.tokens = []
        at = 0
        while at < len(source):
            found = TOKEN.match(source, at)
            if not found:
                raise SegmentError(f"what is {source[at:at + 10]!r}?")
            if found.lastgroup != "blank":
                self.tokens.append((found.lastgroup, found.group()))
            at = found.end()
        self.tokens += [("end", "")] * 4
        self.at = 0

    # -- one token at a time

    def kind(self, ahead=0):
        return self.tokens[self.at + ahead][0]

    def raw(self, ahead=0):
        return self.tokens[self.at + ahead][1]

    def word(self, ahead=0):
        """The token in lower case; texts are never words."""
        return self.raw(ahead).lower() if self.kind(ahead) in ("name", "sign") else ""

    def next(self):
        self.at += 1
        return self.raw(-1)

    def take(self, *words):
        """Take these words if they are next."""
        if any(self.word(i) != word for i, word in enumerate(words)):
            return False
        self.at += len(words)
        return True

    def need(self, *words):
        if not self.take(*words):
            raise SegmentError(f"expected {' '.join(words)}, not {self.raw()!r}")

    # -- conditions

    def segment(self):
        tree = self.either()
        if self.kind() != "end":
            raise SegmentError(f"what follows {self.raw(-1)!r} is not understood: {self.raw()!r}")
        return tree

    def either(self):
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else ("or", *parts)

    def both(self):
        parts = [self.negation()]
        while self.take("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else ("and", *parts)

    def negation(self):
        return ("not", self.negation()) if self.take("not") else self.comparison()

    def comparison(self):
        left = self.sum()
        if self.word() == "not" and self.word(1) in ("between", "in", "contains", "starts", "ends", "like"):
            self.next()
            return ("not", self.relation(left, self.sum))
        found = self.relation(left, self.sum)
        return self.moment(left) if found is left else found

    def relation(self, left, right):
        """The relation that follows left, or left itself; right reads a right side."""
        for sign in ("=", "!=", "<", "<=", ">", ">="):
            if self.take(sign):
                return ("compare", sign, left, right())
        if self.take("between"):
            low = right()
            self.need("and")
            return ("between", left, low, right())
        if self.take("in", "next"):
            return ("anniversary", left, "next", self.duration())
        if self.take("in"):
            return ("in", left, self.list())
        if self.take("contains"):
            return ("contains", left, self.literal())
        for word in ("starts", "ends"):
            if self.take(word, "with"):
                return (word, left, self.literal())
        if self.take("like"):
            return ("like", left, self.literal())
        if self.take("has"):
            quantifier = self.next().lower()
            self.need("of")
            return ("has", quantifier, left, self.list())
        if self.take("is"):
            negated = self.take("not")
            found = ("is", self.next().lower(), left)
            return ("not", found) if negated else found
        return left

    def moment(self, left):
        for word in ("before", "after"):
            if self.take(word):
                return (word, left, self.sum())
        if self.take("on"):
            return ("on", left, self.literal())
        for word in ("last", "next"):
            if self.take("within", word):
                return ("within_" + word, left, self.duration())
        if self.take("anniversary", "in"):
            if self.take("today"):
                return ("anniversary", left, "next", ("duration", 0))
            return ("anniversary", left, self.next().lower(), self.duration())
        if self.take("within"):
            km = float(self.next())
            self.need("km", "of", "(")
            latitude = self.literal()
            self.need(",")
            longitude = self.literal()
            self.need(")")
            return ("near", left, km, latitude[1], longitude[1])
        return left

    # -- values

    def sum(self):
        left = self.product()
        while self.word() in ("+", "-"):
            left = ("reckon", self.next(), left, self.product())
        return left

    def product(self):
        left = self.unary()
        while self.word() in ("*", "/"):
            left = ("reckon", self.next(), left, self.unary())
        return left

    def unary(self):
        if not self.take("-"):
            return self.primary()
        inside = self.unary()
        return opposite_literal(inside) or ("negative", inside)

    def primary(self):
        if self.take("("):
            inside = self.either()
            self.need(")")
            return inside
        if self.word() in ("true", "false") or self.kind() in ("text", "date", "number"):
            return self.literal()
        if self.kind() != "name":
            raise SegmentError(f"expected a value, not {self.raw()!r}")
        if self.word() in FUNCTIONS and self.word(1) == "(":
            return self.call()
        if self.word() in ("first", "last") and self.kind(1) == "name":
            return ("call", self.next().lower(), (self.selector(),), ("ever",))
        if self.take("trait", "("):
            name = self.text()
            self.need(")")
            return ("trait", name, ())
        if self.word() in RESERVED:
            raise SegmentError(f"{self.raw()!r} stands where a value should")
        name, path = self.next(), []
        while self.take("."):
            path.append(self.next())
        return ("trait", name, tuple(path))

    def literal(self):
        if self.take("true"):
            return ("truth", True)  # not ("literal", True): in Python that equals ("literal", 1.0)
        if self.take("false"):
            return ("truth", False)
        if self.take("-"):
            return opposite_literal(self.literal())
        if self.kind() == "text":
            any_case = self.raw().startswith("i")
            text = json.loads(self.next().removeprefix("i"))
            return ("literal", AnyCase(text) if any_case else text)
        if self.kind() == "date":
            ms = iso_time(self.next(), self.shop.zone)
            if ms is None:
                raise SegmentError("there is no such date")
            return ("literal", Time(ms))
        if self.kind() != "number":
            raise SegmentError(f"expected a literal, not {self.raw()!r}")
        number = self.next()
        if self.take("%"):
            return ("literal", float(Fraction(number) / 100))
        if self.kind() == "name" and re.fullmatch("[A-Z]{3}", self.raw()) and self.word() not in RESERVED:
            return ("literal", self.money(number, self.next()))
        return ("literal", float(number))

    def money(self, number, currency):
        if currency != self.shop.currency:
            raise SegmentError(f"money is in {self.shop.currency}")
        minor = Decimal(number).scaleb(self.shop.exponent)
        if minor != int(minor):
            raise SegmentError(f"{currency} has {self.shop.exponent} digits")
        return Money(int(minor))

    def list(self):
        self.need("(")
        values = [self.literal()]
        while self.take(","):
            values.append(self.literal())
        self.need(")")
        return tuple(values)

    def text(self):
        if self.kind() != "text":
            raise SegmentError(f"expected a text, not {self.raw()!r}")
        return self.literal()[1]

    def duration(self):
        number = self.next()
        return ("duration", int(number) * UNITS[self.next().lower().removesuffix("s")])

    # -- selectors and filters

    def selector(self, filters=False):
        """("select", which, name, filter): which is "event", "any", "orders" or "refunds"."""
        if self.kind() == "text":
            which, name = "event", str(self.text())
        elif self.take("any"):
            which, name = "any", ""
        elif self.raw() in ("orders", "refunds"):
            which, name = self.next(), ""
        elif self.kind() == "name" and self.word() not in RESERVED:
            which, name = "event", self.next()
        else:
            raise SegmentError(f"expected an event, not {self.raw()!r}")
        return ("select", which, name, self.filter_either() if filters and self.take("where") else None)

    def filter_either(self):
        parts = [self.filter_both()]
        while self.take("or"):
            parts.append(self.filter_both())
        return parts[0] if len(parts) == 1 else ("or", *parts)

    def filter_both(self):
        parts = [self.filter_negation()]
        while self.take("and"):
            parts.append(self.filter_negation())
        return parts[0] if len(parts) == 1 else ("and", *parts)

    def filter_negation(self):
        if self.take("not"):
            return ("not", self.filter_negation())
        if self.take("("):
            inside = self.filter_either()
            self.need(")")
            return inside
        field = self.field()
        if self.word() == "not":
            self.next()
            return ("not", self.relation(field, self.literal))
        return self.relation(field, self.literal)

    def field(self):
        name = self.next()
        if name.lower() != "properties":
            if name.lower() not in FIELDS:
                raise SegmentError(f"an event has no field {name}")
            return ("field", name.lower(), ())
        path = []
        while self.word() in (".", "[]"):
            path.append("[]" if self.take("[]") or self.take(".", "[]") else self.next() and self.next())
        return ("field", "properties", tuple(path))

    # -- functions

    def call(self):
        name = self.next().lower()
        self.need("(")
        letters = FUNCTIONS[name]
        arguments, window, same = [], ("ever",), None
        for letter in letters.replace("+", "").replace("?", ""):
            if "?" in letters and self.word() == ")":
                break
            if arguments:
                self.need(",")
            arguments.append(self.argument(letter))
        if name == "sequence" and self.take(",", "same"):
            same = self.next().lower()
        if "+" in letters and self.word() != ")":
            if letters != "+":
                self.need(",")
            window = self.window()
        self.need(")")
        return ("call", name, (*arguments, same) if name == "sequence" else tuple(arguments), window)

    def argument(self, letter):
        if letter == "s":
            return self.selector(filters=True)
        if letter == "f":
            return self.field()
        if letter == "h":
            part = self.selector(filters=True)
            self.need("of")
            return ("pair", part, self.selector(filters=True), None)
        if letter == "w":
            first = self.selector(filters=True)
            self.need("by")
            second = self.selector(filters=True)
            self.need("within")
            return ("pair", first, second, self.duration())
        if letter == "q":
            return self.steps()
        if letter == "p":
            return self.periods()
        if letter == "d":
            return self.duration()
        if letter == "n":
            return self.literal()[1]
        if letter == "t":
            return self.text()
        if letter == "e":
            return self.sum()
        if letter == "b":
            return self.products()
        if letter == "r":
            return self.primary()
        return self.text() if self.kind() == "text" else self.next()

    def steps(self):
        steps = [(self.selector(filters=True), None)]
        while self.take("->"):
            step = self.selector(filters=True)
            steps.append((step, self.duration() if self.take("within") else None))
        return ("steps", *steps)

    def periods(self):
        k = int(self.next())
        self.need("of", "last")
        n = int(self.next())
        return ("periods", k, n, self.next().lower().removesuffix("s"))

    def products(self):
        if self.take("where"):
            condition = self.filter_either()
        elif self.word() == "(":
            condition = ("in", ("field", "product", ()), self.list())
        else:
            condition = ("compare", "=", ("field", "product", ()), self.literal())
        return ("select", "event", "order_item", condition)

    def window(self):
        if self.take("ever"):
            return ("ever",)
        for word in ("today", "yesterday"):
            if self.take(word):
                return (word,)
        if self.take("last"):
            return ("ago", self.duration(), ("duration", 0))
        if self.take("between"):
            return self.between_ago()
        for word in ("this", "previous"):
            if self.take(word):
                return (word, self.next().lower())
        if self.take("since", "last"):
            return ("since_last", self.selector())
        if self.take("since"):
            return ("span", self.literal()[1], None)
        if self.take("until"):
            return ("span", None, self.literal()[1])
        self.need("from")
        begin = self.literal()[1]
        self.need("to")
        return ("span", begin, self.literal()[1])

    def between_ago(self):
        if self.word(1) == "and":  # between 90 and 30 days ago
            number = self.next()
            self.need("and")
            younger = self.duration()
            older = ("duration", int(number) * UNITS[self.raw(-1).lower().removesuffix("s")])
        else:
            older = self.duration()
            self.need("and")
            younger = self.duration()
        self.need("ago")
        return ("ago", older, younger)


def opposite_literal(node):
    if node[0] == "literal" and isinstance(node[1], Money):
        return ("literal", Money(-node[1].minor))
    return ("literal", -node[1]) if node[0] == "literal" and isinstance(node[1], float) else None


def parse(source, shop):
    return Reader(source, shop).segment()
