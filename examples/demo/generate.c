/* A year of an omnichannel shop as JSON lines, made up but in no way random: the same
 * --seed and --customers give the same bytes on every machine (integers only).  It
 * holds what makes real data hard: visitors who log in later, people with three
 * devices, a family on one tablet, a till that types its own e-mail address, repeated
 * and late messages, refunds, and a few messages that are wrong. */
#include "draft.h"

typedef struct person {
    int number, registered, card, newsletter, n_devices, tablet; /* tablet: 0 none */
    int first_day, last_day, appetite; /* of 1,000: how easily they buy */
    int account_told;                  /* the shop has seen them log in */
    const char *city;
} person;

/* ---- people ---------------------------------------------------------------------- */

static void say_email(draft *d, const person *p)
{
    static const char *const names[] = {"anna",  "ben",   "clara", "david", "emma",
                                        "felix", "greta", "henry", "ida",   "jonas",
                                        "katja", "leon",  "mia",   "noah",  "olga",
                                        "paul",  "rosa",  "simon", "tilda", "yara"};

    say(d, "\"email\":\"%s.%d@mail.example\"", names[p->number % 20], p->number);
}

/* The cookie or the installation that a device is known by. */
static void say_device(draft *d, const person *p, int device)
{
    if (device == DEVICES)
        say(d, "\"anonymous_id\":\"tablet-%06d\"", p->tablet);
    else if (device == 1)
        say(d, "\"device_id\":\"app-%06d\"", p->number);
    else
        say(d, "\"anonymous_id\":\"%s-%06d\"", device == 0 ? "laptop" : "phone",
            p->number);
}

static person person_make(shop *s, int number)
{
    static const char *const cities[] = {"Berlin",      "Hamburg", "M\xC3\xBCnchen",
                                         "K\xC3\xB6ln", "Leipzig", "Bremen",
                                         "Dresden",     "Wien"};
    static const int devices[] = {50, 35, 15}, towns[] = {30, 18, 16, 12, 9, 6, 5, 4};
    person p = {.number = number, .last_day = DAYS - 1};

    p.registered = chance(s, 720);
    p.card = !p.registered || chance(s, 450);
    p.newsletter = p.registered && chance(s, 550);
    p.n_devices = 1 + weighted(s, devices, 3);
    p.first_day = chance(s, 550) ? 0 : below(s, 340);
    if (chance(s, 350))
        p.last_day = p.first_day + below(s, DAYS - p.first_day);
    p.appetite = between(s, 80, 380);
    p.city = cities[weighted(s, towns, 8)];
    return p;
}

/* What the till's or the web shop's form says of them. */
static void person_identify(shop *s, const person *p, int64_t ms, int by_card)
{
    draft d = {.n = 0, .time_ms = ms};

    say(&d, "{\"type\":\"identify\",");
    say_time(&d, ms);
    if (by_card)
        say(&d, ",\"identifiers\":{\"crm_id\":\"C%05d\",\"loyalty_card\":\"29%07d\",",
            p->number, p->number);
    else
        say(&d, ",\"identifiers\":{\"user_id\":\"u%05d\",", p->number);
    if (by_card)
        say(&d, "\"phone\":\"+4930%07d\"", p->number * 7 + 1000000);
    else
        say_email(&d, p);
    say(&d, "},\"traits\":{\"city\":\"%s\"", p->city);
    if (by_card)
        say(&d, ",\"birth_year\":%d,\"children\":%d", between(s, 1948, 2005),
            below(s, 4));
    else
        say(&d, ",\"newsletter\":%s", p->newsletter ? "true" : "false");
    say(&d, "},\"source\":\"%s\"", by_card ? "crm" : "web");
    end(s, &d, by_card ? "crm" : "account");
}

/* ---- orders ---------------------------------------------------------------------- */

