"""Segments a second time, slowly and obviously: from the words of docs/SEGMENTS.md, over
plain lists of one profile's facts.  Shares no line with the library and no idea: whatever
is asked is looked up again from the beginning, at every moment.

    shop = Shop("Europe/Berlin", "EUR")
    profile = Profile(1, [Event(1740826800000, "order", value=1990)], [Trait(0, "country", '"DE"')])
    segment = parse('orders(last 90 days) = 0 and country = "DE"', shop)
    truth(segment, profile, shop, now)      -> True, False or None (unknown)

When the answer changes is in segment_moments.py.
"""

import math
import re
from datetime import timedelta
from fractions import Fraction
from typing import NamedTuple, Optional

from segment_text import DAY, FUNCTIONS, HOUR, AnyCase, Money, Number, Time, iso_time, local, local_date, lower, read_json, unit_start


# ---- facts ----------------------------------------------------------------------------


class Event(NamedTuple):
    """What happened.  A field that the event lacks is None."""

    time: int
    name: str
    channel: Optional[str] = None
    session: Optional[str] = None
    campaign: Optional[str] = None
    content: Optional[str] = None
    product: Optional[str] = None
    order: Optional[str] = None
    quantity: Optional[int] = None
    value: Optional[int] = None  # minor units
    currency: Optional[str] = None
    properties: Optional[str] = None  # a JSON object, as text


class Trait(NamedTuple):
    """What somebody said of the customer, and when.  value is JSON text."""

    time: int
    name: str
    value: str
    source: str = "host"


class Profile:
    """Everything known of one customer, also what lies after the moment that is asked
    about.  Events in profile order: by time, of equal times by node, then as they came;
    traits likewise."""

    def __init__(self, number, events=(), traits=(), identifiers=None, shared_device=False, lists=()):
        self.number = number
        self.events = list(events)
        self.properties = [read_json(event.properties) for event in self.events]
        self.traits = [(trait, read_json(trait.value)) for trait in traits]
        self.identifiers = dict(identifiers or {})  # kind: how many
        self.shared_device = shared_device
        self.lists = set(lists)  # names of the static lists that hold the profile
        self.matching = {}  # selector: numbers of the events that match it


# ---- three-valued logic --------------------------------------------------------------------


def all_of(truths):
    found = True
    for truth in truths:
        if truth is False:
            return False
        found = None if truth is None else found
    return found


def any_of(truths):
    found = False
    for truth in truths:
        if truth is True:
            return True
        found = None if truth is None else found
    return found


def opposite(truth):
    return None if truth is None else not truth


# ---- comparing --------------------------------------------------------------------------------


def as_time(value, shop):
    """A time, or a text that is one; None: it is neither."""
    if isinstance(value, Time):
        return value.ms
    if isinstance(value, str):
        return iso_time(str(value), shop.zone)
    return None


def order(a, b, shop):
    """-1, 0 or 1; None when the two do not compare."""
    if isinstance(a, Time) or isinstance(b, Time):
        a, b = as_time(a, shop), as_time(b, shop)
        if a is None or b is None:
            return None
    elif isinstance(a, str) and isinstance(b, str):
        if isinstance(a, AnyCase) or isinstance(b, AnyCase):
            a, b = lower(a), lower(b)
        a, b = a.encode(), b.encode()
    elif isinstance(a, bool) or isinstance(b, bool):
        if not (isinstance(a, bool) and isinstance(b, bool)):
            return None
    elif isinstance(a, Money) and isinstance(b, Money):
        a, b = a.minor, b.minor
    elif not (isinstance(a, float) and isinstance(b, float)):
        return None
    return (a > b) - (a < b)


def compare(sign, a, b, shop):
    found = order(a, b, shop)
    if found is None:
        return None
    return {
        "=": found == 0, "!=": found != 0, "<": found < 0, "<=": found <= 0, ">": found > 0, ">=": found >= 0,
    }[sign]  # fmt: skip


def wildcard(text, pattern):
    """* is any run of characters, ? is one; the whole text has to match."""
    regex = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(regex, text, re.DOTALL) is not None


def holds(value, literal, shop):
    """Is it an element of the value?  A scalar is a list of one."""
    elements = value if isinstance(value, list) else [value]
    return any(order(element, literal, shop) == 0 for element in elements)


