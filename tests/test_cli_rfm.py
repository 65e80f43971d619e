"""The program's questions about all customers together: rfm distribution, migrate,
concentration, compared with what the rows of `rfm` add up to."""

from collections import Counter

import pytest
from cli import DONE, NOTHING, USAGE, lines_of, ndjson, order, run

AS_OF = "2025-07-01"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Forty customers: customer i has orders in i % 5 + 1 months, of i + 1 euros."""
    path = tmp_path_factory.mktemp("rfm") / "shop.db"
    rows = [order(f"c{i:02d}", f"2025-{month:02d}-{i % 27 + 1:02d}T10:00:00Z", f"O{i}-{month}",
                  f"{i + 1}.00") for i in range(40) for month in range(1, i % 5 + 2)]
    done = run("-d", path, "import", "--format", "json", "-", stdin=ndjson(rows))
    assert done.returncode == DONE, done.err
    return path


def ask(shop, *words):
    done = run("-d", shop, "rfm", *words, "--format", "jsonl")
    assert done.returncode == DONE, done.err
    return lines_of(done.out)


def test_distribution_is_what_the_rows_add_up_to(shop):
    customers = ask(shop, "--as-of", AS_OF)
    rows = ask(shop, "distribution", "--as-of", AS_OF)
    for letter in "rfm":
        counted = Counter(c[letter] for c in customers)
        value = {s: sum(c["monetary_minor"] for c in customers if c[letter] == s) for s in counted}
        for row in rows:
            if row["dimension"] == letter:
                assert row["customers"] == counted[row["score"]]
                assert row["value_minor"] == value.get(row["score"], 0)
    counted = Counter(c["class"] for c in customers)
    assert {r["class"]: r["customers"] for r in rows if r["dimension"] == "class" and r["customers"]} == counted
    (whole,) = (r for r in rows if r["dimension"] == "all")
    assert whole["customers"] == 40 and whole["customers_ratio"] == 1
    assert whole["value_minor"] == sum(c["monetary_minor"] for c in customers)


def test_migration_is_two_questions_beside_each_other(shop):
    before = {c["profile"]: c for c in ask(shop, "--as-of", "2025-03-10")}
    after = {c["profile"]: c for c in ask(shop, "--as-of", AS_OF)}
    rows = ask(shop, "migrate", "--before", "2025-03-10", "--as-of", AS_OF)
    moves = Counter((before[p]["class"] if p in before else "(new)", after[p]["class"]) for p in after)
    assert {(r["from_class"], r["to_class"]): r["customers"] for r in rows} == moves
    assert sum(r["to_minor"] for r in rows) == sum(c["monetary_minor"] for c in after.values())


def test_migration_needs_two_moments(shop):
    done = run("-d", shop, "rfm", "migrate")
    assert done.returncode == USAGE and "--before 2025-01-01" in done.err


def test_concentration_by_sorting(shop):
    values = sorted((c["monetary_minor"] for c in ask(shop, "--as-of", AS_OF)), reverse=True)
    rows = {r["measure"]: r for r in ask(shop, "concentration", "--as-of", AS_OF)}
    for share in (1, 5, 10, 20, 50):
        n = -(-len(values) * share // 100)
        row = rows[f"top {share} %"]
        assert (row["customers"], row["value_minor"]) == (n, sum(values[:n]))
        assert row["ratio"] == pytest.approx(sum(values[:n]) / sum(values), abs=1e-12)
    pairs = sum(abs(a - b) for a in values for b in values)
    gini = pairs / (2 * len(values) * sum(values))
    assert rows["gini"]["ratio"] == pytest.approx(gini, abs=1e-12)


def test_people_see_percent(shop):
    done = run("-d", shop, "rfm", "concentration", "--as-of", AS_OF, "--format", "table")
    assert "100.0%" in done.out


def test_an_unknown_part_is_named(shop):
    done = run("-d", shop, "rfm", "migrat")
    assert done.returncode == USAGE and "did you mean migrate?" in done.err


@pytest.mark.parametrize("part", ["distribution", "concentration"])
def test_nobody_has_ordered_yet(shop, part):
    done = run("-d", shop, "rfm", part, "--as-of", "2024-01-01")
    assert done.returncode == NOTHING and "no customer has an order" in done.err