static int64_t say_items(shop *s, draft *d, int product)
{
    int n = 1 + below(s, 3) * below(s, 2);
    int64_t total = 0;

    say(d, ",\"items\":[");
    for (int i = 0; i < n; i++) {
        int quantity = chance(s, 150) ? between(s, 2, 4) : 1;
        int64_t value = (int64_t)s->prices[product] * quantity;

        say(d, "%s{\"product\":\"%s-%03d\",\"quantity\":%d,\"value\":\"%lld.%02d\"}",
            i == 0 ? "" : ",", shelf[product % SHELVES].name, product, quantity,
            (long long)(value / 100), (int)(value % 100));
        total += value;
        product = product_pick(s);
    }
    say(d, "],\"value\":\"%lld.%02d\"", (long long)(total / 100), (int)(total % 100));
    return total;
}

static void call(shop *s, const person *p, int64_t ms, const char *reason)
{
    draft d;

    if (ms >= YEAR_MS + DAYS * DAY_MS)
        return;
    begin(&d, ms, "call", "call_centre");
    say(&d,
        ",\"identifiers\":{\"phone\":\"+4930%07d\"},\"properties\":"
        "{\"reason\":\"%s\",\"minutes\":%d}",
        p->number * 7 + 1000000, reason, between(s, 2, 19));
    end(s, &d, "call");
}

static void refund(shop *s, const person *p, int64_t ms, const char *order,
                   int64_t minor)
{
    int calls = chance(s, 400) && p->card;
    draft d;

    ms += (int64_t)between(s, 5, 20) * DAY_MS;
    if (ms >= YEAR_MS + DAYS * DAY_MS)
        return;
    if (calls)
        call(s, p, ms - 600000, "return");
    begin(&d, ms, "refund", calls ? "call_centre" : p->registered ? "web" : "store");
    if (p->registered)
        say(&d, ",\"identifiers\":{\"user_id\":\"u%05d\"}", p->number);
    else
        say(&d, ",\"identifiers\":{\"loyalty_card\":\"29%07d\"}", p->number);
    say(&d, ",\"order_id\":\"%s\",\"value\":\"-%lld.%02d\"", order,
        (long long)(minor / 100), (int)(minor % 100));
    end(s, &d, "erp");
}

static void order_online(shop *s, const person *p, int device, int64_t ms, int product)
{
    static const char *const payments[] = {"invoice", "card", "paypal"};
    char order[24];
    int64_t minor;
    draft d;

    snprintf(order, sizeof order, "W%06u", ++s->receipt);
    begin(&d, ms, "order", device == 1 ? "app" : "web");
    say(&d, ",\"identifiers\":{\"user_id\":\"u%05d\",", p->number);
    say_email(&d, p);
    say(&d, ",");
    say_device(&d, p, device);
    say(&d, "},\"order_id\":\"%s\"", order);
    minor = say_items(s, &d, product);
    say(&d, ",\"currency\":\"EUR\",\"properties\":{\"payment\":\"%s\"}",
        payments[below(s, 3)]);
    end(s, &d, "web");
    if (chance(s, 90))
        refund(s, p, ms, order, chance(s, 700) ? minor : minor / 2);
    if (chance(s, 60) && ms + 30 * DAY_MS < YEAR_MS + DAYS * DAY_MS) {
        begin(&d, ms + (int64_t)between(s, 5, 25) * DAY_MS, "review", "web");
        say(&d,
            ",\"identifiers\":{\"user_id\":\"u%05d\"},\"product\":\"%s-%03d\","
            "\"properties\":{\"stars\":%d}",
            p->number, shelf[product % SHELVES].name, product, between(s, 2, 5));
        end(s, &d, "web");
    }
}

/* A purchase at a till.  A form there wants an e-mail address, so the clerk of till 2
 * types the shop's own.  Without a card the receipt knows nobody. */