def text_relation(how, value, part):
    if not (isinstance(value, str) and isinstance(part, str)):
        return None
    if isinstance(part, AnyCase):
        value, part = lower(value), lower(part)
    if how == "contains":
        return part in value
    if how == "starts":
        return value.startswith(part)
    if how == "ends":
        return value.endswith(part)
    return wildcard(value, part)


def distance_km(lat_a, lon_a, lat_b, lon_b):
    """The haversine formula on a sphere of 6,371 km."""
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (lat_a, lon_a, lat_b, lon_b))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(min(h, 1)))


def is_anniversary(day, of):
    """29 February is kept on 28 February in other years."""
    leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    if (of.month, of.day) == (2, 29) and not leap:
        return (day.month, day.day) == (2, 28)
    return (day.month, day.day) == (of.month, of.day)


# ---- reckoning --------------------------------------------------------------------------------


def finite(number):
    return number if math.isfinite(number) else None


def minor_units(number):
    """A product or quotient of money: the nearest double, rounded half to even."""
    return Money(round(number)) if math.isfinite(number) else None


def reckon(sign, a, b):
    if sign in "+-" and isinstance(a, Money) and isinstance(b, Money):
        return Money(a.minor + b.minor if sign == "+" else a.minor - b.minor)
    if sign == "-" and isinstance(a, Time) and isinstance(b, Time):
        return (a.ms - b.ms) / DAY
    if sign == "/" and isinstance(a, Money) and isinstance(b, Money):
        return a.minor / b.minor if b.minor != 0 else None
    if isinstance(a, Money) and isinstance(b, float):
        if sign == "*":
            return minor_units(a.minor * b)
        return minor_units(a.minor / b) if sign == "/" and b != 0 else None
    if sign == "*" and isinstance(a, float) and isinstance(b, Money):
        return minor_units(a * b.minor)
    if not (isinstance(a, float) and isinstance(b, float)):
        return None
    if sign == "/":
        return finite(a / b) if b != 0 else None
    return finite(a + b if sign == "+" else a - b if sign == "-" else a * b)


# ---- one profile at one moment ---------------------------------------------------------------


