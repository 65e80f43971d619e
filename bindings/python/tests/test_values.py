"""Python values to the library's, exact or refused.  Needs no library."""

from __future__ import annotations

import datetime as dt
import json
import random
from decimal import Decimal

import pytest

from cjourney import InvalidError, _ffi, _values
from cjourney.events import Context, Event, event_array, event_of, identifier_array

INT64_MAX = 2**63 - 1


def no_parse(text: bytes) -> int:
    raise AssertionError(f"asked the library about {text!r}")


CONTEXT = Context(parse_time=no_parse, exponent=lambda: 2, currency=lambda: "EUR")


# ---- money -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, exponent, minor",
    [
        ("12.50", 2, 1250),
        ("12.5", 2, 1250),
        ("-0.01", 2, -1),
        ("12.500", 2, 1250),
        ("1E+2", 2, 10000),
        ("1250", 0, 1250),
        ("1.234", 3, 1234),
        ("0", 2, 0),
        ("-0.00", 2, 0),
        ("0E+400", 2, 0),
        ("0E-400", 2, 0),
        ("92233720368547758.07", 2, INT64_MAX),
        ("-92233720368547758.08", 2, -INT64_MAX - 1),
    ],
)
def test_money_is_exact(value, exponent, minor):
    assert _values.minor(Decimal(value), exponent, "value") == minor


@pytest.mark.parametrize(
    "value",
    ["0.001", "12.505", "1E-400", "92233720368547758.08", "1E+17", "1E+400", "NaN",
     "Infinity", "-Infinity"],
)  # fmt: skip
def test_money_that_does_not_fit_is_refused(value):
    with pytest.raises(InvalidError, match="^CJ_EINVAL: value: "):
        _values.minor(Decimal(value), 2, "value")


@pytest.mark.parametrize("value", [12.5, 12.0, 12, "12.50", True, b"1"])
def test_money_that_is_no_decimal_is_refused(value):
    with pytest.raises(InvalidError, match="value_minor"):
        _values.minor(value, 2, "value")


def test_money_agrees_with_decimal_arithmetic():
    dice = random.Random(1)
    for _ in range(2000):
        exponent = dice.randrange(0, 4)
        value = Decimal(dice.randrange(-(10**12), 10**12)).scaleb(-dice.randrange(0, 6))
        scaled = value.scaleb(exponent)
        if scaled == scaled.to_integral_value():
            assert _values.minor(value, exponent, "v") == int(scaled)
        else:
            with pytest.raises(InvalidError, match=f"{exponent} decimals"):
                _values.minor(value, exponent, "v")


# ---- whole numbers, texts ----------------------------------------------------------


@pytest.mark.parametrize("value", [0, 1, -1, INT64_MAX, -INT64_MAX - 1])
def test_int64_fits(value):
    assert _values.int64(value, "n") == value


@pytest.mark.parametrize("value", [INT64_MAX + 1, -INT64_MAX - 2, 10**30])
def test_int64_is_not_cut(value):
    with pytest.raises(InvalidError, match="n: does not fit 64 bits"):
        _values.int64(value, "n")


@pytest.mark.parametrize("value", [1.0, "1", True, Decimal(1), [1]])
def test_int64_takes_whole_numbers_only(value):
    with pytest.raises(InvalidError, match="n: a whole number is wanted"):
        _values.int64(value, "n")


def test_int32_is_not_cut():
    assert _values.int32(2**31 - 1, "n") == 2**31 - 1
    with pytest.raises(InvalidError, match="32 bits"):
        _values.int32(2**31, "n")


def test_texts():
    assert _values.text(None, "t") is None
    assert _values.text("Zoë €\U0001f600", "t") == "Zoë €\U0001f600".encode()
    assert _values.text(17850, "t") == b"17850"
    for wrong in ["a\0b", "\ud800", b"bytes", 1.5, True]:
        with pytest.raises(InvalidError, match="^CJ_EINVAL: t: "):
            _values.text(wrong, "t")


# ---- times -------------------------------------------------------------------------


def test_times():
    berlin = dt.timezone(dt.timedelta(hours=2))
    at = dt.datetime(2024, 5, 1, 14, 0, 0, 123999, tzinfo=berlin)
    assert _values.time_ms(at, "time", no_parse) == 1714564800123
    early = dt.datetime(1969, 12, 31, 23, 59, 59, 999500, tzinfo=dt.timezone.utc)
    assert _values.time_ms(early, "time", no_parse) == -1
    assert _values.time_ms(1714564800123, "time", no_parse) == 1714564800123
    assert _values.time_ms(None, "time", no_parse) == 0


def test_texts_and_dates_are_read_by_the_library():
    asked = []
    parse = lambda text: asked.append(text) or 7  # noqa: E731
    assert _values.time_ms("2024-05-01 12:00", "time", parse) == 7
    assert _values.time_ms(dt.date(2024, 5, 1), "time", parse) == 7
    assert asked == [b"2024-05-01 12:00", b"2024-05-01"]


@pytest.mark.parametrize(
    "value", [dt.datetime(2024, 5, 1), 1714564800.5, True, object()]
)
def test_times_that_could_mean_two_things_are_refused(value):
    with pytest.raises(InvalidError, match="^CJ_EINVAL: time: "):
        _values.time_ms(value, "time", no_parse)


# ---- JSON --------------------------------------------------------------------------


def test_json_text_stays_byte_for_byte():
    assert _values.json_object(' {"a" : 1.50}', "p") == b' {"a" : 1.50}'
    assert _values.json_object(None, "p") is None