static void order_store(shop *s, const person *p, int64_t ms, int product)
{
    static const char *const stores[] = {"Berlin", "Hamburg", "Leipzig"};
    int till = between(s, 1, 4);
    char order[24];
    int64_t minor;
    draft d;

    snprintf(order, sizeof order, "S%06u", ++s->receipt);
    begin(&d, ms, "order", "store");
    if (p == NULL)
        say(&d, ",\"identifiers\":{\"guest\":\"receipt-%s\"}", order);
    else
        say(&d, ",\"identifiers\":{\"loyalty_card\":\"29%07d\"%s}", p->number,
            till == 2 && chance(s, 300) ? ",\"email\":\"till@larch-and-loom.example\""
                                        : "");
    say(&d, ",\"order_id\":\"%s\"", order);
    minor = say_items(s, &d, product);
    say(&d, ",\"currency\":\"EUR\",\"properties\":{\"store\":\"%s\",\"till\":%d}",
        stores[below(s, 3)], till);
    end(s, &d, "till");
    if (p != NULL && chance(s, 50))
        call(s, p, ms + (int64_t)between(s, 1, 9) * DAY_MS, "product");
    if (p != NULL && chance(s, 20))
        refund(s, p, ms, order, minor);
}

/* ---- visits ---------------------------------------------------------------------- */

static const struct {
    const char *name, *channel, *campaign, *content;
    int weight;
} touches[] = {
    {"ad_click",     "ads",    "search-brand",   "text-a",         14},
    {"ad_click",     "ads",    "search-outdoor", "text-b",         12},
    {"ad_click",     "ads",    "retargeting",    "banner-300x250", 10},
    {"social_click", "social", "spring-outside", "video-15s",      9 },
    {"social_click", "social", "cosy-home",      "carousel",       8 },
    {"email_click",  "email",  "newsletter",     "subject-b",      7 },
    {NULL,           NULL,     NULL,             NULL,             40}, /* by themselves */
};

typedef struct visit {
    const person *p;
    int device, known; /* logged in */
    int64_t ms;
    char session[16];
    const char *channel;
} visit;

static void visit_who(draft *d, const visit *v)
{
    say(d, ",\"identifiers\":{");
    if (v->known)
        say(d, "\"user_id\":\"u%05d\",", v->p->number);
    say_device(d, v->p, v->device);
    say(d, "},\"session\":\"%s\"", v->session);
}

static void visit_touch(shop *s, const visit *v)
{
    int weights[sizeof touches / sizeof touches[0]], i;
    draft d;

    for (i = 0; i < (int)(sizeof touches / sizeof touches[0]); i++)
        weights[i] = touches[i].weight;
    i = weighted(s, weights, i);
    if (touches[i].name == NULL || (v->device == 1 && i < 3))
        return;
    begin(&d, v->ms, touches[i].name, touches[i].channel);
    visit_who(&d, v);
    say(&d, ",\"campaign\":\"%s\",\"content\":\"%s\"", touches[i].campaign,
        touches[i].content);
    end(s, &d, "web");
}

static int visit_browse(shop *s, visit *v, int most)
{
    int n = between(s, 1, most), product = product_pick(s);

    for (int i = 0; i < n; i++) {
        draft d;

        v->ms += between(s, 4000, 150000);
        product = product_pick(s);
        begin(&d, v->ms, "product_view", v->channel);
        visit_who(&d, v);
        say(&d,
            ",\"product\":\"%s-%03d\",\"properties\":{\"category\":\"%s\",\"price\":%d."
            "%02d,"
            "\"stock\":%d}",
            shelf[product % SHELVES].name, product, shelf[product % SHELVES].name,
            s->prices[product] / 100, s->prices[product] % 100, between(s, 0, 60));
        end(s, &d, v->channel);
    }
    return product;
}

static void visit_step(shop *s, visit *v, const char *name, int product)
{
    draft d;

    v->ms += between(s, 3000, 60000);
    begin(&d, v->ms, name, v->channel);
    visit_who(&d, v);
    if (product >= 0)
        say(&d, ",\"product\":\"%s-%03d\",\"quantity\":1",
            shelf[product % SHELVES].name, product);
    end(s, &d, v->channel);
}

