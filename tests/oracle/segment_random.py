"""Random shops and random segments for the second opinion on segments.

A History is some weeks of a small shop around a change of the clock: people with several
identifiers who are merged and parted again, late, doubled and future events, ties, refunds,
traits of every type of JSON.  It can be played into a real store, and says as plain facts
what each profile then is; only who belongs together is asked of the store.

    history = History(random.Random(7))
    history.play(store)
    profiles = history.profiles(store)
    text = Expressions(random.Random(8), history).segment()
"""

import json
from datetime import timedelta

from segment_text import DAY, HOUR, MINUTE, RESERVED, TOKEN, Shop, iso_time, local_date, midnight
from segments import Event, Profile, Trait

# Zone, and a local date around which the weeks lie.
WORLDS = [
    ("Europe/Berlin", "2025-03-30"),
    ("Europe/Berlin", "2025-10-26"),
    ("Europe/Berlin", "2024-12-31"),
    ("Europe/Berlin", "2025-03-30"),
    ("UTC", "2024-02-29"),
    ("America/New_York", "2025-11-02"),
    ("Australia/Lord_Howe", "2025-04-06"),
    ("Africa/Cairo", "2024-04-26"),  # midnight itself is left out
]
KINDS = ("user_id", "crm_id", "loyalty_card", "email", "phone", "device_id", "anonymous_id", "guest")
NAMES = ["view", "page_view", "cart_add", "order", "refund", "click", "email_open", "review", "odd name", "orders"]
CHANNELS = ["web", "app", "store", "E-Mail", "Köln"]
CAMPAIGNS = ["spring", "Spring", "autumn sale", "x*y?"]
CONTENTS = ["hero", "footer"]
PRODUCTS = ["SKU-1", "SKU-2", "sku-1", "85123A", "7"]
SESSIONS = ["1", "01", "a", "b-2", "9007199254740993"]
ORDERS = ["1001", "A-1", "1002", "1003"]
TEXTS = ["Ann", "ann", "Köln", "a*b?c", "", "2025-03-30", "back\\slash \"quoted\"", "line\nbreak", "🙂", "1"]
TRAITS = ["country", "tags", "age", "signup", "birthday", "vip", "place", "address", "clv", "odd", "x"]
PATHS = ["size", "price", "tags", "deep.inner", "deep.list", "sale", "day"]
LOOPS = ["tags[]", "items[].id", "items[].sizes[]", "deep.list[]", "size[]"]


