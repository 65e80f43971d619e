"""Threads, fork, signals and interruption: what a process does around a store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import PACKAGE

import cjourney

LINE = '{"name":"visit","identifiers":{"user_id":"u%d"},"message_id":"m%d","time":%d}\n'


@pytest.fixture
def big(tmp_path):
    """A file that takes many calls of a progress function to import."""
    path = tmp_path / "big.ndjson"
    with open(path, "w") as out:
        for i in range(100_000):
            out.write(LINE % (i % 1000, i, 1_700_000_000_000 + i))
    return path


# ---- threads -----------------------------------------------------------------------


def test_many_threads_record_into_one_store(store):
    n_threads, n = 8, 200

    def work(thread: int) -> None:
        for i in range(n):
            store.record("visit", user_id=f"t{thread}", message_id=f"{thread}-{i}")

    threads = [threading.Thread(target=work, args=(t,)) for t in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.events()) == n_threads * n


def test_the_error_text_is_the_threads_own(store):
    store.record("visit", user_id=1)
    barrier, found = threading.Barrier(2), {}

    def ask(kind: str) -> None:
        for _ in range(200):
            barrier.wait()
            try:
                store.find_profile(kind, "nobody")
            except cjourney.CJourneyError as error:
                found.setdefault(kind, set()).add((type(error), error.message))

    threads = [threading.Thread(target=ask, args=(k,)) for k in ("user_id", "shoe")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(found[kind]) for kind in ("user_id", "shoe")] == [1, 1]
    (a,), (b,) = found["user_id"], found["shoe"]
    assert (a[0], b[0]) == (cjourney.NotFoundError, cjourney.InvalidError)


def test_close_waits_for_running_calls(store, big):
    started, results = threading.Event(), []

    def progress(done: int, total: int) -> None:
        started.set()

    def work() -> None:
        results.append(store.import_file(big, progress=progress))

    thread = threading.Thread(target=work)
    thread.start()
    started.wait(60)
    store.close()
    thread.join()
    assert results[0].recorded == 100_000


def test_close_from_inside_a_call_is_misuse(store, big):
    refused = []

    def progress(done: int, total: int) -> bool:
        try:
            store.close()
        except cjourney.MisuseError:
            refused.append(1)
        return True

    thread = threading.Thread(
        target=lambda: pytest.raises(
            cjourney.InterruptError, store.import_file, big, progress=progress
        )
    )
    thread.start()
    thread.join()
    assert refused and not store.closed


# ---- interruption ------------------------------------------------------------------


def test_progress_may_stop_a_call(store, big):
    calls = []

    def progress(done: int, total: int) -> bool:
        calls.append((done, total))
        return done > total // 4

    with pytest.raises(cjourney.InterruptError):
        store.import_file(big, progress=progress)
    assert all(total == big.stat().st_size for _, total in calls)
    assert calls == sorted(calls)
    assert len(store.events()) < 100_000
    assert store.import_file(big).events + len(store.events()) >= 100_000
    assert len(store.events()) == 100_000


def test_progress_runs_in_the_calling_thread(store, big):
    for where in ("main", "other"):
        idents = set()

        def work():
            store.import_file(
                big, progress=lambda *_: idents.add(threading.get_ident())
            )
            idents.add(threading.get_ident())

        if where == "main":
            work()
        else:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert len(idents) == 1


def test_an_exception_in_progress_comes_out_of_the_call(store, big):
    def progress(done: int, total: int) -> None:
        raise RuntimeError("mine")

    def direct() -> None:
        with pytest.raises(RuntimeError, match="mine"):
            store.import_file(big, progress=progress)
        caught.append(1)

    caught: list[int] = []
    direct()
    thread = threading.Thread(target=direct)
    thread.start()
    thread.join()
    assert caught == [1, 1]
    store.record("visit", user_id=1)  # the store goes on


def test_control_c_stops_a_long_call(store, big):
    sent = []

    def progress(done: int, total: int) -> None:
        if not sent:
            sent.append(1)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        store.import_file(big, progress=progress)
    assert len(store.events()) < 100_000
    assert store.check().to_dicts() == []


def test_control_c_reaches_a_call_that_has_no_progress(store, tmp_path):
    """As from a terminal, while the main thread waits: the import reads a pipe that
    does not end before it was stopped."""
    pipe = tmp_path / "pipe.ndjson"
    os.mkfifo(pipe)

    def write() -> None:
        with open(pipe, "w") as out:
            try:
                for i in range(2_000_000):
                    out.write(LINE % (i % 1000, i, 1_700_000_000_000 + i))
                    if i == 50_000:
                        os.kill(os.getpid(), signal.SIGINT)
            except BrokenPipeError:
                stopped.append(1)

    stopped: list[int] = []
    thread = threading.Thread(target=quiet, args=(write,))
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        store.import_file(pipe, format="json")
    thread.join()
    assert stopped
    store.record("visit", user_id=1)


def quiet(work) -> None:
    try:
        work()
    except BrokenPipeError:  # what was left in the buffer of a closed pipe
        pass


def test_interrupt_stops_a_call_of_another_thread(store, big):
    store.import_file(big)
    outcomes = []

    def work() -> None:
        try:
            while True:
                store.events()
        except cjourney.CJourneyError as error:
            outcomes.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(6000):
        if outcomes:
            break
        store.interrupt()
        time.sleep(0.005)
    thread.join()
    assert outcomes == [cjourney.InterruptError]
    assert len(store.events()) == 100_000  # and the next call is not stopped


# ---- fork --------------------------------------------------------------------------


def in_child(work) -> int:
    """Run work in a forked child; its exit code: 0 unless it raised."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_child_of_fork_gets_an_error_and_harms_nothing(store, path):
    store.record("visit", user_id=1)

    def work() -> None:
        for ask in (
            lambda: store.record("visit", user_id=2),
            lambda: store.events(),
            lambda: store.rfm(),
            lambda: store.flush(),
        ):
            with pytest.raises(cjourney.ForkError) as caught:
                ask()
            assert caught.value.name == "CJ_EFORK"
        store.interrupt()
        store.close()
        with cjourney.open(path) as own:
            own.record("visit", user_id=3)

    assert in_child(work) == 0
    store.record("visit", user_id=4)
    assert len(store.events()) == 3 and store.check().to_dicts() == []


def test_fork_while_other_threads_record(store):
    stop = threading.Event()
    recorded = [0]

    def work() -> None:
        while not stop.is_set():
            store.record("visit", user_id=1)
            recorded[0] += 1

    def child() -> None:
        with pytest.raises(cjourney.ForkError):
            store.record("visit", user_id=2)
        store.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        codes = [in_child(child) for _ in range(20)]
    finally:
        stop.set()
        thread.join()
    assert codes == [0] * 20
    assert len(store.events()) == recorded[0]


# ---- exit --------------------------------------------------------------------------

FORGETFUL = """
import sys, cjourney
store = cjourney.open(sys.argv[1], deferred=True, commit_ms=60000)
store.record("visit", user_id=1)
view = store.events()["time_ms"]
capsule = store.events().__arrow_c_stream__()
print("ok")
"""


def test_leaving_without_close_loses_nothing(path):
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", FORGETFUL, str(path)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    with cjourney.open(path) as store:
        assert len(store.events()) == 1
