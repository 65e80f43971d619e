"""The clv commands: published numbers from a file without a store, and a shop of simulated
customers from the first order to scores that a segment reads."""

import csv
import json
import os
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cli import DONE, FAILED, NOTHING, USAGE, lines_of, ndjson, order, run

DATA = Path(os.environ.get("CJ_TEST_DATA", "../shared/data")) / "clv"
CDNOW = DATA / "cdnow_cbs_days.csv"
cdnow = pytest.mark.skipif(not CDNOW.exists(), reason=f"SKIP: there is no {CDNOW}; set CJ_TEST_DATA")
AS_OF, HOLDOUT = "2025-07-01", "2025-04-01"


def fit(*words, **more):
    done = run("clv", "fit", *words, "--format", "json", **more)
    assert done.returncode == DONE, done.err
    return json.loads(done.out)


# ---- from a file -------------------------------------------------------------------


@cdnow
@pytest.mark.parametrize("model, params, loglik", [
    ("bgnbd", {"r": .242594522430, "alpha": 4.41360201901, "a": .792922017226, "b": 2.42590677683},
     -9582.429206673931),
    ("mbgnbd", {"r": .524843159106, "alpha": 6.18308527958, "a": .891359390732, "b": 1.61400224017},
     -9582.135715553750),
    ("paretonbd", {"r": .553277046853, "alpha": 10.5776834633, "s": .606239989128, "beta": 11.6687352889},
     -9594.976178939543),
    ("gammagamma", {"p": 6.249572271324, "q": 3.744224667132, "v": 15.44352096259}, -4055.917694801874),
])
def test_fit__published_numbers(model, params, loglik):
    got = fit("--model", model, "--summary", CDNOW, "--time-unit", "week")
    assert (got["model"], got["status"]) == (model, "converged")
    assert got["params"] == pytest.approx(params, rel=1e-9)
    assert got["loglik"] == pytest.approx(loglik, rel=1e-12)
    assert all(v > 0 for v in got["std_errors"].values())


@cdnow
def test_fit__tells_people_how_it_ended():
    done = run("clv", "fit", "--summary", CDNOW, "--time-unit", "week", "--format", "table")
    assert done.returncode == DONE and "std_error" in done.out
    assert "2,357 customers, 946 of them came back" in done.err
    assert "converged: the likelihood is at its maximum" in done.err


@cdnow
def test_fit__says_whether_spend_depends_on_frequency():
    done = run("clv", "fit", "--summary", CDNOW, "--model", "gammagamma", "--format", "table")
    assert "weak: spend depends on frequency, but weakly" in done.err and "correlation 0.11" in done.err


@cdnow
def test_fit__priors_hold_a_parameter():
    free = fit("--summary", CDNOW)["params"]["b"]
    held = fit("--summary", CDNOW, "--prior", "b=4:0.01")["params"]["b"]
    assert free < 3 < 3.9 < held < 4.1


@cdnow
def test_validate_and_compare__published_numbers():
    words = ("--summary", CDNOW, "--holdout-days", 273, "--time-unit", "week", "--format", "json")
    rows = {r["measure"]: r["value"] for r in json.loads(run("clv", "validate", *words).out)}
    assert rows["mae"] == pytest.approx(.7854542366, abs=1e-9)
    assert rows["actual_purchases"] == 1882
    rows = json.loads(run("clv", "compare", *words).out)
    assert [r["model"] for r in rows] == ["paretonbd", "mbgnbd", "bgnbd", "nbd"]
    assert rows[0]["mae"] == pytest.approx(.7545233834, abs=1e-9)
    assert rows[1]["mae"] == pytest.approx(.7647789493, abs=1e-9)
    best = json.loads(run("clv", "compare", "nbd", "mbgnbd", *words, "--by", "aic").out)
    assert [r["model"] for r in best] == ["mbgnbd", "nbd"]