class Asking:
    def __init__(self, profile, shop, now):
        self.profile, self.shop, self.now = profile, shop, now
        self.events = profile.events

    # -- conditions and values: None is unknown and missing

    def value(self, node):
        return getattr(self, "see_" + node[0])(*node[1:])

    def see_or(self, *parts):
        return any_of(self.condition(part) for part in parts)

    def see_and(self, *parts):
        return all_of(self.condition(part) for part in parts)

    def see_not(self, part):
        return opposite(self.condition(part))

    def condition(self, node):
        """A value as a condition: a text or a number is neither true nor false."""
        found = self.value(node)
        return found if isinstance(found, bool) else None

    def see_literal(self, value):
        return value

    def see_truth(self, value):
        return value

    def see_negative(self, node):
        found = self.value(node)
        if isinstance(found, Money):
            return Money(-found.minor)
        return -found if isinstance(found, float) else None

    def see_reckon(self, sign, left, right):
        return reckon(sign, self.value(left), self.value(right))

    def see_compare(self, sign, left, right):
        return compare(sign, self.value(left), self.value(right), self.shop)

    def see_between(self, left, low, high):
        found = self.value(left)
        return all_of(
            [compare(">=", found, self.value(low), self.shop), compare("<=", found, self.value(high), self.shop)])

    def see_in(self, left, literals):
        found = self.value(left)
        return any_of(compare("=", found, literal[1], self.shop) for literal in literals)

    def see_contains(self, left, part):
        found = self.value(left)
        if isinstance(found, list):
            return holds(found, part[1], self.shop)
        return text_relation("contains", found, part[1])

    def see_starts(self, left, part):
        return text_relation("starts", self.value(left), part[1])

    def see_ends(self, left, part):
        return text_relation("ends", self.value(left), part[1])

    def see_like(self, left, part):
        return text_relation("like", self.value(left), part[1])

    def see_has(self, quantifier, left, literals):
        found = self.value(left)
        if found is None or isinstance(found, dict):
            return None
        each = [holds(found, literal[1], self.shop) for literal in literals]
        return {"any": any(each), "all": all(each), "none": not any(each)}[quantifier]

    def see_is(self, what, left):
        found = self.value(left)
        if what in ("missing", "known"):
            return (found is None) == (what == "missing")
        if what == "empty":
            return None if found is None else found in ("", [])
        if not isinstance(found, bool):
            return None
        return found == (what == "true")

    # -- times

    def time(self, node):
        return as_time(self.value(node), self.shop)

    def see_before(self, left, right):
        a, b = self.time(left), self.time(right)
        return None if a is None or b is None else a < b

    def see_after(self, left, right):
        a, b = self.time(left), self.time(right)
        return None if a is None or b is None else a > b

    def see_on(self, left, right):
        a = self.time(left)
        return None if a is None else self.day(a) == self.day(right[1].ms)

    def see_within_last(self, left, duration):
        a = self.time(left)
        return None if a is None else self.now - duration[1] <= a <= self.now

    def see_within_next(self, left, duration):
        a = self.time(left)
        return None if a is None else self.now <= a <= self.now + duration[1]

    def see_anniversary(self, left, direction, duration):
        a = self.time(left)
        if a is None:
            return None
        days = range(min(duration[1] // DAY, 366) + 1)
        sign = 1 if direction == "next" else -1
        today, of = self.day(self.now), self.day(a)
        return any(is_anniversary(today + timedelta(days=sign * n), of) for n in days)

    def see_near(self, left, km, latitude, longitude):
        place = self.value(left)
        if not (isinstance(place, list) and len(place) == 2 and all(isinstance(x, float) for x in place)):
            return None
        if abs(place[0]) > 90 or abs(place[1]) > 180:
            return None
        return distance_km(place[0], place[1], latitude, longitude) <= km

    def day(self, ms):
        return local_date(ms, self.shop.zone)

    # -- traits

    def newest(self, name):
        """The newest entry of a trait that is a fact now, or (None, None)."""
        known = [entry for entry in self.profile.traits if entry[0].name == name and entry[0].time <= self.now]
        return last_of_newest(known) if known else (None, None)

    def see_trait(self, name, path):
        found = self.newest(name)[1]
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found

    # -- events

    def matching(self, selector):
        """Numbers of the profile's events, past and future, that the selector means."""
        known = self.profile.matching
        if selector not in known:
            known[selector] = [i for i in range(len(self.events)) if self.selects(selector, i)]
        return known[selector]

    def selects(self, selector, i):
        _, which, name, condition = selector
        event = self.events[i]
        value = event.value or 0
        if which == "event" and event.name != name:
            return False
        if which == "orders" and not (event.name == "order" and value > 0):
            return False
        if which == "refunds" and not (event.name == "refund" or (event.name == "order" and value < 0)):
            return False
        return condition is None or Filter(self, i).condition(condition) is True

    def found(self, selector, window=("ever",)):
        """Numbers of the events in the window that are facts now, in profile order."""
        begin, end = self.bounds(window)
        found = [i for i in self.matching(selector) if begin <= self.events[i].time < end]
        if window[0] == "since_last":
            before = self.found(window[1])
            return [i for i in found if not before or i > before[-1]]
        return found

    def bounds(self, window):
        """A window as [begin, end); what is not yet a fact is in none."""
        now, zone = self.now, self.shop.zone
        kind, *rest = window
        if kind in ("ever", "since_last"):
            return -math.inf, now
        if kind == "ago":
            older, younger = rest
            return now - older[1], now - younger[1]
        if kind == "today":
            return unit_start("day", now, zone), now
        if kind == "yesterday":
            return unit_start("day", now, zone, 1), unit_start("day", now, zone)
        if kind == "this":
            return unit_start(rest[0], now, zone), now
        if kind == "previous":
            return unit_start(rest[0], now, zone, 1), unit_start(rest[0], now, zone)
        begin, end = rest
        return -math.inf if begin is None else begin.ms, now if end is None else min(end.ms, now)

    def ago(self, selector, older, younger):
        return self.found(selector, ("ago", ("duration", older), ("duration", younger)))

    def field(self, field, i):
        """The value of a field of event i."""
        _, name, path = field
        event = self.events[i]
        if name == "properties":
            return follow(self.profile.properties[i], path)
        if name in ("hour", "weekday", "weekend"):
            when = local(event.time, self.shop.zone)
            if name == "hour":
                return float(when.hour)
            return float(when.isoweekday()) if name == "weekday" else when.isoweekday() >= 6
        value = getattr(event, name)
        if value is None:
            return None
        return Money(value) if name == "value" else float(value) if name == "quantity" else value

    def fields(self, field, selector, window):
        """The values of a field over the events that have it."""
        values = [self.field(field, i) for i in self.found(selector, window)]
        return [value for value in values if value is not None]

    def reckonable(self, field, selector, window):
        return [value for value in self.fields(field, selector, window) if type(value) in (float, Number, Money)]

    # -- functions

    def see_call(self, name, arguments, window):
        return getattr(self, "call_" + name)(*arguments, *([window] if "+" in FUNCTIONS[name] else []))

    def call_count(self, selector, window):
        return float(len(self.found(selector, window)))

    def call_sum(self, field, selector, window):
        values = self.reckonable(field, selector, window)
        if field[1] == "value":
            return Money(sum(value.minor for value in values))
        return float(sum(values))

    def call_avg(self, field, selector, window):
        values = self.reckonable(field, selector, window)
        if not values:
            return None
        if field[1] == "value":
            return mean_money([value.minor for value in values])
        return float(sum(values)) / len(values)

    def call_min(self, field, selector, window):
        return min(self.reckonable(field, selector, window), default=None)

    def call_max(self, field, selector, window):
        return max(self.reckonable(field, selector, window), default=None)

    def call_distinct(self, field, selector, window):
        """Different numbers of JSON are those that are written differently."""
        scalars = [value for value in self.fields(field, selector, window) if not isinstance(value, (list, dict))]
        return float(len({(type(value), getattr(value, "text", value)) for value in scalars}))

    def call_share(self, pair, window):
        _, part, whole, _ = pair
        return ratio(len(self.found(part, window)), len(self.found(whole, window)))

    def call_first(self, selector, window):
        found = self.found(selector, window)
        return Time(self.events[found[0]].time) if found else None

    def call_last(self, selector, window):
        found = self.found(selector, window)
        return Time(self.events[found[-1]].time) if found else None

    def call_first_value(self, field, selector, window):
        values = self.fields(field, selector, window)
        return values[0] if values else None

    def call_last_value(self, field, selector, window):
        values = self.fields(field, selector, window)
        return values[-1] if values else None

    def call_days_since(self, node):
        time = self.time(node)
        return None if time is None else float((self.now - time) // DAY)

    def call_hours_since(self, node):
        time = self.time(node)
        return None if time is None else float((self.now - time) // HOUR)

    def call_first_time(self, selector, window):
        first = self.found(selector)[:1]
        return bool(first) and first[0] in self.found(selector, window)

    def call_regularly(self, selector, periods):
        _, k, n, unit = periods
        zone = self.shop.zone
        times = [self.events[i].time for i in self.found(selector)]
        hits = 0
        for back in range(1, n + 1):
            begin, end = unit_start(unit, self.now, zone, back), unit_start(unit, self.now, zone, back - 1)
            hits += any(begin <= time < end for time in times)
        return hits >= k

    def call_stopped(self, selector, duration):
        d = duration[1]
        return bool(self.ago(selector, 2 * d, d)) and not self.ago(selector, d, 0)

    def call_restarted(self, selector, duration):
        d = duration[1]
        earlier = [i for i in self.found(selector) if self.events[i].time < self.now - 2 * d]
        return bool(self.ago(selector, d, 0)) and not self.ago(selector, 2 * d, d) and bool(earlier)

    def call_more(self, selector, duration):
        d = duration[1]
        return len(self.ago(selector, d, 0)) > len(self.ago(selector, 2 * d, d))

    def call_less(self, selector, duration):
        d = duration[1]
        return len(self.ago(selector, d, 0)) < len(self.ago(selector, 2 * d, d))

    def call_trend(self, selector, duration):
        d = duration[1]
        return ratio(len(self.ago(selector, d, 0)), len(self.ago(selector, 2 * d, d)))

    def call_median_days_between(self, selector, window):
        return median_days([self.events[i].time for i in self.found(selector, window)])

    def call_overdue(self, selector, factor):
        times = [self.events[i].time for i in self.found(selector)]
        usual = median_days(times)
        return None if usual is None else (self.now - times[-1]) / DAY > factor * usual

    def call_sequence(self, steps, same, window):
        selectors = steps[1:]
        field = ("field", same, ()) if same else None
        ways = [[i] for i in self.found(selectors[0][0], window)]
        if field:
            ways = [way for way in ways if self.field(field, way[0]) is not None]
        for selector, within in selectors[1:]:
            later = self.found(selector)
            # where a way ends, and what has to be the same, is all that counts for the next step
            ends = {(way[-1], self.field(field, way[0]) if field else None) for way in ways}
            ways = [[i] for i in later if any(self.follows(i, *end, within, field) for end in ends)]
        return bool(ways)

    def follows(self, i, end, key, within, field):
        if i <= end or (within and self.events[i].time - self.events[end].time > within[1]):
            return False
        return field is None or self.field(field, i) == key

    def call_not_followed(self, pair, window):
        _, first, second, within = pair
        later = self.found(second)
        for i in self.found(first, window):
            until = self.events[i].time + within[1]
            if until <= self.now and not any(j > i and self.events[j].time <= until for j in later):
                return True
        return False

    def call_without(self, steps, third, window):
        (first, _), (second, _) = steps[1:]
        between = self.found(third)
        for a in self.found(first, window):
            for b in self.found(second):
                if a < b and not any(a < c < b for c in between):
                    return True
        return False

    # -- orders

    def values(self, which, window):
        found = self.found(("select", which, "", None), window)
        return [self.events[i].value for i in found if self.events[i].value is not None]

    def call_orders(self, window):
        return float(len(self.values("orders", window)))

    def call_items(self, window):
        found = self.found(("select", "event", "order_item", None), window)
        return float(sum(self.events[i].quantity or 0 for i in found))

    def call_revenue(self, window):
        found = self.found(("select", "any", "", None), window)
        return Money(sum(self.events[i].value or 0 for i in found if self.events[i].name in ("order", "refund")))

    def call_gross(self, window):
        return Money(sum(self.values("orders", window)))

    def call_average_order(self, window):
        values = self.values("orders", window)
        return mean_money(values) if values else None

    def call_largest_order(self, window):
        values = self.values("orders", window)
        return Money(max(values)) if values else None

    def call_refund_share(self, window):
        return ratio(-sum(self.values("refunds", window)), sum(self.values("orders", window)))

    def call_bought(self, selector, window):
        return bool(self.found(selector, window))

    def call_bought_together(self, one, other, window):
        baskets = {}
        for i in self.found(("select", "event", "order_item", None), window):
            baskets.setdefault(self.events[i].order, []).append(self.events[i].product)
        baskets.pop(None, None)
        return any(
            all(any(order(product, wanted, self.shop) == 0 for product in basket) for wanted in (one, other))
            for basket in baskets.values()
        )

    # -- sessions, channels, campaigns

    def having(self, field, window):
        found = self.found(("select", "any", "", None), window)
        return [self.events[i] for i in found if getattr(self.events[i], field) is not None]

    def call_sessions(self, window):
        return float(len({event.session for event in self.having("session", window)}))

    def call_session_minutes(self, window):
        times = {}
        for event in self.having("session", window):
            times.setdefault(event.session, []).append(event.time)
        if not times:
            return None
        return sum(max(of) - min(of) for of in times.values()) / len(times) / 60000

    def call_pages_per_session(self, window):
        events = self.having("session", window)
        return ratio(sum(event.name == "page_view" for event in events), len({event.session for event in events}))

    def call_channels(self, window):
        return float(len({event.channel for event in self.having("channel", window)}))

    def call_channel_share(self, name, window):
        channels = [event.channel for event in self.having("channel", window)]
        return ratio(channels.count(name), len(channels))

    def call_first_channel(self, window):
        events = self.having("channel", window)
        return events[0].channel if events else None

    def call_last_channel(self, window):
        events = self.having("channel", window)
        return events[-1].channel if events else None

    def call_top_channel(self, window):
        channels = [event.channel for event in self.having("channel", window)]
        return min(channels, key=lambda channel: (-channels.count(channel), channel.encode()), default=None)

    def call_touched(self, campaign, window):
        return any(order(event.campaign, campaign, self.shop) == 0 for event in self.having("campaign", window))

    def call_seen(self, content, window):
        return any(order(event.content, content, self.shop) == 0 for event in self.having("content", window))

    def call_responded(self, campaign, duration):
        orders = self.found(("select", "orders", "", None))
        for i in self.found(("select", "any", "", ("compare", "=", ("field", "campaign", ()), ("literal", campaign)))):
            if any(j > i and self.events[j].time - self.events[i].time <= duration[1] for j in orders):
                return True
        return False

    def call_stage(self, stage):
        names = {self.events[i].name for i in self.found(("select", "any", "", None))}
        n_orders = len(self.found(("select", "orders", "", None)))
        return {
            "awareness": bool(names & {"impression", "ad_click", "email_open", "social_view"}),
            "consideration": bool(names & {
                "product_view", "product_list_view", "product_click", "search", "cart_add", "cart_view",
                "checkout_start"}),
            "purchase": n_orders >= 1,
            "retention": n_orders >= 2,
            "advocacy": bool(names & {"review", "product_share", "cart_share", "referral"}),
        }[stage.lower()]  # fmt: skip

    # -- the profile itself

    def call_has(self, kind):
        return self.profile.identifiers.get(kind.lower(), 0) > 0

    def call_identifiers(self, kind=None):
        kinds = self.profile.identifiers
        return float(kinds.get(kind.lower(), 0) if kind else sum(kinds.values()))

    def call_shared_device(self):
        return self.profile.shared_device

    def call_source(self, trait):
        newest = self.newest(trait[1])[0]
        return None if newest is None else newest.source

    def call_score(self, name):
        found = self.newest(name)[1]
        return found if isinstance(found, float) else None

    def call_consent(self, first, second):
        found = self.newest(f"consent.{first}.{second}")[1]
        return found if isinstance(found, bool) else None

    def call_in_segment(self, name):
        return self.condition(self.shop.segments[name])

    def call_in_list(self, name):
        return name in self.profile.lists

    def call_sample(self, share, seed):
        return lot(self.profile.number, seed) < share


class Filter(Asking):
    """A condition over one event."""

    def __init__(self, asking, i):
        super().__init__(asking.profile, asking.shop, asking.now)
        self.i = i

    def see_field(self, name, path):
        return self.field(("field", name, path), self.i)

    def value(self, node):
        """Of a path with [] a relation holds when it holds for any value there."""
        paths = [part for part in node[1:] if part and isinstance(part, tuple) and part[0] == "field" and "[]" in part[2]]
        if not paths or node[0] in ("and", "or", "not"):
            return super().value(node)
        values = everything(self.profile.properties[self.i], paths[0][2]) or [None]
        ways = [tuple(("literal", value) if part is paths[0] else part for part in node) for value in values]
        return any_of(Asking.value(self, way) for way in ways)


def last_of_newest(known):
    newest = max(entry[0].time for entry in known)
    return [entry for entry in known if entry[0].time == newest][-1]


def follow(value, path):
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def everything(value, path):
    """All values at a path in which [] is every element of an array."""
    if value is None or not path:
        return [] if value is None else [value]
    if path[0] == "[]":
        inside = value if isinstance(value, list) else []
    else:
        inside = [value.get(path[0])] if isinstance(value, dict) else []
    return [found for each in inside for found in everything(each, path[1:])]


def ratio(part, whole):
    return None if whole == 0 else part / whole


def mean_money(minors):
    return Money(round(Fraction(sum(minors), len(minors))))


def median_days(times):
    gaps = sorted(later - earlier for earlier, later in zip(times, times[1:]))
    if not gaps:
        return None
    middle = len(gaps) // 2
    if len(gaps) % 2 == 1:
        return gaps[middle] / DAY
    return (gaps[middle - 1] + gaps[middle]) / 2 / DAY


def lot(number, seed):
    """splitmix64(profile + FNV-1a-64(seed)) as a number from 0 to 1."""
    mask = 2**64 - 1
    h = 0xCBF29CE484222325
    for byte in seed.encode():
        h = (h ^ byte) * 0x100000001B3 & mask
    z = h + number + 0x9E3779B97F4A7C15 & mask
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
    return ((z ^ z >> 31) >> 11) * 2.0**-53


def truth(segment, profile, shop, now):
    return Asking(profile, shop, now).condition(segment)


def worth(expression, profile, shop, now):
    """The value of an expression that need not be a condition."""
    return Asking(profile, shop, now).value(expression)