static void visit_online(shop *s, person *p, int day)
{
    visit v = {.p = p, .device = below(s, p->n_devices), .ms = moment(s, day, 0)};
    int product, wants;

    if (p->tablet > 0 && chance(s, 400))
        v.device = DEVICES;
    v.channel = v.device == 1 ? "app" : "web";
    v.known = p->account_told && chance(s, v.device == 1 ? 950 : 450);
    snprintf(v.session, sizeof v.session, "v%07u", ++s->serial);
    visit_touch(s, &v);
    product = visit_browse(s, &v, 7);
    wants = p->registered && chance(s, p->appetite * 2);
    if (!wants && !chance(s, 120))
        return;
    visit_step(s, &v, "cart_add", product);
    if (!wants || !chance(s, 700))
        return;
    if (!v.known) { /* this is where a visitor becomes somebody */
        v.known = 1;
        if (!p->account_told)
            person_identify(s, p, v.ms + 1000, 0);
        p->account_told = 1;
        visit_step(s, &v, "login", -1);
    }
    visit_step(s, &v, "checkout_start", -1);
    if (chance(s, 800))
        order_online(s, p, v.device, v.ms + between(s, 30000, 240000), product);
}

/* In the store; half of them looked at it online first. */
static void visit_store(shop *s, person *p, int day)
{
    int product = product_pick(s);

    if (p->registered && day > 3 && chance(s, 500)) {
        visit v = {.p = p, .device = below(s, p->n_devices), .channel = "web"};

        v.ms = moment(s, day - between(s, 1, 3), 0);
        v.known = p->account_told && chance(s, 600);
        v.channel = v.device == 1 ? "app" : "web";
        snprintf(v.session, sizeof v.session, "v%07u", ++s->serial);
        product = visit_browse(s, &v, 4);
    }
    if (chance(s, 100 + p->appetite))
        order_store(s, p, moment(s, day, 1), product);
}

static void live(shop *s, person *p)
{
    static const int habits[] = {40, 30, 20, 8, 2}, least[] = {1, 3, 7, 15, 31},
                     most[] = {2, 6, 14, 30, 60};
    int habit = weighted(s, habits, 5), n = between(s, least[habit], most[habit]);
    int days[64] = {0};

    for (int i = 0; i < n; i++) {
        int day = day_pick(s, p->first_day, p->last_day), at = i;

        for (; at > 0 && days[at - 1] > day; at--)
            days[at] = days[at - 1];
        days[at] = day;
    }
    if (p->card) /* the card is handed out before the first purchase, at seven */
        person_identify(s, p, YEAR_MS + days[0] * DAY_MS + 6 * HOUR_MS, 1);
    for (int i = 0; i < n; i++)
        if (p->card && (!p->registered || chance(s, 350)))
            visit_store(s, p, days[i]);
        else
            visit_online(s, p, days[i]);
    /* Whoever has both shows the card to the web shop some day. */
    if (p->card && p->registered && p->account_told && chance(s, 850)) {
        draft d;

        begin(&d, moment(s, days[n - 1], 0), "card_linked", "web");
        say(&d, ",\"identifiers\":{\"user_id\":\"u%05d\",\"loyalty_card\":\"29%07d\"}",
            p->number, p->number);
        end(s, &d, "web");
    }
}

static void newsletters(shop *s, const person *p)
{
    for (int day = 8; p->newsletter && p->account_told && day <= p->last_day;
         day += 14) {
        draft d;

        if (day < p->first_day || !chance(s, 380))
            continue;
        begin(&d, moment(s, day, 0), "email_open", "email");
        say(&d, ",\"identifiers\":{");
        say_email(&d, p);
        say(&d, "},\"campaign\":\"newsletter\",\"content\":\"issue-%02d\"",
            day / 14 + 1);
        end(s, &d, "mail");
    }
}

/* ---- what goes wrong ------------------------------------------------------------- */