@cdnow
def test_predict__from_files_alone(tmp_path):
    model, spend = tmp_path / "buying.json", tmp_path / "spending.json"
    fit("--summary", CDNOW, "--time-unit", "week", "--out", model)
    fit("--summary", CDNOW, "--model", "gammagamma", "--out", spend)
    words = ("--summary", CDNOW, "--horizon", 273, "--format", "json")
    rows = json.loads(run("clv", "predict", f"@{model}", "--spend", f"@{spend}", *words).out)
    assert sum(r["expected_purchases"] for r in rows) == pytest.approx(1653.4086979, rel=1e-9)
    assert sum(r["p_alive"] for r in rows) == pytest.approx(1917.2776710, rel=1e-9)
    with open(CDNOW) as file:
        assert [r["x"] for r in rows] == [int(r["x"]) for r in csv.DictReader(file)]
    top = json.loads(run("clv", "predict", f"@{model}", "--spend", f"@{spend}", *words, "--top", 3).out)
    assert [r["clv"] for r in top] == sorted((r["clv"] for r in rows), reverse=True)[:3]


def test_predict__says_when_little_was_learned(tmp_path):
    few, model = summary(tmp_path / "few.csv", "x,tx_days,T_days\n1,3,9\n0,0,9\n"), tmp_path / "m.json"
    assert fit("--summary", few, "--out", model)["status"] == "too_few_repeat_customers"
    done = run("clv", "predict", f"@{model}", "--summary", few, "--format", "csv")
    assert done.returncode == DONE and "(too_few_repeat_customers)" in done.err