def test_json_writes_decimals_and_dates_exactly():
    written = _values.json_object(
        {
            "price": Decimal("12.50"),
            "big": 2**60,
            "when": dt.datetime(2024, 5, 1, tzinfo=dt.timezone.utc),
            "day": dt.date(2024, 5, 1),
            "deep": [{}, [], {"a": (Decimal("1E+2"), None, True, "ü\n")}],
        },
        "p",
    )
    assert b'"price":12.50' in written
    assert json.loads(written, parse_float=Decimal) == {
        "price": Decimal("12.50"),
        "big": 2**60,
        "when": "2024-05-01T00:00:00+00:00",
        "day": "2024-05-01",
        "deep": [{}, [], {"a": [Decimal("1E+2"), None, True, "ü\n"]}],
    }


def test_both_json_encoders_agree():
    value = {"a": [1, 2.5, None, {"b": "ü"}], "c": {}, "d": [], "e": -0.0}
    parts: list[str] = []
    _values._write(value, parts, "p", 0)
    assert json.loads("".join(parts)) == json.loads(_values.json_object(value, "p"))


def test_json_refuses_what_json_lacks():
    circle: dict = {}
    circle["self"] = circle
    wrong = [{"a": float("nan")}, {"a": Decimal("NaN")}, {"a": {1, 2}},
             {1: Decimal(1)}, [1], 5, circle, {"a": "\ud800"}]  # fmt: skip
    for value in wrong:
        with pytest.raises(InvalidError, match="^CJ_EINVAL: p: "):
            _values.json_object(value, "p")


# ---- events ------------------------------------------------------------------------


def test_an_event_fills_its_struct():
    array = event_array(
        [
            event_of(
                {
                    "name": "order",
                    "identifiers": {"email": ["a@x.de", "b@x.de"]},
                    "user_id": 7,
                    "time": 1000,
                    "channel": "web",
                    "message_id": "m1",
                    "session": 5,
                    "campaign": "spring",
                    "content": "banner",
                    "product": "P",
                    "order_id": "A1",
                    "quantity": 3,
                    "value": Decimal("25.90"),
                    "currency": "EUR",
                    "properties": {"a": 1},
                    "items": [
                        {"product": "mug", "quantity": 2, "value": Decimal("20")},
                        {"product": 17, "value_minor": 590, "properties": "{}"},
                    ],
                }
            )
        ],
        CONTEXT,
        numbered=True,
    )
    event = array[0]
    names = [name for name, _ in _ffi.Event._fields_]
    texts = {
        n: getattr(event, n) for n in names if isinstance(getattr(event, n), bytes)
    }
    assert texts == {
        "name": b"order",
        "channel": b"web",
        "message_id": b"m1",
        "session": b"5",
        "campaign": b"spring",
        "content": b"banner",
        "product": b"P",
        "order_id": b"A1",
        "currency": b"EUR",
        "properties": b'{"a":1}',
    }
    assert (event.time_ms, event.quantity, event.value_minor) == (1000, 3, 2590)
    kinds = [(i.kind, i.value) for i in event.identifiers[: event.n_identifiers]]
    assert kinds == [(b"email", b"a@x.de"), (b"email", b"b@x.de"), (b"user_id", b"7")]
    items = event.items[: event.n_items]
    assert [(i.product, i.quantity, i.value_minor) for i in items] == [
        (b"mug", 2, 2000),
        (b"17", 0, 590),
    ]
    assert items[1].properties == b"{}"
    for struct in [event, *event.identifiers[:3], *items]:
        assert struct.struct_size == _ffi.SIZES[type(struct)]


def test_an_empty_event_has_nothing_set():
    event = event_array([Event("visit")], CONTEXT, numbered=False)[0]
    for name, _ in _ffi.Event._fields_:
        if name not in ("struct_size", "name"):
            assert not getattr(event, name), name


@pytest.mark.parametrize("value", [{"value": Decimal(0)}, {"value_minor": 0}])
def test_a_value_of_zero_is_a_value(value):
    events = [Event("visit", **value), Event("visit", **value, currency="GBP")]
    array = event_array(events, CONTEXT, numbered=False)
    assert [event.currency for event in array] == [b"EUR", b"GBP"]


@pytest.mark.parametrize(
    "event, text",
    [
        ({"name": "order", "value": 12.5}, "value: a float is not exact money"),
        ({"name": "order", "value": Decimal("1.005")}, "value: has more than"),
        ({"name": "order", "value": Decimal(1), "value_minor": 1}, "given twice"),
        ({"name": "order", "quantity": 1.5}, "quantity: a whole number"),
        ({"name": "order", "emial": "x"}, "no field is called emial"),
        ({"email": "x"}, "name: is missing"),
        ({"name": "order", "items": [{"quantity": 1}]}, "product: is missing"),
        ({"name": "order", "items": [{"product": "a", "value": 0.1}]}, "a float"),
        ({"name": "order", "items": ["mug"]}, "Item or a mapping is wanted, not str"),
        ({"name": "order", "identifiers": 5}, "a mapping or pairs"),
        ({"name": "order", "identifiers": {"email": 1.5}}, "email: text is wanted"),
        ({"name": "order", "identifiers": {"email": None}}, "email: is missing"),
        ({"name": "order", "time": 1e12}, "time: whole milliseconds"),
        ({"name": "or\0der"}, "name: a text cannot hold a NUL"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_with_its_row(event, text):
    with pytest.raises(InvalidError, match=text) as caught:
        events = [Event("visit"), event_of(event)]
        event_array(events, CONTEXT, numbered=True)
    assert caught.value.position in (1, None)


def test_identifiers_from_pairs_mappings_and_kinds():
    for given in ({"email": "a"}, [("email", "a")], iter([("email", "a")])):
        array = identifier_array(given, [("user_id", 7), ("phone", None)])
        assert [(i.kind, i.value) for i in array] == [
            (b"email", b"a"),
            (b"user_id", b"7"),
        ]
