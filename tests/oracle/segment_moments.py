"""When a segment's answer changes: by trying every moment at which anything could, and many
more.  Part of the second opinion on segments (segments.py).

    flips(segment, profile, shop, begin)    -> the moments at which the profile enters or leaves
"""

from datetime import date, timedelta

from segment_text import DAY, HOUR, Time, first_day, local_date, local_day, midnight, unit_start
from segments import Asking, as_time, median_days, truth

NEVER = 2**63 - 1


def parts(node):
    """A tuple and all tuples in it, at any depth."""
    yield node
    for part in node:
        if isinstance(part, tuple) and part:
            yield from parts(part)


def all_parts(segment, shop):
    """Also those of the segments that it refers to."""
    nodes = list(parts(segment))
    for node in list(nodes):
        if node[0] == "call" and node[1] == "in_segment":
            nodes += all_parts(shop.segments[node[2][0]], shop)
    return nodes


def times_in(value, shop):
    """Everything in a value that could be read as a time."""
    if isinstance(value, (list, dict)):
        inside = value.values() if isinstance(value, dict) else value
        return [time for each in inside for time in times_in(each, shop)]
    time = as_time(value, shop)
    return [] if time is None else [time]


def known_times(nodes, profile, shop):
    """Every time that plays a part: of events, of traits and in them, and as written."""
    times = {event.time for event in profile.events}
    for trait, value in profile.traits:
        times |= {trait.time, *times_in(value, shop)}
    return times | {node.ms for node in nodes if isinstance(node, Time)}


def calendar_moments(nodes, times, begin, shop):
    """The midnights that begin a day, week, month or year which the segment speaks of."""
    units = {}  # unit: how many of them back
    for node in nodes:
        if node[0] in ("today", "yesterday"):
            units["day"] = max(units.get("day", 0), 1)
        if node[0] in ("this", "previous") and len(node) == 2:
            units[node[1]] = max(units.get(node[1], 0), 1)
        if node[0] == "periods":
            units[node[3]] = max(units.get(node[3], 0), node[2])
    for unit, back in units.items():
        day = first_day(unit, local_day(begin, shop.zone))
        last = max([begin, *times])
        for _ in range(100000):
            yield midnight(day, shop.zone)
            if unit_start(unit, midnight(day, shop.zone), shop.zone, back + 1) > last:
                break
            day = first_day(unit, day + timedelta(days={"day": 1, "week": 7, "month": 31, "year": 366}[unit]))


def anniversary_moments(nodes, times, begin, shop):
    for node in nodes:
        if node[0] == "anniversary":
            days = node[3][1] // DAY
            for time in times:
                day = local_date(time, shop.zone)
                for year in range(local_date(begin, shop.zone).year - 2, local_date(begin, shop.zone).year + 4):
                    near = date(year, day.month, min(day.day, 28)) + timedelta(days=day.day - min(day.day, 28))
                    for away in (-days - 1, -days, -days + 1, -1, 0, 1, days - 1, days, days + 1, days + 2):
                        yield midnight(near + timedelta(days=away), shop.zone)


def ticking(node):
    return node[0] == "call" and node[1] in ("days_since", "hours_since")


def ticks_since(node, profile, shop, times):
    """The times since which a call of days_since or hours_since may count."""
    argument = node[2][0]
    if argument[0] == "call":
        return {profile.events[i].time for i in Asking(profile, shop, 0).matching(argument[2][0])}
    if argument[0] == "trait":
        values = [value for trait, value in profile.traits if trait.name == argument[1]]
        return {time for value in values for time in times_in(value, shop)}
    return times


def ticking_moments(nodes, profile, shop, times, ticks):
    """days_since and hours_since change whenever another day or hour is over."""
    for node in filter(ticking, nodes):
        unit = DAY if node[1] == "days_since" else HOUR
        for time in ticks_since(node, profile, shop, times):
            yield from (time + n * unit for n in range(-ticks, ticks + 1))


def complete_until(segment, profile, shop, begin, ticks=150):
    """Until when moments() knows them all.  A count of days that is compared with small
    numbers stays as it is when it is large; any other goes on, and so do anniversaries."""
    nodes, until = all_parts(segment, shop), NEVER
    small = [node[2] for node in nodes if node[0] == "compare" and node[3][0] == "literal"]
    small += [node[1] for node in nodes if node[0] == "between" and all(end[0] == "literal" for end in node[2:])]
    small += [node[1] for node in nodes if node[0] == "in"]
    for node in filter(ticking, nodes):
        if nodes.count(node) > small.count(node):
            unit = DAY if node[1] == "days_since" else HOUR
            since = ticks_since(node, profile, shop, known_times(nodes, profile, shop))
            until = min([until, *(time + ticks * unit for time in since)])
    if any(node[0] == "anniversary" for node in nodes):
        until = min(until, midnight(date(local_date(begin, shop.zone).year + 3, 1, 1), shop.zone))
    return until


def overdue_moments(nodes, profile, shop):
    """So many times the usual gap after the event that was last by then."""
    for node in nodes:
        if node[0] == "call" and node[1] == "overdue":
            selector, factor = node[2]
            events = [profile.events[i].time for i in Asking(profile, shop, 0).matching(selector)]
            for n in range(2, len(events) + 1):
                turn = events[n - 1] + round(factor * median_days(events[:n]) * DAY)
                yield from range(turn - 3, turn + 4)


def moments(segment, profile, shop, begin, ticks=150):
    """Every moment after begin at which the answer could change, and many more."""
    nodes = all_parts(segment, shop)
    times = known_times(nodes, profile, shop)
    calls = {node[1] for node in nodes if node[0] == "call"}
    durations = {0} | {node[1] for node in nodes if node[0] == "duration"}
    if calls & {"stopped", "restarted", "more", "less", "trend"}:
        durations |= {2 * duration for duration in durations}
    if any(node[0] == "within_next" for node in nodes):
        durations |= {-duration for duration in durations}
    found = {time + duration + more for time in times for duration in durations for more in (0, 1)}
    found.update(calendar_moments(nodes, times, begin, shop))
    found.update(anniversary_moments(nodes, times, begin, shop))
    found.update(ticking_moments(nodes, profile, shop, times, ticks))
    found.update(overdue_moments(nodes, profile, shop))
    return sorted(moment for moment in found if moment > begin)


def flips(segment, profile, shop, begin, ticks=150):
    """The moments after begin at which the profile enters or leaves, in order."""
    turns = []
    before, inside = begin, truth(segment, profile, shop, begin) is True
    for moment in moments(segment, profile, shop, begin, ticks):
        if (truth(segment, profile, shop, moment) is True) != inside:
            turns.append(exact_turn(segment, profile, shop, before, moment))
            inside = not inside
        before = moment
    return turns


def exact_turn(segment, profile, shop, before, after):
    """The first moment that is as after; halving what lies between."""
    inside = truth(segment, profile, shop, after) is True
    while after - before > 1:
        middle = (before + after) // 2
        if (truth(segment, profile, shop, middle) is True) == inside:
            after = middle
        else:
            before = middle
    return after


def valid_until(turns, now):
    """The first turn after now."""
    return min((turn for turn in turns if turn > now), default=NEVER)