/* A clock that is off, junk ids, a comma, another currency, a typo, a cut line. */
static const struct {
    const char *before, *after; /* of a number */
} wrong[] = {
    {"{\"type\":\"event\",\"time\":\"2107-01-01T09:00:00.000Z\",\"name\":\"product_view"
     "\",\"identifiers\":{\"device_id\":\"app-000009\"},\"message_id\":\"bad-", "\"}"},
    {"{\"type\":\"event\",\"time\":\"2025-06-02T09:00:00.000Z\",\"name\":\"product_view"
     "\",\"identifiers\":{\"anonymous_id\":\"null\"},\"message_id\":\"bad-",    "\"}"},
    {"{\"type\":\"event\",\"time\":\"2025-07-03T09:00:00.000Z\",\"name\":\"order"
     "\",\"identifiers\":{\"user_id\":\"u00007\"},\"value\":\"49,90\",\"message_id\":"
     "\"bad-",                                                                  "\"}"},
    {"{\"type\":\"event\",\"time\":\"2025-08-04T09:00:00.000Z\",\"name\":\"order"
     "\",\"user_id\":\"u00011\",\"value\":\"49.90\",\"currency\":\"CHF\",\"message_"
     "id\":\"bad-",                                                             "\"}"},
    {"{\"type\":\"event\",\"time\":\"2025-09-05T09:00:00.000Z\",\"name\":\"login"
     "\",\"chanel\":\"web\",\"user_id\":\"u00012\",\"message_id\":\"bad-",      "\"}"},
    {"{\"type\":\"event\",\"time\":\"2025-10-06T09:00:00.000Z\",\"name\":\"log"
     "",                                                                        ""   },
};

static void mistakes(shop *s, int n)
{
    for (int i = 0; i < n; i++) {
        int which = below(s, (int)(sizeof wrong / sizeof wrong[0]));
        draft d = {.n = 0};

        say(&d, "%s%d%s", wrong[which].before, i, wrong[which].after);
        post(s, d.text, YEAR_MS + (int64_t)below(s, DAYS) * DAY_MS);
    }
}

static int by_delivery(const void *a, const void *b)
{
    const message *x = a, *y = b;

    if (x->deliver_ms != y->deliver_ms)
        return x->deliver_ms < y->deliver_ms ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static void year(shop *s, int n_customers)
{
    int tablet = 0, members = 0;

    calendar_make(s);
    shelf_make(s);
    for (int i = 1; i <= n_customers; i++) {
        person p = person_make(s, i);

        if (members == 0 && chance(s, 25)) { /* the next two or three share a tablet */
            members = between(s, 2, 3);
            tablet++;
        }
        if (members > 0 && p.registered) {
            p.tablet = tablet;
            members--;
        }
        live(s, &p);
        newsletters(s, &p);
    }
    for (int i = 1; i <= n_customers * 3 / 2; i++) { /* who only looks */
        person p = person_make(s, n_customers + i);
        int day = day_pick(s, 0, DAYS - 1);

        p.registered = p.card = 0;
        for (int n = between(s, 1, 2); n > 0 && day < DAYS;
             n--, day += between(s, 0, 9))
            visit_online(s, &p, day);
    }
    for (int i = 0; i < n_customers / 3; i++)
        order_store(s, NULL, moment(s, day_pick(s, 0, DAYS - 1), 1), product_pick(s));
    mistakes(s, 20 + n_customers / 100);
}

int main(int argc, char **argv)
{
    shop s = {.state = 2025};
    int n_customers = 4600;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            s.state = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--customers") == 0 && i + 1 < argc &&
                   atoi(argv[i + 1]) > 0 && atoi(argv[i + 1]) <= 400000) {
            n_customers = atoi(argv[++i]);
        } else {
            fputs("usage: generate [--seed N] [--customers N] > year.ndjson\n"
                  "Writes a year of a shop as JSON lines; N customers, 1 to 400,000.\n",
                  stderr);
            return 2;
        }
    }
    year(&s, n_customers);
    qsort(s.messages, s.n, sizeof *s.messages, by_delivery);
    for (size_t i = 0; i < s.n; i++) {
        puts(s.messages[i].text);
        free(s.messages[i].text);
    }
    free(s.messages);
    return fflush(stdout) != 0;
}
