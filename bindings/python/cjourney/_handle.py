"""One open cj_db: who is using it, closing it when nobody is, and stopping long calls.

The library answers any misuse it can see; a pointer that was freed it cannot see, so
close() waits here until the last running call has ended.
"""

from __future__ import annotations

import os
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, Callable, Dict, Generic, List, Optional, Tuple, TypeVar, Union

from . import _ffi, _library
from .errors import BY_CODE, MisuseError

T = TypeVar("T")
Progress = Callable[[int, int], Any]

_EFORK = _ffi.CONSTANTS["CJ_EFORK"]


class Handle:
    """A cj_db * and the threads that are inside a call with it."""

    def __init__(self, library: Any, pointer: int, hooks: List[Any]) -> None:
        self._library = library
        self._pointer: Optional[int] = pointer
        self._hooks = hooks  # the library calls them until cj_close
        self._pid = os.getpid()
        self._running: Dict[int, int] = {}
        # Reentrant: a signal handler may call interrupt() while this thread holds it.
        self._idle = threading.Condition(threading.RLock())

    @property
    def closed(self) -> bool:
        return self._pointer is None

    @property
    def inherited(self) -> bool:
        """True in a child of fork(), where locks may be held by threads it lacks."""
        return os.getpid() != self._pid

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function of the library with the handle first; raise what it says."""
        pointer = self._begin()
        try:
            _library.check(getattr(self._library, name)(pointer, *arguments))
        finally:
            self._end()

    def interrupt(self) -> None:
        if self.inherited:
            return
        with self._idle:
            if self._pointer is not None:
                _library.check(self._library.cj_interrupt(self._pointer))

    def close(self, wait_seconds: Optional[float] = None) -> None:
        """Close once no call is running.  A child of fork() only forgets the handle."""
        if self.inherited:
            self._pointer = None
            return
        with self._idle:
            pointer = self._pointer
            if pointer is None:
                return
            if threading.get_ident() in self._running:
                raise MisuseError("close() was called from inside a call of the store")
            self._pointer = None  # from here on, no call begins
            try:
                ended = self._idle.wait_for(lambda: not self._running, wait_seconds)
            except BaseException:
                self._pointer = pointer
                raise
        if ended:
            _library.check(self._library.cj_close(pointer))

    def _begin(self) -> int:
        if self.inherited:
            if self._pointer is None:
                raise MisuseError("the store is closed")
            return self._pointer  # the library answers CJ_EFORK
        with self._idle:
            if self._pointer is None:
                raise MisuseError("the store is closed")
            me = threading.get_ident()
            self._running[me] = self._running.get(me, 0) + 1
            return self._pointer

    def _end(self) -> None:
        if self.inherited:
            return
        with self._idle:
            me = threading.get_ident()
            left = self._running.get(me, 0) - 1
            if left > 0:
                self._running[me] = left
                return
            self._running.pop(me, None)
            if self._pointer is None:
                self._idle.notify_all()


def close_at_end(handle: Handle) -> None:
    """For weakref.finalize: at exit, a call that never ends must not hold the process."""
    try:
        handle.close(wait_seconds=5.0)
    except tuple(BY_CODE.values()):
        pass  # nobody is left to tell


class Free:
    """In the place of a handle, for a call that needs no store: only its progress hook
    can stop it."""

    inherited = False

    def interrupt(self) -> None:
        pass


def run_long(
    handle: Union[Handle, Free], work: Callable[[Any], T], progress: Optional[Progress]
) -> T:
    """Run work(hook), which makes one long call, so that Ctrl-C stops it.

    Python delivers a signal to the main thread between two of its bytecodes: not while
    it is inside C, and in a ctypes callback only where the exception is thrown away.
    So the main thread hands the call to another one and waits, and runs the caller's
    progress function itself.  Other threads get no signals and call directly.
    """
    direct = threading.current_thread() is not threading.main_thread()
    if direct or handle.inherited:
        return _Direct(progress).run(work)
    call = _Watched(handle, work, progress)
    try:
        threading.Thread(target=call.run, name="cjourney", daemon=True).start()
    except RuntimeError:  # no new threads while the interpreter ends
        return _Direct(progress).run(work)
    return call.wait()


class _Direct:
    """A progress function called where the library calls it."""

    def __init__(self, progress: Optional[Progress]) -> None:
        self._progress = progress
        self._error: Optional[BaseException] = None

    def run(self, work: Callable[[Any], T]) -> T:
        try:
            return work(_ffi.ProgressHook(self._hook))
        finally:
            if self._error is not None:
                raise self._error

    def _hook(self, _user: Any, done: int, total: int) -> int:
        try:
            return (
                1 if self._progress is not None and self._progress(done, total) else 0
            )
        except BaseException as error:  # ctypes would print it and go on
            self._error = error
            return 1


class _Watched(Generic[T]):
    """A call in a thread of its own, watched by the main thread."""

    _GRACE_SECONDS = 0.2  # for the hook to say stop, which ends only this one call

    def __init__(
        self,
        handle: Union[Handle, Free],
        work: Callable[[Any], T],
        progress: Optional[Progress],
    ) -> None:
        self._handle = handle
        self._work = work
        self._progress = progress
        self._stop = False
        self._ended = threading.Event()
        self._news: SimpleQueue[Optional[Tuple[int, int, SimpleQueue[int]]]] = (
            SimpleQueue()
        )
        self._result: List[T] = []
        self._error: Optional[BaseException] = None

    def run(self) -> None:
        try:
            self._result.append(self._work(_ffi.ProgressHook(self._hook)))
        except BaseException as error:
            self._error = error
        self._ended.set()
        self._news.put(None)

    def wait(self) -> T:
        try:
            news = self._news.get()
            while news is not None:
                self._report(*news)
                news = self._news.get()
        except BaseException:  # Ctrl-C, or the caller's progress function
            self._stop_it()
            raise
        if self._error is not None:
            raise self._error
        return self._result.pop()

    def _hook(self, _user: Any, done: int, total: int) -> int:
        if self._progress is None or self._stop:
            return 1 if self._stop else 0
        answer: SimpleQueue[int] = SimpleQueue()
        self._news.put((done, total, answer))
        while True:
            try:
                return answer.get(timeout=0.1)
            except Empty:
                if self._stop:
                    return 1

    def _report(self, done: int, total: int, answer: SimpleQueue[int]) -> None:
        stop = 1
        try:
            if self._progress is None or not self._progress(done, total):
                stop = 0
        finally:
            answer.put(stop)

    def _stop_it(self) -> None:
        self._stop = True
        patience = time.monotonic() + self._GRACE_SECONDS
        while not self._ended.wait(0.02):
            if time.monotonic() > patience:
                self._handle.interrupt()
