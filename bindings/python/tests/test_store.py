"""Store: each method does what its sentence says, and its errors say what is wrong."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import re
import warnings
from decimal import Decimal

import pytest
from conftest import PACKAGE

import cjourney
from cjourney import Event, Item, RfmClass

MAY = dt.datetime(2024, 5, 1, 12, tzinfo=dt.timezone.utc)
MAY_MS = 1714564800000


# ---- open and close ----------------------------------------------------------------


def test_open_creates_a_file_and_close_ends_its_use(path):
    store = cjourney.open(path)
    assert path.exists() and path.stat().st_mode & 0o777 == 0o600
    assert repr(store) == f"<cjourney.Store {str(path)!r}>"
    store.close()
    store.close()
    assert store.closed and " closed" in repr(store)
    with pytest.raises(cjourney.MisuseError, match="CJ_EMISUSE: the store is closed"):
        store.stats()


def test_a_store_is_a_context_manager(path):
    with cjourney.open(str(path)) as store:
        store.record("visit", user_id=1)
    assert store.closed
    with cjourney.open(path) as store:
        assert len(store.events()) == 1


def test_what_a_file_was_made_with_stays(path):
    cjourney.open(path, currency="GBP", time_zone="Europe/London").close()
    cjourney.open(path, currency="GBP", time_zone="Europe/London").close()
    cjourney.open(path).close()
    with pytest.raises(cjourney.InvalidError):
        cjourney.open(path, currency="EUR")
    with pytest.raises(cjourney.InvalidError):
        cjourney.open(path, time_zone="Europe/Berlin")


def test_open_modes(path):
    with pytest.raises(cjourney.NotFoundError) as caught:
        cjourney.open(path, create=False)
    assert (caught.value.code, caught.value.name) == (-7, "CJ_ENOTFOUND")
    assert isinstance(caught.value, LookupError) and not path.exists()
    with pytest.raises(cjourney.NotFoundError):
        cjourney.open(path, read_only=True)
    cjourney.open(path).close()
    with cjourney.open(path, read_only=True) as store:
        assert len(store.events()) == 0
        with pytest.raises(cjourney.ReadOnlyError):
            store.record("visit", user_id=1)


def test_a_foreign_file_is_refused_and_untouched(path):
    path.write_bytes(b"not ours" * 1000)
    with pytest.raises(cjourney.VersionError):
        cjourney.open(path)
    assert path.read_bytes() == b"not ours" * 1000


def test_wrong_options(path):
    for wrong in ({"currency": "XXY"}, {"time_zone": "Mars/Base"}, {"busy_ms": 1.5},
                  {"currency": "E\0R"}):  # fmt: skip
        with pytest.raises(cjourney.InvalidError) as caught:
            cjourney.open(path, **wrong)
        assert isinstance(caught.value, ValueError)
        assert caught.value.message and "\n" not in caught.value.message


def test_deferred_recording_is_durable_after_flush(path):
    with cjourney.open(path, deferred=True, commit_ms=1000) as store:
        store.record("visit", user_id=1)
        store.flush()
        with cjourney.open(path) as other:
            assert len(other.events()) == 1


def test_a_dropped_store_is_closed(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store = cjourney.open(path, deferred=True, commit_ms=60_000)
        store.record("visit", user_id=1)
        handle = store._handle
        del store
    assert handle.closed
    with cjourney.open(path) as store:
        assert len(store.events()) == 1


# ---- recording ---------------------------------------------------------------------


def test_record_keeps_every_field(store):
    store.record(
        "product_view",
        email="Ann@Example.com",
        time=MAY,
        channel="web",
        message_id="m1",
        session="s1",
        campaign="spring",
        content="banner",
        product="mug",
        quantity=2,
        value=Decimal("12.50"),
        currency="EUR",
        properties={"colour": "blue", "price": Decimal("6.25")},
    )
    (row,) = store.events().to_dicts()
    profile = store.find_profile("email", "ann@example.com")
    assert row.pop("properties") == '{"colour":"blue","price":6.25}'
    assert row == {
        "profile": profile,
        "node": profile,
        "time_ms": MAY_MS,
        "name": "product_view",
        "channel": "web",
        "session": "s1",
        "campaign": "spring",
        "content": "banner",
        "product": "mug",
        "order_id": None,
        "quantity": 2,
        "value_minor": 1250,
        "currency": row["currency"],
    }
    assert row["currency"] in (None, "EUR")


def test_a_value_of_zero_is_not_lost(store):
    store.record("coupon", user_id=1, time=1, value=Decimal(0))
    store.record("coupon", user_id=1, time=2)
    assert [row.value_minor for row in store.events()] == [0, None]


def test_an_order_with_items(store):
    items = [
        Item("mug", quantity=2, value=Decimal("20.00")),
        {"product": "lid", "value_minor": 590, "properties": {"gift": True}},
    ]
    store.record("order", user_id=7, order_id="A1", time=MAY,
                 value=Decimal("25.90"), items=items)  # fmt: skip
    rows = [
        (r.name, r.product, r.quantity, r.value_minor, r.order_id)
        for r in store.events()
    ]
    assert rows == [
        ("order", None, None, 2590, "A1"),
        ("order_item", "mug", 2, 2000, "A1"),
        ("order_item", "lid", 1, 590, "A1"),
    ]


def test_unicode_comes_back_as_it_was(store):
    words = ["Zoë", "日本語", "\U0001f600", "a\u0301", "línea"]
    for word in words:
        store.record("visit", user_id=word, channel=word, properties={word: word})
    rows = store.events().to_dicts()
    assert [row["channel"] for row in rows] == words
    assert [json.loads(row["properties"]) for row in rows] == [{w: w} for w in words]
    assert store.find_profile("user_id", "日本語") == rows[1]["profile"]


def test_the_same_message_is_recorded_once(store):
    for _ in range(3):
        store.record("visit", user_id=1, message_id="m1", time=MAY)
    result = store.record_many(
        [
            {"name": "visit", "user_id": 1, "message_id": "m1", "time": MAY},
            Event("visit", user_id=1, message_id="m2", time=MAY),
        ]
    )
    assert result == cjourney.RecordResult(1, 1, 0, None)
    assert len(store.events()) == 2


def test_a_rejected_event_is_kept_and_can_be_tried_again(store):
    with pytest.raises(cjourney.RejectError) as caught:
        store.record("visit", user_id=1, properties="{not json")
    assert caught.value.code == -13 and caught.value.message
    (failed,) = store.failed_events()
    assert failed.source == "record" and failed.reason and "visit" in failed.bytes
    result = store.failed_retry()
    assert (result.recorded, result.rejected) == (0, 1)
    assert len(store.failed_events()) == 1


def test_what_is_rejected_does_not_stop_the_others(store):
    good = {"name": "visit", "user_id": 1}
    result = store.record_many(
        [good, {"name": "visit"}, good, {"name": "", "user_id": 1}]
    )
    assert result == cjourney.RecordResult(2, 0, 2, 1)
    assert len(store.events()) == 2 and len(store.failed_events()) == 2


def test_what_python_cannot_convert_names_its_row_and_records_nothing(store):
    good = {"name": "order", "user_id": 1, "value": Decimal("1")}
    for wrong in ({**good, "value": 1.0}, {**good, "valeu": 1}, 5):
        with pytest.raises(cjourney.InvalidError) as caught:
            store.record_many([good, good, wrong])
        assert caught.value.position == 2 and "(at 2)" in str(caught.value)
    assert len(store.events()) == 0 and len(store.failed_events()) == 0


def test_record_many_takes_generators_and_nothing(store):
    assert store.record_many([]) == cjourney.RecordResult(0, 0, 0, None)
    made = ({"name": "visit", "user_id": f"u{i}"} for i in range(20_000))  # a long call
    assert store.record_many(made).recorded == 20_000


def test_record_json(store):
    own = {"name": "visit", "identifiers": {"user_id": "1"}, "time": "2024-05-01"}
    text = json.dumps(own)
    assert store.record_json(text).recorded == 1
    assert store.record_json(f"[{text},{text}]".encode()).recorded == 2
    assert store.record_json(f"{text}\n{text}\n").recorded == 2
    result = store.record_json(f"{text}\nnot json\n")
    assert (result.recorded, result.rejected, result.first_reject) == (1, 1, 1)
    track = {"type": "track", "event": "Signed Up", "userId": "9", "messageId": "x",
             "timestamp": "2024-05-01T00:00:00Z"}  # fmt: skip
    assert store.record_json(json.dumps(track), "segment").recorded == 1
    with pytest.raises(cjourney.InvalidError):
        store.record_json(text, "xml")


@pytest.mark.parametrize("currency, value, minor", [
    ("EUR", "12.50", 1250), ("JPY", "1250", 1250), ("KWD", "1.250", 1250),
])  # fmt: skip
def test_money_is_in_the_stores_currency(path, currency, value, minor):
    with cjourney.open(path, currency=currency) as store:
        store.record("order", user_id=1, value=Decimal(value))
        assert list(store.events()["value_minor"]) == [minor]
        with pytest.raises(cjourney.InvalidError, match="decimals; round it first"):
            store.record("order", user_id=1, value=Decimal("0.00001"))
        with pytest.raises(cjourney.CJourneyError) as caught:
            store.record("order", user_id=1, value_minor=1, currency="CHF")
        assert caught.value.name in ("CJ_EREJECT", "CJ_ECURRENCY")


def test_times_in_texts_are_in_the_stores_zone(path):
    with cjourney.open(path, time_zone="Europe/Berlin") as store:
        store.record("visit", user_id=1, time="2024-05-01 14:00")
        store.record("visit", user_id=1, time=dt.date(2024, 5, 1))
        store.record("visit", user_id=1, time="2024-05-01T12:00:00.001Z")
        assert list(store.events()["time_ms"]) == [
            MAY_MS - 14 * 3_600_000,
            MAY_MS,
            MAY_MS + 1,
        ]
        with pytest.raises(cjourney.InvalidError):
            store.record("visit", user_id=1, time="yesterday")


def test_record_takes_a_whole_event_or_a_name_with_fields(store):
    store.record(Event("visit", {"user_id": 1}))
    store.record({"name": "visit", "user_id": 1})
    with pytest.raises(cjourney.InvalidError, match="not with a whole event"):
        store.record(Event("visit"), user_id=1)
    assert len(store.events()) == 2


# ---- identity ----------------------------------------------------------------------


def test_identify_joins_identifiers_and_keeps_traits(store):
    store.record("visit", device_id="d1")
    profile = store.identify(
        {"email": "ann@example.com"}, device_id="d1", source="crm", time=MAY,
        traits={"city": "Leeds", "credit": Decimal("10.50"), "vip": True},
    )  # fmt: skip
    assert profile == store.find_profile("device_id", "d1")
    known = {(r.kind, r.value) for r in store.identifiers(profile)}
    assert known == {("device_id", "d1"), ("email", "ann@example.com")}
    traits = {r.name: json.loads(r.value) for r in store.traits(profile)}
    assert traits == {"city": "Leeds", "credit": 10.5, "vip": True}
    assert {r.source for r in store.traits(profile)} == {"crm"}
    assert len(store.traits(profile, as_of=MAY - dt.timedelta(days=1))) == 0
    store.identify(email="ann@example.com", traits={"city": None})
    assert "city" not in store.traits(profile)["name"]
    with pytest.raises(TypeError, match="no argument 'emial'"):
        store.identify(emial="x")
    with pytest.raises(cjourney.RejectError):
        store.identify(traits={"a": 1})


def test_alias_and_its_unique_conflict(store):
    store.record("visit", user_id=1)
    store.alias(("email", "a@x.de"), ("user_id", 1))
    assert store.find_profile("email", "a@x.de") == store.find_profile("user_id", 1)
    with pytest.raises(cjourney.ExistsError):
        store.alias(("user_id", 1), ("user_id", 2))
    with pytest.raises(cjourney.InvalidError, match="a pair"):
        store.alias("user_id", ("user_id", 2))


def test_merge_and_unmerge(store):
    for user in (1, 2):
        store.record("order", user_id=user, value_minor=100 * user, time=MAY)
    a, b = store.find_profile("user_id", 1), store.find_profile("user_id", 2)
    before = store.rfm(as_of="2024-06-01").to_dicts()
    edge = store.merge(a, b)
    assert store.find_profile("user_id", 2) == a
    assert [r.monetary_minor for r in store.rfm(as_of="2024-06-01")] == [300]
    row = {r.edge: r for r in store.edges(a)}[edge]
    assert (row.cause, row.state) == ("merge", "joined")
    with pytest.raises(cjourney.ExistsError):
        store.merge(a, b)
    store.unmerge(edge)
    assert store.rfm(as_of="2024-06-01").to_dicts() == before
    assert {r.edge: r for r in store.edges()}[edge].state == "removed"
    with pytest.raises(cjourney.NotFoundError):
        store.merge(a, 999)
    with pytest.raises(cjourney.NotFoundError):
        store.unmerge(999)


def test_unknown_profiles(store):
    for ask in (
        lambda: store.find_profile("user_id", "nobody"),
        lambda: store.identifiers(99),
        lambda: store.traits(99),
    ):
        with pytest.raises(cjourney.NotFoundError) as caught:
            ask()
        assert "nobody" not in caught.value.message  # no customer data in messages
    with pytest.raises(cjourney.InvalidError):
        store.find_profile("shoe_size", "42")


def test_a_blocked_identifier_is_not_used(store):
    store.block_identifier("email", "till@shop.de")
    store.record("visit", user_id=1, email="till@shop.de")
    store.record("visit", user_id=2, email="till@shop.de")
    assert store.find_profile("user_id", 1) != store.find_profile("user_id", 2)
    with pytest.raises(cjourney.ExistsError):
        store.block_identifier("email", "Till@Shop.de")


# ---- reading -----------------------------------------------------------------------


def test_events_are_selected(store):
    hour = 3_600_000
    rows = [Event(name, user_id=user, time=MAY_MS + i * hour)
            for i, (name, user) in enumerate([("a", 1), ("b", 1), ("a", 2), ("b", 2)])]  # fmt: skip
    store.record_many(rows)
    one = store.find_profile("user_id", 1)

    def times(**how):
        return [(ms - MAY_MS) // hour for ms in store.events(**how)["time_ms"]]

    assert times() == [0, 1, 2, 3]
    assert times(profile=one) == [0, 1]
    assert times(name="a") == [0, 2]
    assert times(since=MAY_MS + hour, until=MAY_MS + 3 * hour) == [1, 2]
    assert times(limit=3) == [0, 1, 2]
    assert times(name="nothing") == []
    assert times(threads=3) == times()


def test_stats_and_check(store):
    store.record("order", user_id=1, value_minor=1)
    assert store.stats().columns == ("name", "value", "unit", "meaning")
    facts = {r.name: r.value for r in store.stats()}
    assert facts["currency_exponent"] == 2
    store.compact()
    assert store.check().to_dicts() == []
    assert len(store.events()) == 1


def test_check_says_what_is_damaged(path):
    with cjourney.open(path) as store:
        store.record_many({"name": "visit", "user_id": i} for i in range(2000))
        store.compact()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    for i in range(middle, middle + 4096):
        data[i] ^= 0x5A
    path.write_bytes(data)
    try:
        with cjourney.open(path) as store:
            problems = store.check()
            assert len(problems) > 0 and problems.columns == ("place", "problem")
    except (cjourney.CorruptError, cjourney.VersionError):
        pass  # it was seen even before


# ---- import ------------------------------------------------------------------------

ORDERS = """\
Invoice,When,Item,Qty,Price,Customer,Country
A1,2024-05-01 12:00,mug,2,10.00,7,UK
A1,2024-05-01 12:00,lid,1,5.90,7,UK
A2,2024-05-02 09:30,mug,1,10.00,8,France
A3,2024-05-03 10:00,mug,1,10.00,,France
broken,when?,mug,1,10.00,8,France
"""
MAP = {
    "order": "Invoice",
    "time": "When",
    "product": "Item",
    "quantity": "Qty",
    "unit_price": "Price",
    "user_id": "Customer",
    "trait.country": "Country",
}


def test_import_a_csv_twice(store, tmp_path):
    source, rejects = tmp_path / "orders.csv", tmp_path / "rejects.csv"
    source.write_text(ORDERS)
    calls = []
    result = store.import_file(
        source, map=MAP, guest="Invoice", reject_path=rejects, channel="web",
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    assert (result.lines, result.recorded, result.rejected) == (5, 3, 1)
    assert result.events == 3 + 4
    assert "when?" in rejects.read_text()
    for done, total in calls:
        assert 0 <= done <= total == len(ORDERS)
    text = ",".join(f"{a}={b}" for a, b in MAP.items())
    again = store.import_file(source, map=text, guest="Invoice", channel="web")
    assert (again.recorded, again.duplicates) == (0, 3)
    scores = store.rfm(as_of="2024-06-01", identifier="user_id").to_dicts()
    assert [(r["user_id"], r["monetary_minor"]) for r in scores] == [
        ("7", 2590),
        ("8", 1000),
    ]
    traits = store.traits(store.find_profile("user_id", 8))
    assert [(r.name, r.value) for r in traits] == [("country", '"France"')]


def test_import_errors(store, tmp_path):
    with pytest.raises(cjourney.NotFoundError):
        store.import_file(tmp_path / "nothing.csv")
    source = tmp_path / "a.csv"
    source.write_text(ORDERS)
    with pytest.raises(cjourney.InvalidError):
        store.import_file(source, map={"time": "NoSuchColumn"})
    with pytest.raises(cjourney.InvalidError, match="comma"):
        store.import_file(source, map={"time": "a,b"})
    with pytest.raises(cjourney.InvalidError):
        store.import_file(source, format="xml")


# ---- scores ------------------------------------------------------------------------


def test_rfm_options_are_checked(store):
    store.record("order", user_id=1, value_minor=100, time=MAY)
    with pytest.raises(cjourney.InvalidError, match="recency: is one of days, hours"):
        store.rfm(recency="weeks")
    for wrong in ({"bins": 1}, {"bins": 11}, {"bins": 2**40}, {"r_limits": [2, 1]},
                  {"identifier": "shoe_size"}, {"m_limits": [1.5]},
                  {"as_of": dt.datetime(2024, 1, 1)}):  # fmt: skip
        with pytest.raises(cjourney.InvalidError):
            store.rfm(**wrong)


def test_rfm_with_own_classes_and_decimal_limits(store):
    for user, amount in ((1, 50), (2, 150), (3, 250)):
        store.record("order", user_id=user, value=Decimal(amount), time=MAY)
    classes = [RfmClass("rich", m_min=5), RfmClass("rest")]
    table = store.rfm(
        as_of="2024-06-01", m_limits=[Decimal("100.00"), 200_00], classes=classes
    )
    assert [(r.m, r["class"]) for r in table] == [(1, "rest"), (2, "rest"), (3, "rich")]


def test_the_eleven_classes():
    table = cjourney.rfm_classes()
    assert len(table) == 11 and table.columns[0] == "class"
    assert table["class"][0] == "Champions" and "Cannot Lose" in table["class"]


def test_log_gets_text(path):
    lines = []
    with cjourney.open(
        path, log=lambda code, text: lines.append((code, text))
    ) as store:
        store.record("visit", user_id=1)
        store.compact()
    for code, text in lines:
        assert isinstance(code, int) and isinstance(text, str)


def test_the_readme_runs_as_printed(tmp_path, monkeypatch, capsys):
    text = (PACKAGE / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.S)[1]
    if importlib.util.find_spec("pandas") is None:
        code = code.replace("scores.to_pandas()", "")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "1 7 2590 Lost\n"
