"""What the store says of the value of its customers, over a shop small enough to be
worked out by hand."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from conftest import optional
from value_data import cohort

import cjourney
from cjourney import Event, InterruptError, InvalidError, NotFoundError, ValueModel

ORDERS = """
    ann 2024-01-01 10.00 web    spring
    ann 2024-01-05 20.00 web    -
    ann 2024-01-05 40.00 web    -
    ann 2024-01-15 30.00 email  -
    bob 2024-01-10 50.00 store  -
    cid 2024-02-01  5.00 web    -
    cid 2024-02-09  7.00 web    -
    ann 2024-02-20  8.00 web    -
    bob 2024-02-21  2.00 store  -
    bob 2024-02-22  4.00 store  -
"""
HOUR = "T12:00:00"


@pytest.fixture
def shop(store):
    for line in ORDERS.split("\n"):
        if line.strip():
            who, day, value, channel, campaign = line.split()
            store.record(
                "order",
                user_id=who,
                time=day + HOUR,
                value=Decimal(value),
                channel=channel,
                campaign=None if campaign == "-" else campaign,
            )
    return store


def columns(table, *names) -> list[tuple]:
    return [tuple(row[name] for name in names) for row in table]


class TestSummary:
    def test_by_hand(self, shop):
        table = shop.clv_summary(as_of="2024-02-01", identifier="user_id")
        assert table.columns == (
            *("profile", "user_id", "x", "tx_days", "t_days", "spend", "litt"),
            "first_ms",
        )
        assert columns(table, "user_id", "x", "tx_days", "t_days", "spend") == [
            ("ann", 2, 14.0, 30.0, 45.0),  # the 5th is one purchase of 60.00
            ("bob", 0, 0.0, 21.0, 0.0),
        ]
        assert table["litt"][0] == pytest.approx(math.log(4) + math.log(10))
        assert table["litt"][1] == 0

    def test_each_order_by_itself(self, shop):
        shop.record("order", user_id="ann", time="2024-01-05T13:00", value_minor=600)
        days, orders = (
            shop.clv_summary(as_of="2024-02-01", period=period)["x"][0]
            for period in ("day", "any")
        )
        assert (days, orders) == (2, 3)

    def test_weeks(self, shop):
        table = shop.clv_summary(as_of="2024-02-01", period="week")
        assert columns(table, "x", "tx_days", "t_days")[0] == (1, 14.0, 28.0)

    def test_a_holdout(self, shop):
        table = shop.clv_summary(as_of="2024-02-10", holdout_until="2024-03-01")
        assert columns(table, "x", "x_star", "spend_star", "holdout_days") == [
            (2, 1, 8.0, 20.0),
            (0, 2, 6.0, 20.0),
            (1, 0, 0.0, 20.0),
        ]

    @pytest.mark.parametrize(
        "refunds, x, spend", [("net", 2, 30.0), ("drop", 1, 60.0), ("ignore", 2, 45.0)]
    )
    def test_refunds(self, shop, refunds, x, spend):
        shop.record("refund", user_id="ann", time="2024-01-16", value_minor=-3000)
        table = shop.clv_summary(as_of="2024-02-01", refunds=refunds)
        assert columns(table, "x", "spend")[0] == (x, spend)

    def test_who(self, shop):
        def who(**options):
            table = shop.clv_summary(
                as_of="2024-03-01", identifier="user_id", **options
            )
            return table["user_id"]

        assert who() == ["ann", "bob", "cid"]
        assert who(segment="orders() >= 3") == ["ann", "bob"]
        assert who(acquired_since="2024-01-10") == ["bob", "cid"]
        assert who(acquired_until="2024-01-10") == ["ann"]
        shop.record("order", time="2024-02-02", value_minor=1, device_id="d1")
        shop.record("order", time="2024-02-02", value_minor=0, user_id="eve")
        shop.record(
            "order",
            time="2024-02-02",
            value_minor=5,
            order_id="o1",
            identifiers=[("guest", "g1")],
        )
        assert who(include_free=True)[-1] == "eve"
        assert len(who(include_guests=True)) == len(who()) + 1

    def test_since(self, shop):
        table = shop.clv_summary(as_of="2024-03-01", since="2024-02-01")
        assert columns(table, "x", "t_days") == [(0, 9.0), (1, 8.0), (1, 28.0)]

    def test_threads_do_not_matter(self, shop):
        one = shop.clv_summary(as_of="2024-03-01").format("csv")
        assert shop.clv_summary(as_of="2024-03-01", threads=4).format("csv") == one

    @pytest.mark.parametrize(
        "options, message",
        [
            ({"period": "month"}, "period: is one of day, week, any"),
            ({"refunds": "keep"}, "refunds: is one of net, drop, ignore"),
            ({"threads": 2**31}, "threads: does not fit 32 bits"),
            ({"segment": "orders() >"}, "expected a condition"),
            ({"holdout_until": "2024-01-01"}, "must be after as_of_ms"),
        ],
    )
    def test_wrong_options(self, shop, options, message):
        with pytest.raises(InvalidError, match=message):
            shop.clv_summary(as_of="2024-02-01", **options)

    def test_progress_can_stop_it(self, shop):
        shop.compact()
        with pytest.raises(InterruptError):
            shop.clv_summary(progress=lambda done, total: True)
        assert len(shop.clv_summary()) == 3


class TestPurchases:
    def test_by_hand(self, shop):
        table = shop.clv_purchases(as_of="2024-02-01")
        assert table.columns == ("profile", "days", "since_days", "value", "time_ms")
        assert columns(table, "days", "since_days", "value") == [
            (0.0, 0.0, 10.0),
            (4.0, 4.0, 60.0),
            (14.0, 14.0, 30.0),
            (0.0, 9.0, 50.0),
        ]
        assert list(table["time_ms"]) == sorted(table["time_ms"][:3]) + [table["time_ms"][3]]

    def test_the_options_of_a_summary(self, shop):
        options = dict(as_of="2024-02-10", holdout_until="2024-03-01", period="week")
        past = shop.clv_summary(**options)
        rows = shop.clv_purchases(**options, threads=2)
        counts = [1 + row.x + row.x_star for row in past]
        assert [list(rows["profile"]).count(who) for who in past["profile"]] == counts
        assert len(shop.clv_purchases(acquired_until="2024-01-10")["days"]) == 4

    def test_tracking_takes_them(self, shop):
        model = ValueModel.fit(cohort(200), unit="week")
        past = shop.clv_summary(as_of="2024-03-01")
        track = model.tracking(past, purchase_days=shop.clv_purchases(as_of="2024-03-01"))
        assert list(track["actual"]) == [1, 1, 0, 0, 0, 1, 0, 3, 0]
        assert plain(track) == plain(
            model.tracking(past, purchase_days=[4, 14, 50, 51, 52, 39])
        )

    def test_history_takes_those_of_one(self, shop):
        model = ValueModel.fit(cohort(200), unit="week")
        days = [row.days for row in shop.clv_purchases() if row.profile == 1]
        assert list(model.history(days[1:], 20, 10)["purchases"]) == [0, 1, 2]

    def test_wrong_options(self, shop):
        with pytest.raises(TypeError, match="a summary has no option 'as_off'"):
            shop.clv_purchases(as_off="2024-02-01")
        with pytest.raises(InvalidError, match="refunds: is one of"):
            shop.clv_purchases(refunds="keep")


def plain(table) -> list[tuple]:
    return [tuple(row) for row in table]


class TestSavedModels:
    @pytest.fixture
    def model(self):
        return ValueModel.fit(cohort(200), unit="week")

    def test_none_is_there_at_first(self, shop):
        table = shop.saved_models()
        assert table.columns == ("name", "model", "saved_ms", "fit")
        assert len(table) == 0

    def test_what_is_not_there(self, shop):
        for call in (shop.drop_model, shop.load_model):
            with pytest.raises(NotFoundError):
                call("best")
            with pytest.raises(InvalidError, match="name: is missing"):
                call(None)

    def test_round_trip(self, shop, model, path):
        shop.save_model("best", model)
        assert shop.load_model("best") == model
        assert columns(shop.saved_models(), "name", "model", "fit") == [
            ("best", "bgnbd", model.to_json())
        ]
        with cjourney.open(path, read_only=True) as other:
            assert other.load_model("best").to_json() == model.to_json()
        shop.drop_model("best")
        assert len(shop.saved_models()) == 0

    def test_a_name_is_taken_over(self, shop, model):
        other = ValueModel.fit(cohort(200), "nbd")
        shop.save_model("best", model)
        shop.save_model("best", other)
        assert shop.load_model("best") == other != model
        assert len(shop.saved_models()) == 1

    def test_a_model_outlives_its_store(self, shop, model):
        shop.save_model("best", model)
        loaded = shop.load_model("best")
        shop.close()
        assert loaded.predict(cohort(5)).rows == 5

    def test_names(self, shop, model):
        with pytest.raises(InvalidError):
            shop.save_model("", model)
        with pytest.raises(InvalidError, match="NUL"):
            shop.save_model("a\0b", model)
        with pytest.raises(InvalidError, match="a ValueModel is wanted, not str"):
            shop.save_model("best", model.to_json())


class TestRefresh:
    @pytest.fixture
    def scored(self, shop):
        shop.save_model("visits", ValueModel.fit(cohort(400)))
        shop.save_model("money", ValueModel.fit(cohort(400), "gammagamma"))
        return shop

    @staticmethod
    def traits(store, who):
        profile = store.find_profile("user_id", who)
        return {row["name"]: float(row["value"]) for row in store.traits(profile)}

    def test_scores_are_traits(self, scored):
        done = scored.refresh_values("visits", "money", as_of="2024-03-01")
        assert done == cjourney.RefreshResult(scored=3, forgotten=0, whole=True)
        summary = scored.clv_summary(as_of="2024-03-01", identifier="user_id")
        wanted = scored.load_model("visits").predict(
            summary,
            scored.load_model("money"),
            columns=["p_alive", "expected_purchases", "clv"],
            until_days=365.2425,
            discount=0.10,
        )
        for who, row in zip(summary["user_id"], wanted):
            found = self.traits(scored, who)
            assert set(found) == {"p_alive", "expected_12m", "clv_12m"}
            assert found["p_alive"] == pytest.approx(row.p_alive, rel=1e-6)
            assert found["expected_12m"] == pytest.approx(
                row.expected_purchases, rel=1e-6
            )
            assert found["clv_12m"] == pytest.approx(row.clv, rel=1e-3)

    def test_segments_read_them(self, scored):
        scored.refresh_values("visits", as_of="2024-03-01")
        alive = [self.traits(scored, who)["p_alive"] for who in ("ann", "bob", "cid")]
        middle = sorted(alive)[1]
        members = scored.segment_evaluate(
            f"p_alive > {middle - 1e-9:.12f}", as_of="2024-03-02", members_only=True
        )
        assert len(members) == 2

    def test_only_what_is_new(self, scored):
        scored.refresh_values("visits", as_of="2024-03-01")
        again = scored.refresh_values("visits", as_of="2024-03-02")
        assert (again.scored, again.whole) == (0, False)
        scored.record("order", user_id="ann", time="2024-03-02T12:00", value_minor=500)
        new = scored.refresh_values("visits", as_of="2024-03-03")
        assert (new.scored, new.whole) == (1, False)
        all_ = scored.refresh_values("visits", as_of="2024-03-04", everybody=True)
        assert all_.scored == 3

    def test_the_horizon_names_them(self, scored):
        scored.refresh_values("visits", "money", as_of="2024-03-01", months=3)
        assert set(self.traits(scored, "ann")) == {"p_alive", "expected_3m", "clv_3m"}

    def test_discount(self, scored):
        scored.refresh_values("visits", "money", as_of="2024-03-01", discount=0)
        free = self.traits(scored, "ann")["clv_12m"]
        scored.refresh_values("visits", "money", as_of="2024-03-01", discount=0.5)
        less = self.traits(scored, "ann")["clv_12m"]
        assert free / 1.5 < less < free

    @pytest.mark.parametrize(
        "options, error",
        [
            ({"model": "none"}, NotFoundError),
            ({"model": None}, InvalidError),
            ({"spend": "none"}, NotFoundError),
            ({"model": "money"}, InvalidError),
            ({"months": -1}, InvalidError),
            ({"discount": math.nan}, InvalidError),
            ({"period": "month"}, InvalidError),
            ({"refunds": "keep"}, InvalidError),
        ],
    )
    def test_wrong_options(self, scored, options, error):
        with pytest.raises(error):
            scored.refresh_values(**{"model": "visits", **options})
        assert self.traits(scored, "ann") == {}


class TestRfmTogether:
    def test_a_distribution_adds_up(self, shop):
        table = shop.rfm_distribution(as_of="2024-03-01", bins=3)
        rows = [row for row in table if row["dimension"] == "f"]
        assert [row["score"] for row in rows] == [1, 2, 3]
        assert sum(row["customers"] for row in rows) == 3
        assert table[-1]["value_minor"] == 17600
        scores = shop.rfm(as_of="2024-03-01", bins=3)
        for letter in "rfm":
            wanted = [list(scores[letter]).count(score) for score in (1, 2, 3)]
            rows = [row for row in table if row["dimension"] == letter]
            assert [row["customers"] for row in rows] == wanted

    def test_a_distribution_of_values(self, shop):
        scores = shop.rfm(as_of="2024-03-01")
        clv = {"profile": scores["profile"], "clv": [1.0, 2.5, 4.0]}
        whole = shop.rfm_distribution(clv, as_of="2024-03-01")[-1]
        assert (whole["scored"], whole["clv"], whole["clv_ratio"]) == (3, 7.5, 1.0)

    def test_values_have_to_ascend_and_be_finite(self, shop):
        for profiles, values, row in (
            ([2, 1], [0.0, 0.0], 1),
            ([1, 2], [0.0, math.nan], 1),
        ):
            with pytest.raises(InvalidError) as caught:
                shop.rfm_distribution({"profile": profiles, "clv": values})
            assert caught.value.position == row
        with pytest.raises(InvalidError, match="clv: has 1 rows, and profile has 2"):
            shop.rfm_distribution({"profile": [1, 2], "clv": [1.0]})
        with pytest.raises(KeyError):
            shop.rfm_distribution({"profile": [1, 2]})

    def test_values_of_a_frame(self, shop):
        pandas = optional("pandas")
        frame = pandas.DataFrame({"profile": [1, 3], "clv": [2.0, 0.5]})
        assert shop.rfm_distribution(frame)[-1]["clv"] == 2.5

    def test_migration(self, shop):
        table = shop.rfm_migrate("2024-02-01", as_of="2024-03-01")
        assert table.columns == (
            *("from_class", "to_class", "customers", "from_ratio"),
            *("from_minor", "to_minor"),
        )
        assert sum(table["customers"]) == 3
        new = [row for row in table if row["from_class"] == "(new)"]
        assert [(row["customers"], row["to_minor"]) for row in new] == [(1, 1200)]
        assert all(row["to_class"] != "(gone)" for row in table)

    def test_migration_with_the_options_of_rfm(self, shop):
        first = shop.rfm_migrate("2024-02-01", as_of="2024-03-01", bins=2)
        again = shop.rfm_migrate(
            "2024-02-01", as_of="2024-03-01", bins=2, frequency="orders", threads=2
        )
        assert first.format("csv") == again.format("csv")

    def test_wrong_options(self, shop):
        with pytest.raises(TypeError, match="no option 'bin'"):
            shop.rfm_migrate("2024-02-01", bin=3)
        with pytest.raises(InvalidError, match="recency: is one of days, hours"):
            shop.rfm_distribution(recency="weeks")
        with pytest.raises(InvalidError):
            shop.rfm_migrate("2024-03-02", as_of="2024-03-01")
        with pytest.raises(InvalidError):
            shop.rfm_distribution(monetary_of="mean")


class TestCohorts:
    def test_months(self, shop):
        table = shop.value_cohorts(as_of="2024-03-01")
        assert table.columns[0] == "month"
        assert columns(table, "month", "customers", "orders", "value_minor") == [
            ("2024-01", 2, 8, 16400),
            ("2024-02", 1, 2, 1200),
        ]
        assert set(columns(table, "cost_minor", "payback_months")) == {(None, None)}

    def test_what_they_cost(self, shop):
        costs = [
            {"channel": "web", "cost": Decimal("50")},
            {"channel": "web", "cost_minor": 1000},
            {"channel": "tv", "cost_minor": 900},
        ]
        table = shop.value_cohorts("channel", as_of="2024-03-01", costs=costs)
        assert columns(table, "channel", "customers", "cost_minor", "cac_minor") == [
            ("store", 1, None, None),
            ("tv", 0, 900, None),
            ("web", 2, 6000, 3000),
        ]
        ratio = {row["channel"]: row["value_cost_ratio"] for row in table}
        assert ratio["web"] == pytest.approx(120.0 / 60.0)

    def test_margin_and_values(self, shop):
        clv = {"profile": [1, 2, 3], "clv": [30.0, 0.0, 6.0]}
        row = shop.value_cohorts(
            ["channel"],
            clv,
            as_of="2024-03-01",
            margin=0.5,
            costs=[{"channel": "web", "cost": Decimal(60)}],
        )[-1]
        assert (row["scored"], row["clv"]) == (2, 36.0)
        assert row["clv_cost_ratio"] == pytest.approx((0.5 * 120 + 36) / 60)

    def test_several_dimensions(self, shop):
        table = shop.value_cohorts(("month", "campaign"), as_of="2024-03-01")
        assert columns(table, "month", "campaign", "customers") == [
            ("2024-01", None, 1),
            ("2024-01", "spring", 1),
            ("2024-02", None, 1),
        ]

    def test_who(self, shop):
        def customers(**options):
            return sum(shop.value_cohorts(as_of="2024-03-01", **options)["customers"])

        assert customers(acquired_since="2024-01-02") == 2
        assert customers(acquired_until="2024-01-02") == 1
        assert customers(segment="orders() >= 3") == 2

    @pytest.mark.parametrize(
        "options, message, row",
        [
            ({"by": "year"}, "by: is one of month, channel, campaign", None),
            ({"monetary": "all"}, "monetary: is one of net, gross", None),
            ({"margin": "1"}, "margin: a number is wanted, not str", None),
            ({"margin": math.inf}, "margin: is not a finite number", None),
            ({"costs": [{"price": 1}]}, "a cost has no field 'price'", 0),
            ({"costs": [{"month": "2024-01"}]}, "cost or cost_minor is wanted", 0),
            ({"costs": [{"cost": 1.5}]}, "cost: a float is not exact money", 0),
            ({"costs": [{"cost_minor": 1}, {"cost_minor": 0.5}]}, "whole number", 1),
            ({"costs": [{"month": "May", "cost_minor": 1}]}, "month of a cost", 0),
        ],
    )
    def test_wrong_options(self, shop, options, message, row):
        with pytest.raises(InvalidError, match=message) as caught:
            shop.value_cohorts(**options)
        assert caught.value.position == row


class TestConcentration:
    def test_by_hand(self):
        table = cjourney.concentration(minor=[100, 0, 300, 400, 200])
        found = {row["measure"]: row for row in table}
        assert found["top 20 %"]["ratio"] == pytest.approx(0.4)
        assert found["all"]["value_minor"] == 1000
        assert found["half of the value"]["customers"] == 2
        # sum of |a - b| over all pairs / (2 n^2 mean)
        assert found["gini"]["ratio"] == pytest.approx(0.4)

    def test_values_and_money_agree(self, shop):
        scores = shop.rfm(as_of="2024-03-01")
        money = cjourney.concentration(minor=scores["monetary_minor"])
        value = cjourney.concentration(
            value=[m / 100 for m in scores["monetary_minor"]]
        )
        for name in ("measure", "customers"):
            assert list(money[name]) == list(value[name])
        assert list(money["ratio"]) == pytest.approx(list(value["ratio"]))
        assert {row["value_minor"] for row in value} == {None}

    def test_nobody(self):
        table = cjourney.concentration(value=[])
        assert {row["ratio"] for row in table} == {None}

    def test_one_of_two(self):
        for given in ({}, {"minor": [1], "value": [1.0]}):
            with pytest.raises(InvalidError, match="one of them"):
                cjourney.concentration(**given)

    def test_what_is_not_finite_has_its_row(self):
        with pytest.raises(InvalidError) as caught:
            cjourney.concentration(value=[1.0, math.inf])
        assert caught.value.position == 1


def test_many_events_at_once_are_the_same(shop, tmp_path):
    """The summary is a fold over events, whatever way they came in."""
    with cjourney.open(tmp_path / "other.db", currency="EUR") as other:
        events = [
            Event("order", user_id=who, time=day + HOUR, value=Decimal(value))
            for who, day, value, *_ in (
                line.split() for line in ORDERS.split("\n") if line.strip()
            )
        ]
        other.record_many(events)
        other.compact()
        a, b = (s.clv_summary(as_of="2024-03-01").format("csv") for s in (shop, other))
    assert a == b
