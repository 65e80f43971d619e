"""The value models of bench.py: fits, and answers for a million customers, one core,
beside lifetimes when this Python can import it."""
import ctypes
import statistics
import time

N = 1_000_000
WEEK = 7.0


class Values:
    """The value models through ctypes, over numpy arrays."""

    def __init__(self, library):
        self.library, self.c, self.ffi = library, library.c, library.ffi

    def data(self, x, tx, t, spend=None):
        import numpy as np
        kept = [np.ascontiguousarray(x, dtype=np.int64),
                *(None if a is None else np.ascontiguousarray(a, dtype=float) for a in (tx, t, spend))]
        d = self.ffi.sized(self.ffi.ClvData)
        d.n, d.kept = len(kept[0]), kept
        for name, array in zip(("x", "tx", "t", "spend"), kept):
            if array is not None:
                kind = ctypes.c_int64 if name == "x" else ctypes.c_double
                setattr(d, name, array.ctypes.data_as(ctypes.POINTER(kind)))
        return d

    def fit(self, data, model, unit_days=WEEK):
        o = self.ffi.sized(self.ffi.ClvFitOptions)
        o.model, o.unit_days = model.encode(), unit_days
        clv = ctypes.c_void_p()
        self.library.must(self.c.cj_clv_fit(ctypes.byref(data), ctypes.byref(o), ctypes.byref(clv)))
        return clv

    def predict(self, clv, data):
        o = self.ffi.sized(self.ffi.ClvPredictOptions)
        o.until_days = 39 * WEEK
        table = ctypes.c_void_p()
        self.library.must(self.c.cj_clv_predict(clv, None, ctypes.byref(data), ctypes.byref(o), ctypes.byref(table)))
        return table


def simulated(n, whole_days, seed=1):
    """BG/NBD customers with the parameters of CDNOW: x, tx, T in days."""
    import numpy as np
    dice = np.random.default_rng(seed)
    rate = dice.gamma(0.2426, 1 / 30.9, n)
    p = dice.beta(0.793, 2.426, n)
    t = dice.uniform(189, 273, n)
    x, tx, now = np.zeros(n, dtype=np.int64), np.zeros(n), np.zeros(n)
    there = np.arange(n)
    while len(there):
        now[there] += dice.exponential(1 / rate[there])
        there = there[now[there] <= t[there]]
        x[there] += 1
        tx[there] = now[there]
        there = there[dice.random(len(there)) > p[there]]
    if whole_days:
        t, tx = np.floor(t), np.minimum(np.ceil(tx), np.floor(t))
    return x, tx, t


def best(work, rounds, forget=None):
    """Median seconds; what work makes is forgotten outside the clock."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        made = work()
        seconds.append(time.perf_counter() - start)
        if forget:
            forget(made)
    return statistics.median(seconds)


def cdnow():
    """From lifetimes: x, tx and T in days, mean value; or nothing."""
    try:
        from lifetimes.datasets import load_cdnow_summary_data_with_monetary_value as load
    except ImportError:
        return None
    frame = load()
    return (frame["frequency"].to_numpy(), frame["recency"].to_numpy() * WEEK, frame["T"].to_numpy() * WEEK,
            frame["monetary_value"].to_numpy())


def ours(values, report, small):
    free = values.c.cj_clv_free
    if small is not None:
        data = values.data(*small)
        for model, goal in (("bgnbd", 1), ("paretonbd", 6), ("gammagamma", 5)):
            took = best(lambda m=model: values.fit(data, m, 1.0 if m == "gammagamma" else WEEK), 31, free)
            report.add(f"fit {model}, CDNOW, 2,357 customers", goal, took * 1e3, "ms", True)
    any_time = values.data(*simulated(N, False))
    days = values.data(*simulated(N, True))
    took = best(lambda: values.fit(any_time, "bgnbd"), 3, free)
    report.add(f"fit bgnbd, {N:,} customers, no two alike", 0.35, took, "s", True)
    took = best(lambda: values.fit(days, "paretonbd"), 3, free)
    report.add(f"fit paretonbd, {N:,} customers in whole days", 0.5, took, "s", True)
    for model in ("bgnbd", "paretonbd"):
        clv = values.fit(days, model)
        for what, data in (("any times", any_time), ("whole days", days)):
            took = best(lambda c=clv, d=data: values.predict(c, d), 5, values.c.cj_table_free)
            label = f"P(alive) and purchases of {N:,}, {model}, {what}"
            if model == "bgnbd":
                report.add(label, 60, took * 1e3, "ms", True)
            else:
                report.tell(f"  {label}", f"{took * 1e3:,.0f} ms")
        free(clv)
    return any_time, days


def theirs(values, report, small, days):
    """lifetimes on the same customers, its own ways and defaults."""
    import warnings

    import lifetimes
    warnings.simplefilter("ignore")
    x, tx, t, z = small
    data = values.data(*small)
    free = values.c.cj_clv_free
    for model, fitter in (("bgnbd", lifetimes.BetaGeoFitter), ("paretonbd", lifetimes.ParetoNBDFitter)):
        took = best(lambda f=fitter: f().fit(x, tx / WEEK, t / WEEK), 1)
        mine = best(lambda m=model: values.fit(data, m), 31, free)
        report.tell(f"  lifetimes: fit {model}, CDNOW", f"{took * 1e3:,.0f} ms, {took / mine:,.0f} x")
    some = x > 0
    took = best(lambda: lifetimes.GammaGammaFitter().fit(x[some], z[some]), 1)
    mine = best(lambda: values.fit(data, "gammagamma", 1.0), 31, free)
    report.tell("  lifetimes: fit gammagamma, CDNOW", f"{took * 1e3:,.0f} ms, {took / mine:,.0f} x")
    fitted = lifetimes.BetaGeoFitter().fit(x, tx / WEEK, t / WEEK)
    kx, ktx, kt = (a.astype(float) for a in days.kept[:3])

    def answers():
        fitted.conditional_probability_alive(kx, ktx / WEEK, kt / WEEK)
        fitted.conditional_expected_number_of_purchases_up_to_time(39, kx, ktx / WEEK, kt / WEEK)

    clv = values.fit(data, "bgnbd")
    took, mine = best(answers, 1), best(lambda: values.predict(clv, days), 5, values.c.cj_table_free)
    free(clv)
    report.tell(f"  lifetimes: the same two answers of {N:,}", f"{took * 1e3:,.0f} ms, {took / mine:,.0f} x")


def all_of_it(library, report):
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        report.note(f"no value models: {error} (pip install numpy)")
        return
    values, small = Values(library), cdnow()
    _, days = ours(values, report, small)
    if small is None:
        report.note("no lifetimes in the comparison, nor CDNOW (pip install lifetimes)")
        return
    theirs(values, report, small, days)