def summary(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize("text, says", [
    ("a,b\n1,2\n", "there is no column x"),
    ("x,x,T_days\n1,1,9\n", "column x stands twice"),
    ("x,tx_days,T_days\n1,3,many\n", ':2: T_days is not a number: "many"'),
    ("x,tx_days,T_days\n1,3\n", ":2: 2 of 3 columns"),
    ("x,tx_days,T_days\n1.5,3,9\n", "customer 1: x is no whole number"),
    ("x,tx_days,T_days\n1,3,9\n1,12,9\n", "row 1: tx"),
    ("x,T_days\n1,9\n", "bgnbd needs the column tx"),
])
def test_a_summary_that_cannot_be(tmp_path, text, says):
    done = run("clv", "fit", "--summary", summary(tmp_path / "s.csv", text))
    assert done.returncode in (FAILED, USAGE) and done.out == "" and says in done.err, done.err


def test_a_summary_from_a_spreadsheet_is_the_same(tmp_path):
    plain = "x,tx_days,T_days\n2,30,90\n0,0,80\n1,10,70\n3,50,85\n"
    quoted = "\ufeff" + plain.replace("T_days", '"T_days"').replace("30", '"30"').replace("\n", "\r\n") + "\r\n"
    asked = [run("clv", "fit", "--summary", summary(tmp_path / "s.csv", text)) for text in (plain, quoted)]
    assert asked[0].out == asked[1].out and asked[0].out and asked[0].returncode == asked[1].returncode


def test_a_summary_without_customers(tmp_path):
    done = run("clv", "fit", "--summary", summary(tmp_path / "s.csv", "x,tx_days,T_days\n"))
    assert done.returncode == NOTHING


@pytest.mark.parametrize("words, says", [
    (("fit", "--summary", "none.csv"), "cannot read none.csv"),
    (("fit",), "which file?"),
    (("fit", "--summary", "-", "--save", "buying"), "--save needs a file"),
    (("fit", "--summary", "-", "--prior", "r=1"), "r=0.5:1,alpha=10:1.5"),
    (("predict", "buying", "--summary", "-"), "add -d FILE, or give @FILE"),
    (("fit", "--summary", "-", "--model", "bgnbb"), "bg"),
])
def test_what_to_do_is_said(words, says):
    done = run("clv", *words, stdin="x,tx_days,T_days\n1,3,9\n0,0,9\n")
    assert done.returncode in (USAGE, FAILED, NOTHING) and says in done.err, done.err


def test_models__are_listed():
    rows = lines_of(run("clv", "models", "--format", "jsonl").out)
    assert [r["model"] for r in rows] == ["bgnbd", "mbgnbd", "bgcnbd", "mbgcnbd", "paretonbd", "nbd",
                                          "bgbb", "gammagamma", "sbg", "bdw"]


# ---- from a store ------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """600 customers who buy at their own pace, until they leave."""
    path, dice, rows = tmp_path_factory.mktemp("value") / "shop.db", random.Random(7), []
    for i in range(600):
        pace, leave = dice.gammavariate(0.9, 1 / 25), dice.betavariate(0.8, 2.5)
        mean = 20 + dice.gammavariate(2, 15)
        when, end, n = datetime(2024, 7, 1) + timedelta(days=dice.uniform(0, 200)), datetime(2025, 7, 1), 0
        while when < end:
            rows.append(order(f"c{i}", when.strftime("%Y-%m-%dT%H:%M:%SZ"), f"O{i}-{n}",
                              f"{dice.gammavariate(6, mean / 6) + 0.01:.2f}"))
            n += 1
            if dice.random() < leave:
                break
            when += timedelta(days=dice.expovariate(pace))
    done = run("-d", path, "import", "--format", "json", "-", stdin=ndjson(rows))
    assert done.returncode == DONE, done.err
    return path


def ask(shop, *words):
    done = run("-d", shop, *words, "--format", "json")
    assert done.returncode == DONE, done.err
    return json.loads(done.out)


def test_from_orders_to_a_segment(shop):
    model = ask(shop, "clv", "fit", "--model", "mbgnbd", "--as-of", AS_OF, "--save", "buying")
    ask(shop, "clv", "fit", "--model", "gammagamma", "--as-of", AS_OF, "--save", "spending")
    assert model["n_customers"] == 600
    assert [r["name"] for r in ask(shop, "clv", "saved")] == ["buying", "spending"]
    assert ask(shop, "clv", "show", "buying") == model

    rows = ask(shop, "clv", "predict", "buying", "--spend", "spending", "--as-of", AS_OF, "--rate", 10)
    assert len(rows) == 600 and all(0 <= r["p_alive"] <= 1 and r["clv"] >= 0 for r in rows)
    assert all(r["clv"] < r["expected_purchases"] * r["expected_spend"] for r in rows if r["clv"] > 0)

    (done,) = ask(shop, "clv", "refresh", "buying", "--spend", "spending", "--as-of", AS_OF, "--rate", 10)
    assert done["scored"] == 600
    found = ask(shop, "segment", "eval", "clv_12m > 100 and p_alive < 0.9", "--as-of", "2025-07-02")
    wanted = {r["profile"] for r in rows if r["clv"] > 100 and r["p_alive"] < 0.9}
    # the trait has fewer digits, and its horizon is twelve months of 30.436875 days: the same year
    assert {r["profile"] for r in found} == wanted and len(wanted) > 10


def test_refresh__names_its_scores_by_the_months(shop):
    for model, name in (("mbgnbd", "half"), ("gammagamma", "money")):
        ask(shop, "clv", "fit", "--model", model, "--as-of", AS_OF, "--save", name)
    done = run("-d", shop, "clv", "refresh", "half", "--spend", "money", "--months", 6, "--as-of", "2025-07-03")
    assert done.returncode == DONE and "expected_6m > 2, clv_6m > 200" in done.err
    assert ask(shop, "segment", "eval", "clv_6m > 0", "--as-of", "2025-07-04")
    run("-d", shop, "clv", "drop", "half"), run("-d", shop, "clv", "drop", "money")


def test_validate__says_what_came_since(shop):
    done = run("-d", shop, "clv", "validate", "--model", "mbgnbd", "--holdout", HOLDOUT, "--as-of", AS_OF,
               "--format", "json")
    rows = {r["measure"]: r["value"] for r in json.loads(done.out)}
    assert rows["days"] == 91 and rows["actual_purchases"] > 100
    assert abs(rows["bias_ratio"]) < 0.25 and done.err.strip() != ""
    bins = ask(shop, "clv", "validate", "--holdout", HOLDOUT, "--as-of", AS_OF, "--bins")
    assert sum(r["customers"] for r in bins if r["of"] == "purchases") == rows["customers"]
    assert run("-d", shop, "clv", "validate").returncode == USAGE


def test_validate__of_a_time_without_orders_is_json(shop):
    rows = {r["measure"]: r["value"] for r in ask(shop, "clv", "validate", "--holdout", "2026-01-01")}
    assert rows["bias_ratio"] is None and rows["actual_purchases"] == 0


def test_compare__from_the_store(shop):
    rows = ask(shop, "clv", "compare", "nbd", "mbgnbd", "mbgcnbd", "--holdout", HOLDOUT, "--as-of", AS_OF)
    assert {r["model"] for r in rows} == {"nbd", "mbgnbd", "mbgcnbd"}
    assert [r["mae"] for r in rows] == sorted(r["mae"] for r in rows)
    people = run("-d", shop, "clv", "compare", "nbd", "bgnbd", "--as-of", AS_OF, "--format", "table")
    assert people.out.splitlines()[0].split() == ["model", "status", "bic"]


def test_cohorts__add_up_to_the_shop(shop):
    rows = ask(shop, "clv", "cohorts", "--as-of", AS_OF)
    assert sum(r["customers"] for r in rows) == 600
    assert [r["month"] for r in rows] == sorted(r["month"] for r in rows)
    by = ask(shop, "clv", "cohorts", "--as-of", AS_OF, "--by", "channel")
    assert [(r["channel"], r["customers"]) for r in by] == [("web", 600)]
    assert run("-d", shop, "clv", "cohorts", "--by", "moon").returncode == USAGE


def test_cohorts__what_it_cost_to_win_them(shop, tmp_path):
    words = "clv", "cohorts", "--as-of", AS_OF
    plain = ask(shop, *words)
    assert all(r["cost_minor"] is None and r["payback_months"] is None for r in plain)
    first, second = plain[0], plain[1]
    costs = summary(tmp_path / "c.csv", "\ufeffclicks,cost,month\r\n"
                    f"9,1200.50,{first['month']}\r\n,0.25,{first['month']}\r\n\r\n7,1,{second['month']}\r\n1,5,2023-01")
    done = run("-d", shop, *words, "--costs", costs, "--margin", 35, "--format", "json")
    rows = json.loads(done.out)
    assert done.returncode == DONE and "still to come needs --model and --spend" in done.err
    assert [r["month"] for r in rows] == ["2023-01"] + [r["month"] for r in plain]
    nobody, dear, cheap, unknown = rows[:4]
    assert unknown == plain[2]
    assert (nobody["customers"], nobody["cost_minor"], nobody["clv_cost_ratio"]) == (0, 500, 0)
    assert dear["cost_minor"] == 120075 and dear["cac_minor"] == round(120075 / first["customers"])
    assert dear["clv_cost_ratio"] == dear["value_cost_ratio"] == pytest.approx(0.35 * first["value_minor"] / 120075)
    assert cheap["cost_minor"] == 100 and cheap["payback_months"] == 1
    seen = run("-d", shop, *words, "--costs", "-", "--format", "table", stdin=costs.read_text())
    assert "payback_months" in seen.out and "1,200.75" in seen.out


def test_cohorts__what_they_are_still_to_bring(shop, tmp_path):
    buying, spending = tmp_path / "b.json", tmp_path / "s.json"
    run("-d", shop, "clv", "fit", "--model", "mbgnbd", "--as-of", AS_OF, "--out", buying)
    run("-d", shop, "clv", "fit", "--model", "gammagamma", "--as-of", AS_OF, "--out", spending)
    how = "--spend", f"@{spending}", "--as-of", AS_OF, "--horizon", 180, "--rate", 10, "--margin", 40
    people = ask(shop, "clv", "predict", f"@{buying}", *how)
    (all_of_them,) = ask(shop, "clv", "cohorts", "--by", "channel", "--model", f"@{buying}", *how, "--costs",
                         summary(tmp_path / "c.csv", "channel,cost\nweb,3000\n"))
    clv, earned = sum(r["clv"] for r in people), 0.40 * all_of_them["value_minor"] / 100
    assert all_of_them["scored"] == 600 and all_of_them["clv"] == pytest.approx(clv, rel=1e-12)
    assert all_of_them["clv_cost_ratio"] == pytest.approx((earned + clv) / 3000, rel=1e-12)
    assert all_of_them["value_cost_ratio"] == pytest.approx(earned / 3000, rel=1e-12)


def test_cohorts__costs_of_campaigns(tmp_path):
    shop, rows = tmp_path / "few.db", []
    for i, campaign in enumerate(['mail, "June"', 'mail, "June"', None, "ads"]):
        more = {} if campaign is None else {"campaign": campaign}
        rows.append(order(f"u{i}", f"2025-01-0{i + 1}T10:00:00Z", f"A{i}", "10.00", **more))
    assert run("-d", shop, "import", "--format", "json", "-", stdin=ndjson(rows)).returncode == DONE
    costs = summary(tmp_path / "c.csv", 'cost,campaign\n3,"mail, ""June"""\n1,\n"2",ads\n')
    got = ask(shop, "clv", "cohorts", "--by", "campaign", "--costs", costs)
    assert [(r["campaign"], r["customers"], r["cost_minor"], r["cac_minor"]) for r in got] == [
        (None, 1, 100, 100), ("ads", 1, 200, 200), ('mail, "June"', 2, 300, 150)]
    assert [r["payback_months"] for r in got] == [1, 1, 1]


@pytest.mark.parametrize("by, text, code, says", [
    ("month", "month,cost\n2025-01,5\n2025-13,1\n", FAILED, ':3: no month such as 2025-03: "2025-13"'),
    ("month", "month,cost\n\n,5\n", FAILED, ':3: no month such as 2025-03: ""'),
    ("month", "month,cost\n2025-1,5\n", FAILED, ':2: no month such as 2025-03: "2025-1"'),
    ("month", "month,cost\n2025-01,-5\n", FAILED, ':2: no amount such as 1200.50: "-5"'),
    ("month", "month,cost\n2025-01,1.234\n", FAILED, ':2: no amount such as 1200.50: "1.234"'),
    ("month", "month,cost\n2025-01,12x\n", FAILED, ':2: no amount such as 1200.50: "12x"'),
    ("month", 'month,cost\n2025-01,"1,5"\n', FAILED, ':2: no amount such as 1200.50: "1,5"'),
    ("month", "month,cost\n2025-01\n", FAILED, ":2: 1 of 2 columns"),
    ("month", "month\n2025-01\n", FAILED, "there is not one column cost"),
    ("month", "month,cost,cost\n", FAILED, "there is not one column cost"),
    ("month", "channel,cost\nads,5\n", USAGE, "cohorts are by month, costs are not"),
    ("month", "month,channel,cost\n2025-01,ads,5\n", USAGE, "costs are by channel, cohorts are not"),
    ("channel,campaign", "channel,cost\n2025-01,ads,5\n", USAGE, "cohorts are by campaign, costs are not"),
    ("month", ",".join("abc"[i % 3] for i in range(65)) + "\n", FAILED, "more than 64 columns"),
    ("month", "month,cost\n", NOTHING, "has no costs"),
    ("month", "", NOTHING, "has no costs"),
    ("month", "month,cost\n" + "2025-01,1\n" * 10001, FAILED, "more than 10000 costs"),
])
def test_cohorts__costs_that_cannot_be(shop, tmp_path, by, text, code, says):
    done = run("-d", shop, "clv", "cohorts", "--by", by, "--costs", summary(tmp_path / "c.csv", text))
    assert done.returncode == code and done.out == "" and says in done.err, done.err


@pytest.mark.parametrize("words, code, says", [
    (("--costs", "none.csv"), FAILED, "cannot read none.csv"),
    (("--model", "buying"), USAGE, "--model and --spend"),
    (("--spend", "spending"), USAGE, "--model and --spend"),
    (("--model", "nothing", "--spend", "nothing"), NOTHING, "no such value model"),
    (("--rate", "much"), USAGE, "--rate must be a number"),
])
def test_cohorts__options_that_cannot_be(shop, words, code, says):
    done = run("-d", shop, "clv", "cohorts", *words)
    assert done.returncode == code and done.out == "" and says in done.err, done.err


def test_a_segment_limits_who_is_learned_from(shop):
    some = ask(shop, "clv", "fit", "--model", "nbd", "--as-of", AS_OF, "--segment", "orders() >= 3")
    assert 50 < some["n_customers"] < 600 and some["n_customers"] == some["n_repeaters"]


def test_track__adds_up_to_the_store(shop, tmp_path):
    model = tmp_path / "buying.json"
    fitted = json.loads(run("-d", shop, "clv", "fit", "--model", "mbgnbd", "--as-of", AS_OF, "--out", model,
                            "--format", "json").out)
    words = ("clv", "track", f"@{model}", "--as-of", AS_OF)
    rows = ask(shop, *words)
    past = ask(shop, "clv", "predict", f"@{model}", "--as-of", AS_OF)
    assert list(rows[0]) == ["period", "until_days", "actual", "expected", "actual_cumulative",
                             "expected_cumulative"]
    assert [r["period"] for r in rows] == list(range(1, len(rows) + 1)) and rows[-1]["until_days"] == 7 * len(rows)
    assert rows[-2]["until_days"] < max(r["t_days"] for r in past) <= rows[-1]["until_days"]
    total = sum(r["x"] for r in past)
    assert rows[-1]["actual_cumulative"] == sum(r["actual"] for r in rows) == total and fitted["status"] == "converged"
    assert abs(rows[-1]["expected_cumulative"] / total - 1) < 0.1

    ahead = ask(shop, *words, "--period-days", 30, "--ahead", 3)
    assert [r["actual"] for r in ahead[-3:]] == [None] * 3 and ahead[-4]["actual"] is not None
    assert ahead[-4]["actual_cumulative"] == total and all(r["expected"] > 0 for r in ahead)
    first = ask(shop, *words, "--periods", 5, "--acquired-until", "2024-08-01")
    assert [r["actual"] <= w["actual"] for r, w in zip(first, rows)] == [True] * 5
    done = run("-d", shop, *words, "--format", "table")
    assert "until day" in done.out and "day 0 is 2024-07-01; until day " in done.err


def test_history__ends_with_today(shop, tmp_path):
    model = tmp_path / "buying.json"
    run("-d", shop, "clv", "fit", "--model", "mbgnbd", "--as-of", AS_OF, "--out", model)
    past = ask(shop, "clv", "predict", f"@{model}", "--as-of", AS_OF)
    who = max(past, key=lambda r: r["x"])
    rows = ask(shop, "clv", "history", f"@{model}", f"user_id={who['user_id']}", "--as-of", AS_OF)
    assert list(rows[0]) == ["days", "purchases", "p_alive"]
    assert [r["days"] for r in rows] == list(range(int(who["t_days"]) + 1))
    assert rows[-1]["purchases"] == who["x"] and rows[-1]["p_alive"] == pytest.approx(who["p_alive"], rel=1e-12)
    weeks = ask(shop, "clv", "history", f"@{model}", str(who["profile"]), "--as-of", AS_OF, "--step-days", 7)
    assert weeks == rows[::7]


@pytest.mark.parametrize("words, code, says", [
    (("track", "nothing"), NOTHING, "no such value model"),
    (("track", "@MODEL", "--period-days", "0"), USAGE, "--period-days must be a number"),
    (("track", "@MODEL", "--as-of", "2020-01-01"), NOTHING, "no customer has an order"),
    (("history", "@MODEL"), USAGE, "PERSON"),
    (("history", "@MODEL", "user_id=nobody"), NOTHING, "no profile has that user_id"),
])
def test_track_and_history__say_what_is_wrong(shop, tmp_path, words, code, says):
    model = tmp_path / "m.json"
    run("-d", shop, "clv", "fit", "--model", "mbgnbd", "--as-of", AS_OF, "--out", model)
    done = run("-d", shop, "clv", *(w.replace("@MODEL", f"@{model}") for w in words))
    assert done.returncode == code and done.out == "" and says in done.err, done.err


DONATIONS = "x,tx_days,T_days,weight\n0,0,6,30\n1,2,6,10\n3,5,6,8\n6,6,6,12\n2,2,6,9\n5,6,6,11\n4,6,6,10\n"


def test_a_model_that_counts_periods__takes_no_days_for_them(shop, tmp_path):
    """A BG/BB of years, asked about the days of a shop, would foretell thousands of orders."""
    past, model = summary(tmp_path / "d.csv", DONATIONS), tmp_path / "bgbb.json"
    assert fit("--model", "bgbb", "--summary", past, "--out", model)["status"] == "converged"
    asked = f"@{model}", "--as-of", AS_OF
    for words, says in [
        (("track", *asked), "BG/BB counts periods, and the orders of the store have days"),
        (("predict", *asked), "BG/BB counts periods: how many days is one?"),
        (("predict", f"@{model}", "--summary", past), "--period-days, for example 365.2425"),
        (("predict", *asked, "--period-days", 365), "of the store a period of BG/BB is a day"),
        (("predict", *asked, "--period-days", 1, "--period", "week"), "of the store a period of BG/BB is a day"),
        (("fit", "--model", "bgbb", "--period", "week"), "BG/BB counts periods, of the store days"),
        (("validate", "--model", "bgbb", "--holdout", HOLDOUT, "--period", "any"), "only --period day"),
        (("compare", "nbd", "bgbb", "--period", "week"), "--summary FILE"),
    ]:
        done = run("-d", shop, "clv", *words)
        assert done.returncode == USAGE and done.out == "" and says in done.err, (words, done.err)
    predict = ("clv", "predict", f"@{model}", "--summary", past, "--period-days", 365.2425, "--format", "json")
    years = json.loads(run(*predict, "--horizon", 3 * 365.2425).out)
    assert 0 < years[0]["expected_purchases"] < years[3]["expected_purchases"] < 3
    assert years == json.loads(run(*predict[:-4], "--period-days", 1, "--horizon", 3, *predict[-2:]).out)


def test_a_model_that_counts_periods__may_count_the_days_of_the_store(shop, tmp_path):
    model = tmp_path / "daily.json"
    fitted = json.loads(run("-d", shop, "clv", "fit", "--model", "bgbb", "--as-of", AS_OF, "--out", model,
                            "--format", "json").out)
    rows = ask(shop, "clv", "predict", f"@{model}", "--as-of", AS_OF, "--period-days", 1)
    assert len(rows) == fitted["n_customers"] == 600


def test_history__of_somebody_who_is_not_asked_for(shop, tmp_path):
    model = tmp_path / "m.json"
    run("-d", shop, "clv", "fit", "--model", "mbgnbd", "--as-of", AS_OF, "--out", model)
    rows = ask(shop, "clv", "predict", f"@{model}", "--as-of", AS_OF)
    once = next(r for r in rows if r["x"] == 0)
    done = run("-d", shop, "clv", "history", f"@{model}", str(once["profile"]), "--as-of", AS_OF,
               "--segment", "orders() >= 2")
    assert done.returncode == NOTHING and f"profile {once['profile']} has no order" in done.err
    (only,) = {r["purchases"] for r in ask(shop, "clv", "history", f"@{model}", str(once["profile"]), "--as-of", AS_OF)}
    assert only == 0


def test_drop__forgets(shop):
    ask(shop, "clv", "fit", "--model", "nbd", "--as-of", AS_OF, "--save", "short")
    assert run("-d", shop, "clv", "drop", "short").returncode == DONE
    assert run("-d", shop, "clv", "predict", "short", "--as-of", AS_OF).returncode == NOTHING


def test_the_guide_works(shop):
    """The commands of docs/VALUE.md, one after the other, as they stand there."""
    guide = (Path(__file__).resolve().parent.parent / "docs/VALUE.md").read_text()
    block = guide[guide.index("```sh\n") + 6:]
    lines = [line.split("#")[0] for line in block[:block.index("```")].splitlines()]
    assert len(lines) >= 4
    for line in lines:
        words = line.split()
        assert words[:3] == ["cjourney", "-d", "shop.db"]
        done = run("-d", shop, *words[3:], "--format", "json")
        assert done.returncode == DONE and done.out, done.err


def test_the_guide_works__costs(shop, tmp_path):
    guide = (Path(__file__).resolve().parent.parent / "docs/VALUE.md").read_text()
    part = guide[guide.index("## What it cost to win them"):]
    costs = summary(tmp_path / "costs.csv", part[part.index("```csv\n") + 7:].split("```")[0])
    words = part[part.index("```sh\n") + 6:].split("```")[0].replace("costs.csv", str(costs)).split()
    for model, name in (("mbgnbd", "buying"), ("gammagamma", "spending")):
        ask(shop, "clv", "fit", "--model", model, "--as-of", AS_OF, "--save", name)
    rows = ask(shop, *words[3:], "--as-of", AS_OF)
    paid = {(r["month"], r["channel"]): r for r in rows if r["cost_minor"] is not None}
    assert paid["2025-01", "web"]["clv_cost_ratio"] > 0 and paid["2025-01", "ads"]["customers"] == 0


def test_nobody_has_ordered_yet(shop):
    assert run("-d", shop, "clv", "fit", "--as-of", "2020-01-01").returncode == NOTHING