class History:
    def __init__(self, dice, n_people=5, n_events=90):
        self.dice = dice
        zone, day = dice.choice(WORLDS)
        self.shop = Shop(zone, "EUR", 2)
        self.zone_name = zone
        self.middle = iso_time(day, self.shop.zone)
        self.begin, self.end = self.middle - 24 * DAY, self.middle + 24 * DAY
        self.times = []
        self.people = [self.person(n) for n in range(n_people)]
        self.known = []  # identifiers that the store has seen
        self.arrived = []  # (identifier, Event) as they are recorded
        self.told = []  # (identifier, Trait)
        self.messages = sorted((self.message(n) for n in range(n_events)), key=self.when)
        for _ in range(n_events // 10):
            self.messages.append(dice.choice(self.messages))  # again: counts once, when it has an id

    # -- what happens

    def person(self, n):
        some = [kind for kind in KINDS if self.dice.random() < 0.3] or ["email"]
        value = {"email": f"p{n}@example.com", "phone": f"+4930123450{n}"}
        people = [(kind, value.get(kind, f"{kind[0]}{n}")) for kind in some]
        return [*people, ("device_id", "tablet")] if self.dice.random() < 0.2 else people

    def when(self, message):
        """When it arrives: now and then late."""
        late = self.dice.choice((0, 0, 0, 10 * DAY))
        return message["time"] + self.dice.randrange(HOUR) + late

    def time(self):
        """Often at or beside a local midnight, or at a round distance from another event."""
        dice, zone = self.dice, self.shop.zone
        choice = dice.randrange(6)
        if choice == 0 and self.times:
            time = dice.choice(self.times)
        elif choice == 1 and self.times:
            time = dice.choice(self.times) + dice.choice((1, -1, HOUR, DAY, 7 * DAY, -3 * DAY, 30 * MINUTE))
        elif choice == 2:
            day = local_date(dice.randrange(self.begin, self.end), zone)
            time = midnight(day, zone) + dice.choice((-1, 0, 1, 12 * HOUR))
        elif choice == 3:
            time = self.middle + dice.randrange(-12, 36) * (HOUR // 2)
        else:
            time = dice.randrange(self.begin, self.end)
        self.times.append(time)
        return time

    def maybe(self, chance, values):
        return self.dice.choice(values) if self.dice.random() < chance else None

    def message(self, n):
        dice = self.dice
        if dice.random() < 0.25:
            return self.telling()
        message = {
            "name": dice.choice(NAMES), "time": self.time(), "channel": self.maybe(0.7, CHANNELS),
            "session": self.maybe(0.6, SESSIONS), "campaign": self.maybe(0.3, CAMPAIGNS),
            "content": self.maybe(0.2, CONTENTS), "product": self.maybe(0.5, PRODUCTS),
            "order_id": self.maybe(0.3, ORDERS), "quantity": self.maybe(0.4, [1, 2, 3, -1]),
            "properties": self.properties() if dice.random() < 0.6 else None,
            "message_id": f"m{n}" if dice.random() < 0.8 else None,
            "identifiers": [dice.choice(dice.choice(self.people))],
        }  # fmt: skip
        if message["name"] == "order":
            message["value_minor"] = dice.choice((0, 1, 500, 1999, 1999, 10000, -500, dice.randrange(20000)))
            message["order_id"] = dice.choice(ORDERS)
            message["items"] = [self.item() for _ in range(dice.randrange(4))]
        elif message["name"] == "refund":
            message["value_minor"] = -dice.choice((1, 500, 1999))
        elif dice.random() < 0.3:
            message["value_minor"] = dice.choice((1, 250, 1999, -250))
        if dice.random() < 0.1:  # one that joins two identifiers
            message["identifiers"].append(dice.choice(dice.choice(self.people)))
        return {key: value for key, value in message.items() if value is not None}

    def item(self):
        item = {"product": self.dice.choice(PRODUCTS), "quantity": self.dice.choice((1, 2, 5)),
                "value_minor": self.dice.choice((100, 999, 2500))}
        return {**item, "properties": self.properties()} if self.dice.random() < 0.4 else item

    def properties(self):
        made = {}
        for name in ("size", "price", "tags", "deep", "items", "sale", "day"):
            if self.dice.random() < 0.4:
                made[name] = self.property(name)
        return write_json(self.dice, made)

    def property(self, name):
        dice = self.dice
        if dice.random() < 0.15:
            return self.any_json(2)
        return {
            "size": lambda: dice.choice(("S", "M", "xl", 7, 7.0)),
            "price": lambda: dice.choice((0.25, 1, 1.5, 12.75, 100, -3)),
            "tags": lambda: [dice.choice(("new", "sale", 7, True, None)) for _ in range(dice.randrange(4))],
            "deep": lambda: {"inner": dice.choice((1, 2, "x", None)), "list": [1, 2][: dice.randrange(3)]},
            "items": lambda: [{"id": dice.randrange(4), "sizes": ["S", "M"][: dice.randrange(3)]}
                              for _ in range(dice.randrange(4))],
            "sale": lambda: dice.choice((True, False)),
            "day": lambda: dice.choice(("2025-03-29", "2025-03-30T02:30", "2025-10-26T02:30:00Z", "today")),
        }[name]()  # fmt: skip

    def any_json(self, depth):
        dice = self.dice
        if depth and dice.random() < 0.3:
            inside = [self.any_json(depth - 1) for _ in range(dice.randrange(3))]
            return inside if dice.random() < 0.5 else dict(zip(("a", "city", "inner"), inside))
        return dice.choice([None, True, False, 0, 1, 40, -2.5, 1e3, dice.choice(TEXTS), dice.choice(TEXTS)])

    def telling(self):
        """Traits."""
        dice = self.dice
        names = dice.sample(TRAITS + ["consent.email.news", "odd name"], dice.randrange(2, 7))
        traits = write_json(dice, {name: self.trait(name) for name in names})
        return {"time": self.time(), "traits": traits, "source": dice.choice(("crm", "web", "till")),
                "identifiers": [dice.choice(dice.choice(self.people))]}

    def trait(self, name):
        dice = self.dice
        if dice.random() < 0.15:
            return self.any_json(2)
        return {
            "country": lambda: dice.choice(("DE", "AT", "de")),
            "tags": lambda: dice.sample(["new", "Sale", 7, True, "x", None], dice.randrange(4)),
            "age": lambda: dice.choice((18, 40, 40.0, 65)),
            "signup": self.date_text,
            "birthday": lambda: dice.choice(("1992-02-29", "1980-03-30", "2001-01-01", "1999-10-26T23:30:00Z")),
            "vip": lambda: dice.choice((True, False)),
            "place": lambda: dice.choice(([52.5, 13.4], [48.1, 11.6], [52.5], [91, 0], ["52", 13])),
            "address": lambda: {"city": dice.choice(("Berlin", "Köln", "")), "geo": [52.5, 13.4], "no": None},
            "clv": lambda: dice.choice((0.5, 12.5, 100)),
            "consent.email.news": lambda: dice.choice((True, False, None)),
        }.get(name, lambda: self.any_json(1))()  # fmt: skip

    def date_text(self):
        when = self.shop_time(self.dice.randrange(self.begin, self.end))
        return self.dice.choice((when[:10], when, when + "Z", when + "+01:00", when.replace("T", " ") + ":59.250"))

    def shop_time(self, ms):
        day = local_date(ms, self.shop.zone)
        minutes = (ms // MINUTE) % 1440
        return f"{day.isoformat()}T{minutes // 60:02}:{minutes % 60:02}"

    # -- playing it

    def play(self, store, refused):
        """Record everything; refused is the error that says two people cannot be one."""
        dice, batch, doubled = self.dice, [], set()
        for message in self.messages:
            if "traits" in message or dice.random() < 0.15:
                store.record_many(batch)
                batch = []
            if "traits" in message:
                self.tell(store, message)
            else:
                batch.append(message)
                if message.get("message_id") not in doubled:
                    self.note(message)
                doubled |= {message["message_id"]} if "message_id" in message else set()
            if not batch and len(self.known) > 2 and dice.random() < 0.3:
                self.mix(store, refused)
            if not batch and dice.random() < 0.05:
                store.compact()
        store.record_many(batch)

    def tell(self, store, message):
        who = message["identifiers"][0]
        store.identify([who], traits=message["traits"], time=message["time"], source=message["source"])
        self.hear(message)

    def hear(self, message):
        """The traits that a message tells."""
        who = message["identifiers"][0]
        self.known.append(who)
        for name, value in json.loads(message["traits"]).items():
            self.told.append((who, Trait(message["time"], name, json.dumps(value), message["source"])))

    def note(self, message):
        """The events that a message is, of its strongest identifier."""
        who = min(message["identifiers"], key=lambda identifier: KINDS.index(identifier[0]))
        self.known += message["identifiers"]
        fields = {key: message.get(key) for key in ("channel", "session", "campaign", "content", "product", "quantity")}
        value = message.get("value_minor")
        event = Event(message["time"], message["name"], **fields, order=message.get("order_id"), value=value,
                      currency=None if value is None else "EUR", properties=message.get("properties"))
        self.arrived.append((who, event))
        for item in message.get("items", []):
            line = Event(event.time, "order_item", event.channel, event.session, event.campaign, event.content,
                         item["product"], event.order, item["quantity"], item["value_minor"], "EUR",
                         item.get("properties"))
            self.arrived.append((who, line))

    def mix(self, store, refused):
        """Join two people, or part some again."""
        dice = self.dice
        one, other = dice.choice(self.known), dice.choice(self.known)
        joined = [edge["edge"] for edge in store.edges() if edge["state"] == "joined"]
        try:
            if joined and dice.random() < 0.4:
                store.unmerge(dice.choice(joined))
            elif dice.random() < 0.5:
                store.alias(one, other)
            else:
                store.merge(store.find_profile(*one), store.find_profile(*other))
        except refused:
            pass

    # -- what each profile then is

    def profiles(self, store):
        members = {}  # profile: [(node, kind, value)]
        for kind, value in set(self.known):
            number = store.find_profile(kind, value)
            if number not in members:
                rows = store.identifiers(number)
                members[number] = [(row["node"], row["kind"], row["value"]) for row in rows]
        refusals = {node for edge in store.edges() if edge["state"] == "refused" for node in (edge["node_a"], edge["node_b"])}
        return [self.profile(number, members[number], refusals) for number in sorted(members)]

    def profile(self, number, members, refusals):
        node = {(kind, value): node for node, kind, value in members}
        events = [(event.time, node[who], event) for who, event in self.arrived if who in node]
        traits = [(trait.time, node[who], trait) for who, trait in self.told if who in node]
        kinds = {}
        for _, kind, _ in members:
            kinds[kind] = kinds.get(kind, 0) + 1
        return Profile(
            number,
            [event for _, _, event in sorted(events, key=lambda row: row[:2])],
            [trait for _, _, trait in sorted(traits, key=lambda row: row[:2])],
            kinds,
            any(node in refusals for node, _, _ in members),
        )


def write_json(dice, value):
    """JSON, now and then with blanks.  A text is always written the same way."""
    return json.dumps(value, ensure_ascii=False, separators=dice.choice(((",", ":"), (", ", ": "))))


# ---- segments --------------------------------------------------------------------------------


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class Expressions:
    """Text of random segments in which every type fits."""

    def __init__(self, dice, history):
        self.dice, self.history = dice, history

    def one(self, *choices):
        return self.dice.choice(choices)()

    def pick(self, *choices):
        return self.dice.choice(choices)

    # -- the whole

    def segment(self):
        return self.disguise(self.condition(self.pick(0, 1, 1, 2, 3)))

    def condition(self, depth):
        if depth == 0:
            return self.atom()
        word = self.pick("and", "or", "and", "not", "nest")
        if word == "not":
            return f"not {self.condition(0) if self.dice.random() < 0.5 else '(' + self.condition(depth - 1) + ')'}"
        parts = [self.condition(depth - 1) for _ in range(self.pick(2, 2, 3))]
        if word == "nest":
            return " and ".join(f"({part})" for part in parts)
        return f" {word} ".join(f"({part})" if " or " in part else part for part in parts)

    def disguise(self, text):
        """Keywords in any case, lines and comments: means the same."""
        if self.dice.random() < 0.7:
            return text
        made, at = [], 0
        while at < len(text):
            found = TOKEN.match(text, at)
            token = found.group()
            if found.lastgroup == "name" and token in RESERVED and self.dice.random() < 0.3:
                token = token.upper()
            elif found.lastgroup == "blank" and self.dice.random() < 0.2:
                token = self.pick("\n", "  ", " -- a \"note\n", "\t")
            made.append(token)
            at = found.end()
        return "".join(made)

    def atom(self):
        return self.one(self.boolean, self.numbers, self.numbers, self.monies, self.times, self.texts, self.trait_atom,
                        self.trait_atom, self.ticking)

    # -- literals

    def number(self):
        return self.pick("0", "1", "1", "2", "2", "3", "4", "5", "0.5", "1.5", "50 %", "33.3 %", "10", "-1")

    def money(self):
        return self.pick("0 EUR", "0.01 EUR", "5 EUR", "19.99 EUR", "100 EUR", "50.5 EUR", "-5 EUR")

    def duration(self):
        return self.pick("1 day", "2 days", "3 days", "7 days", "1 week", "10 days", "14 days", "2 weeks", "30 days",
                         "24 hours", "6 hours", "36 hours", "90 minutes", "1 hour", "45 seconds")

    def days(self):
        return self.pick("0 days", "1 day", "7 days", "1 week", "30 days", "100 days", "364 days", "365 days", "400 days")

    def date(self):
        history = self.history
        time = history.shop_time(self.pick(*history.times) if self.dice.random() < 0.5 else self.dice.randrange(
            history.begin, history.end))
        return self.pick(time[:10], time[:10], time, time + ":30", time + "Z", time + "+05:30")

    def any_text(self, *choices):
        text = quoted(self.pick(*choices))
        return "i" + text if self.dice.random() < 0.2 else text

    def compare(self):
        return self.pick("=", "!=", "<", "<=", ">", ">=", ">", ">=", "=")

    # -- events and windows

    def name(self):
        return self.pick("view", "page_view", "cart_add", "order", "refund", "click", "email_open", "orders", "refunds",
                         "any", "order_item", "any", '"view"', '"odd name"', '"orders"', "nothing", "review")

    def selector(self):
        if self.dice.random() < 0.6:
            return self.name()
        return f"{self.name()} where {self.filter(self.pick(0, 0, 0, 1, 2))}"

    def filter(self, depth):
        if depth == 0:
            return ("not " if self.dice.random() < 0.1 else "") + self.filter_atom()
        parts = [self.filter(depth - 1) for _ in range(2)]
        text = self.pick(" and ", " or ").join(f"({part})" if depth > 1 else part for part in parts)
        return f"not ({text})" if self.dice.random() < 0.15 else text

    def filter_atom(self):
        return self.one(self.filter_text, self.filter_text, self.filter_key, self.filter_number, self.filter_property,
                        self.filter_property, self.filter_property, lambda: "weekend", lambda: "weekend = false")

    def filter_text(self):
        field, texts = self.pick(("channel", CHANNELS), ("campaign", CAMPAIGNS), ("content", CONTENTS),
                                 ("product", PRODUCTS), ("currency", ["EUR", "USD"]))
        return self.text_relation(field, [*texts, "gone"])

    def filter_key(self):
        field, texts = self.pick(("session", SESSIONS), ("order", ORDERS))
        some = [quoted(text) for text in self.dice.sample(texts, 2)]
        return field + self.pick(f" = {some[0]}", f" != {some[0]}", f" in ({', '.join(some)})", " is missing", " is known",
                                 f" not in ({some[0]})")

    def filter_number(self):
        return self.pick(
            f"quantity {self.compare()} {self.pick(1, 2, 3, -1)}", f"value {self.compare()} {self.money()}",
            f"value between 0 EUR and {self.money()}", f"hour {self.compare()} {self.pick(0, 1, 2, 12, 23)}",
            f"hour between {self.pick(0, 22)} and {self.pick(3, 23)}", f"weekday {self.compare()} {self.pick(1, 5, 6, 7)}",
            "weekday in (1, 6, 7)", "quantity is missing", "value is known", "weekend is true",
        )  # fmt: skip

    def filter_property(self):
        return self.dynamic_relation("properties." + self.pick(*PATHS, *LOOPS), in_filter=True)

    def window(self):
        """The last argument, with its comma; or nothing."""
        if self.dice.random() < 0.35:
            return ""
        return ", " + self.bare_window()

    def bare_window(self):
        return self.pick(
            "ever", f"last {self.duration()}", f"last {self.duration()}", f"last {self.duration()}",
            f"last {self.duration()}", "today", "yesterday", f"this {self.pick('week', 'month', 'year')}",
            f"previous {self.pick('week', 'month', 'year')}", f"since {self.date()}", f"since last {self.since()}",
            f"until {self.date()}", f"from {self.date()} to {self.date()}",
            f"between {self.pick('14 days', '20 days', '5 weeks')} and {self.pick('1 hour', '3 days', '13 days')} ago",
            "between 10 and 2 days ago",
        )  # fmt: skip

    def since(self):
        return self.pick("view", "order", "orders", "page_view", '"odd name"', "nothing", "click")

    def only(self):
        """The window of a function that has no other arguments."""
        return "" if self.dice.random() < 0.3 else self.bare_window()

    # -- relations by type

    def text_relation(self, left, texts):
        one = self.any_text(*texts)
        several = ", ".join(self.any_text(*texts) for _ in range(self.pick(1, 2, 3, 12)))
        part = self.any_text(*[text[:2] for text in texts], *[text[-2:] for text in texts], "a", "")
        pattern = self.any_text(*[text[:2] + "*" for text in texts], "*", "*a*", "????", "?*", "*u*1", "")
        negated = self.pick("", "", "not ")
        return left + self.pick(
            f" = {one}", f" = {one}", f" != {one}", f" {self.compare()} {one}", f" {negated}in ({several})",
            f" {negated}contains {part}", f" {negated}starts with {part}", f" {negated}ends with {part}",
            f" {negated}like {pattern}", " is missing", " is known", " is not missing",
            f" {negated}between {one} and {self.any_text(*texts)}",
        )  # fmt: skip

    def number_relation(self, left):
        return left + self.pick(
            f" {self.compare()} {self.number()}", f" {self.compare()} {self.number()}", f" {self.compare()} {self.number()}",
            f" {self.compare()} {self.number_value()}", f" between {self.number()} and {self.number_value()}",
            f" not between 1 and {self.number()}", f" in (0, {self.number()}, 7)", " is missing", " is known",
        )  # fmt: skip

    def fitting_relation(self, left):
        """A relation that means something for what the name usually holds."""
        name = left.removeprefix("properties.").removeprefix('trait("').removesuffix('")')
        number = f"{left} {self.compare()} {self.pick('1', '7', '18', '40', '0.5', '12.5', '12.75', '2')}"
        text = self.text_relation(left, ["DE", "de", "AT", "S", "M", "xl", "Berlin", "Köln"])
        truth = f"{left} {self.pick('is true', 'is false', '= true', '!= false', 'is not true')}"
        return {
            "country": text, "address.city": text, "size": self.pick(text, number), "size[]": text,
            "items[].sizes[]": text, "age": number, "clv": number, "price": number, "items[].id": number,
            "deep.inner": number, "deep.list[]": number, "vip": truth, "sale": truth, "consent.email.news": truth,
            "tags": self.list_relation(left), "signup": self.moment_relation(left), "birthday": self.moment_relation(left),
            "place": self.place_relation(left), "address.geo": self.place_relation(left),
            "day": f"{left} {self.compare()} {self.date()}", "tags[]": f"{left} in (7, {self.any_text('new', 'Sale', 'sale')})",
        }.get(name)  # fmt: skip

    def dynamic_relation(self, left, in_filter=False):
        fitting = self.fitting_relation(left) if self.dice.random() < 0.7 else None
        if fitting and not (in_filter and left in ("properties.tags",)):
            return fitting
        more = [] if in_filter else [self.list_relation, self.moment_relation, self.place_relation]
        return self.one(
            lambda: self.text_relation(left, ["new", "sale", "DE", "de", "x", "S", "Berlin", *TEXTS]),
            lambda: f"{left} {self.compare()} {self.pick('1', '7', '40', '0.5', '12.75', '2', '-2.5')}",
            lambda: f"{left} in (1, {self.any_text('new', 'DE', 'S')}, 7, true)",
            lambda: f"{left} {self.pick('is true', 'is false', '= true', '!= false', 'is not true')}",
            lambda: f"{left} {self.pick('is missing', 'is known', 'is not known')}",
            lambda: f"{left} {self.compare()} {self.date()}",
            lambda: f"{left} between {self.number()} and 50",
            *[lambda make=make: make(left) for make in more],
        )  # fmt: skip

    def list_relation(self, left):
        some = ", ".join(self.pick('"new"', '"Sale"', 'i"sale"', "7", "true", '"x"', "40", '"DE"')
                         for _ in range(self.pick(1, 2, 3)))
        return self.pick(f"{left} has {self.pick('any', 'all', 'none')} of ({some})",
                         f"{left} has {self.pick('any', 'all', 'none')} of ({some})", f"{left} is empty",
                         f"{left} is not empty", f"{left} contains {self.any_text('new', 'sale', '7')}")

    def place_relation(self, left):
        return f"{left} within {self.pick('1', '50', '505', '0.5')} km of (52.5, {self.pick('13.4', '-13.4', '11')})"

    def moment_relation(self, left):
        return left + self.pick(
            f" {self.compare()} {self.date()}", f" between {self.date()} and {self.date()}", f" before {self.date()}",
            f" after {self.date()}", f" on {self.date()[:10]}", f" within last {self.duration()}",
            f" within next {self.duration()}", f" within last {self.duration()}", f" in next {self.days()}",
            f" anniversary in last {self.days()}", f" anniversary in next {self.days()}", " anniversary in today",
            " is missing", f" {self.pick('before', 'after', '=', '<=')} {self.time_value()}",
        )  # fmt: skip

    # -- values by type

    def number_value(self, depth=1):
        selector, window = self.selector(), self.window()
        field = self.pick("quantity", "properties.price", "properties.price", "properties.deep.inner")
        if depth and self.dice.random() < 0.25:
            return self.reckoned(depth)
        return self.pick(
            f"count({selector}{window})", f"count({selector}{window})", f"sum({field}, {selector}{window})",
            f"avg({field}, {selector}{window})", f"min({field}, {selector}{window})", f"max({field}, {selector}{window})",
            f"distinct({self.distinct_field()}, {selector}{window})", f"share({selector} of {self.selector()}{window})",
            f"first_value(quantity, {selector}{window})", f"last_value({self.pick('hour', 'weekday')}, {selector}{window})",
            f"trend({selector}, {self.duration()})", f"median_days_between({selector}{window})", f"orders({self.only()})",
            f"items({self.only()})", f"refund_share({self.only()})", f"sessions({self.only()})",
            f"session_minutes({self.only()})", f"pages_per_session({self.only()})", f"channels({self.only()})",
            "identifiers()",
            f"identifiers({self.pick(*KINDS)})", f"score({self.pick(quoted('clv'), quoted('age'), quoted('country'))})",
        )  # fmt: skip

    def reckoned(self, depth):
        one, other = self.number_value(depth - 1), self.number_value(depth - 1)
        return self.pick(f"({one} + {other})", f"({one} - {other})", f"{one} * {self.number()}", f"{one} / {other}",
                         f"-{one}", f"({self.money_value()} / {self.money_value()})", f"{one} * {other} - 1",
                         f"({self.time_value()} - {self.time_value()})")

    def distinct_field(self):
        return self.pick("channel", "session", "campaign", "content", "product", "order", "properties.size",
                         "properties.deep.inner", "properties.tags")

    def money_value(self):
        selector, window = self.selector(), self.window()
        return self.pick(
            f"sum(value, {selector}{window})", f"avg(value, {selector}{window})", f"min(value, {selector}{window})",
            f"max(value, {selector}{window})", f"first_value(value, {selector}{window})",
            f"last_value(value, {selector}{window})", f"revenue({self.only()})", f"revenue({self.only()})",
            f"gross({self.only()})", f"average_order({self.only()})", f"largest_order({self.only()})",
        )  # fmt: skip

    def time_value(self):
        return self.pick(f"first({self.selector()}{self.window()})", f"last({self.selector()}{self.window()})",
                         f"last({self.name()})", "last order", "first view", self.date())

    def text_value(self):
        selector, window = self.selector(), self.window()
        field = self.pick("channel", "campaign", "content", "product", "currency")
        return self.pick(
            f"first_value({field}, {selector}{window})", f"last_value({field}, {selector}{window})",
            f"first_channel({self.only()})", f"last_channel({self.only()})", f"top_channel({self.only()})",
            f"source({self.trait_name()})",
        )  # fmt: skip

    def trait_name(self):
        return self.pick(*TRAITS, *TRAITS, "address.city", "address.geo", "address.no", "tags.a", 'trait("odd name")',
                         'trait("consent.email.news")', "gone")

    # -- conditions by type

    def numbers(self):
        if self.dice.random() < 0.1:
            share = f"channel_share({self.pick('web', 'app', 'store', 'nowhere', 'last')}{self.window()})"
            return f"{share} {self.compare()} {self.pick('50 %', '33.3 %', '0.5', '0', '100 %', '1')}"
        return self.number_relation(self.number_value())

    def monies(self):
        left = self.money_value()
        return left + self.pick(
            f" {self.compare()} {self.money()}", f" {self.compare()} {self.money()}", f" {self.compare()} {self.money_value()}",
            f" between 0 EUR and {self.money()}", f" in (0 EUR, {self.money()})", " is missing",
            f" {self.compare()} {self.pick('2', '0.5', '10 %')} * {self.money_value()}",
            f" - {self.money_value()} {self.compare()} {self.money()}", f" / {self.pick('3', '0.7')} {self.compare()} {self.money()}",
        )  # fmt: skip

    def times(self):
        return self.moment_relation(self.pick(f"first({self.selector()}{self.window()})", "last order",
                                              f"last({self.selector()}{self.window()})", self.trait_name()))

    def texts(self):
        return self.text_relation(self.text_value(), [*CHANNELS, *PRODUCTS, *CAMPAIGNS, "crm", "web", "EUR"])

    def trait_atom(self):
        name = self.trait_name()
        if self.dice.random() < 0.1:
            return name
        if self.dice.random() < 0.1:
            return f"{name} {self.compare()} {self.one(self.trait_name, self.number_value, self.time_value, self.text_value)}"
        return self.dynamic_relation(name)

    def ticking(self):
        since = self.pick(f"last({self.selector()})", f"first({self.selector()}{self.window()})", "last order", "signup",
                          "birthday", f"last({self.name()})")
        days = f"days_since({since})"
        hours = f"hours_since({self.pick('last(view)', 'last order', since)})"
        return self.pick(
            f"{days} {self.compare()} {self.pick(0, 1, 2, 7, 14, 30)}", f"{days} {self.compare()} {self.pick(0, 1, 7, 14, -2)}",
            f"{hours} {self.compare()} {self.pick(0, 1, 24, 48, 71)}", f"{hours} between 1 and {self.pick(6, 48)}",
            f"{days} > {self.pick('2', '1', '0.5')} * median_days_between({self.selector()})", f"{days} in (1, 5, 9)",
            f"{days} * 2 - 3 {self.compare()} {self.pick(1, 11)}", f"{days} between {self.number_value()} and 9",
            f"{days} {self.compare()} {self.number_value()}", f"{days} - days_since(last(click)) {self.compare()} {self.pick(0, 2)}",
            f"{days} / 2 + count({self.selector()}, last 3 days) {self.compare()} 4", f"{days} is known",
            f"{hours} / 24 {self.compare()} {days}", f"{days} + {hours} / 24 > {self.pick(3, 9)}",
            f"{days} {self.compare()} days_since({self.pick('last(view)', 'first(any)')})", f"-{days} > -{self.pick(3, 7)}",
        )  # fmt: skip

    def boolean(self):
        found = self.bare_boolean()
        return self.pick(found, found, found, found, f"{found} is true", f"{found} = false", f"{found} is missing")

    def bare_boolean(self):
        selector, window, d = self.selector(), self.window(), self.duration()
        return self.pick(
            f"first_time({selector}{window})", self.regularly(), f"stopped({selector}, {d})", f"restarted({selector}, {d})",
            f"more({selector}, {d})", f"less({selector}, {d})", f"overdue({selector}, {self.pick('1', '0.5', '2', '1.3')})",
            self.sequence(), self.sequence(), f"not_followed({selector} by {self.selector()} within {d}{window})",
            f"without({selector} -> {self.selector()}, {self.selector()}{window})", self.bought(), self.bought(),
            f"bought_together({self.any_text(*PRODUCTS)}, {self.any_text(*PRODUCTS)}{window})",
            f"touched({self.any_text(*CAMPAIGNS)}{window})", f"seen({self.any_text(*CONTENTS)}{window})",
            f"responded({self.any_text(*CAMPAIGNS)}, {d})", f"has({self.pick(*KINDS)})", "shared_device()",
            f"stage({self.pick('awareness', 'consideration', 'purchase', 'retention', 'advocacy')})",
            'consent("email", "news")', f"sample({self.pick('50 %', '10 %', '99.5 %')}, {quoted(self.pick('a', 'Köln'))})",
        )  # fmt: skip

    def regularly(self):
        unit, most = self.pick(("days", 5), ("weeks", 4), ("months", 3))
        n = self.dice.randrange(1, most + 1)
        return f"regularly({self.selector()}, {self.dice.randrange(1, n + 1)} of last {n} {unit})"

    def sequence(self):
        steps = [self.selector()]
        for _ in range(self.pick(1, 1, 2, 3)):
            steps.append(self.selector() + (f" within {self.duration()}" if self.dice.random() < 0.5 else ""))
        same = f", same {self.pick('product', 'order', 'session', 'campaign')}" if self.dice.random() < 0.3 else ""
        return f"sequence({' -> '.join(steps)}{same}{self.window()})"

    def bought(self):
        products = ", ".join(self.any_text(*PRODUCTS) for _ in range(self.pick(1, 2, 3)))
        return self.pick(f"bought({self.any_text(*PRODUCTS)}{self.window()})", f"bought(({products}){self.window()})",
                         f"bought(where {self.filter(self.pick(0, 1))}{self.window()})")
