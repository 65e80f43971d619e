"""Store: one open file, and every question it answers."""

from __future__ import annotations

import ctypes
import os
import weakref
from decimal import Decimal
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    Union,
)

from . import _ffi, _library, _values
from ._handle import Handle, Progress, close_at_end, run_long
from ._rfm import RfmFields, rfm_options
from ._store_value import ValueMethods
from ._values import Json, Time
from .errors import InvalidError
from .events import (
    Context,
    Event,
    EventFields,
    Identifiers,
    ImportResult,
    Kinds,
    RecordResult,
    RfmClass,
    Text,
    event_array,
    event_of,
    identifier_array,
)
from .table import Table

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Unpack

Path = Union[str, "os.PathLike[str]"]

_LONG_EVENTS = 10_000  # from here on, recording lets Ctrl-C through
_LONG_BYTES = 1 << 20
_C = _ffi.CONSTANTS
_FLAGS = ("CJ_OPEN_READONLY", "CJ_OPEN_NOCREATE", "CJ_OPEN_DEFERRED")


class Store(ValueMethods):
    """A libcjourney file.  Use it from any thread, and open it again after fork().

    Close it, or use it as a context manager; tables stay valid.  A failed call raises a
    subclass of CJourneyError and has changed nothing.  Ctrl-C stops long calls.
    """

    def __init__(
        self,
        path: Path,
        *,
        currency: Optional[str] = None,
        time_zone: Optional[str] = None,
        read_only: bool = False,
        create: bool = True,
        deferred: bool = False,
        busy_ms: int = 0,
        commit_ms: int = 0,
        seal_events: int = 0,
        log: Optional[Callable[[int, str], Any]] = None,
    ) -> None:
        """Open a file, creating it unless told not to.

        currency (ISO 4217; EUR) and time_zone (IANA; UTC) are those of a new file, or
        must be what the file was made with.  deferred: recording returns before its
        events are durable, within commit_ms (5) or at flush().  busy_ms (5,000): how
        long to wait for another writer.  log gets (code, text) from any thread.
        """
        options = _ffi.sized(_ffi.OpenOptions)
        options.flags = sum(
            _C[flag]
            for flag, wanted in zip(_FLAGS, (read_only, not create, deferred))
            if wanted
        )
        options.currency = _values.text(currency, "currency")
        options.time_zone = _values.text(time_zone, "time_zone")
        options.busy_ms = _values.int64(busy_ms, "busy_ms")
        options.commit_ms = _values.int64(commit_ms, "commit_ms")
        options.seal_events = _values.int64(seal_events, "seal_events")
        if log is not None:
            options.log = _log_hook(log)
        self._library = _library.load()
        self._path = _path(path)
        out = ctypes.c_void_p()
        _library.check(
            self._library.cj_open(self._path, ctypes.byref(options), ctypes.byref(out))
        )
        self._handle = Handle(self._library, out.value or 0, [options])
        facts = _Facts(self._handle)
        self._context = Context(facts.parse_time, facts.exponent, facts.currency)
        self._finalizer = weakref.finalize(self, close_at_end, self._handle)

    # ---- the handle ----------------------------------------------------------------

    def close(self) -> None:
        """Make what is queued durable and close, once running calls have ended."""
        self._handle.close()
        self._finalizer.detach()

    @property
    def closed(self) -> bool:
        return self._handle.closed

    def flush(self) -> None:
        """Return when everything recorded so far is durable."""
        self._handle.call("cj_flush")

    def interrupt(self) -> None:
        """Stop the calls that run on this store, from any thread: InterruptError."""
        self._handle.interrupt()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<cjourney.Store {os.fsdecode(self._path)!r}{state}>"

    # ---- recording -----------------------------------------------------------------

    def record(
        self, event: Union[str, Event, Mapping[str, Any]], **fields: Unpack[EventFields]
    ) -> None:
        """Record one event: record("order", email=..., value=Decimal("12.50")).

        It is durable on return.  RejectError: it is wrong in itself, and kept in
        failed_events().
        """
        if isinstance(event, str):
            event = {**fields, "name": event}
        elif fields:
            raise InvalidError("fields are given with a name, not with a whole event")
        array = event_array([event_of(event)], self._context, numbered=False)
        self._handle.call("cj_record", array)

    def record_many(
        self, events: Iterable[Union[Event, Mapping[str, Any]]]
    ) -> RecordResult:
        """Record events in one commit.  What the library rejects does not stop the
        others; what Python cannot convert raises InvalidError with its position, and
        nothing is recorded."""
        rows = [self._event_at(row, event) for row, event in enumerate(events)]
        array = event_array(rows, self._context, numbered=True)
        return self._recording(
            len(rows) >= _LONG_EVENTS, "cj_record_many", array, len(rows), 0
        )

    def record_json(
        self, text: Union[str, bytes], format: str = "json"
    ) -> RecordResult:
        """Record JSON: one message, an array of them, or one per line; format "json"
        (own form) or "segment"."""
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return self._recording(
            len(data) >= _LONG_BYTES,
            "cj_record_json",
            data,
            len(data),
            _values.required(format, "format"),
        )

    def identify(
        self,
        identifiers: Optional[Identifiers] = None,
        *,
        traits: Optional[Json] = None,
        time: Optional[Time] = None,
        source: Optional[str] = None,
        **kinds: Unpack[Kinds],
    ) -> int:
        """Say that identifiers belong to one person and what is known of them; the
        profile of the strongest.  A trait of None is forgotten."""
        array = identifier_array(identifiers, _known_kinds(kinds))
        profile = ctypes.c_int64()
        self._handle.call(
            "cj_identify",
            array,
            len(array),
            _values.json_object(traits, "traits"),
            _values.time_ms(time, "time", self._context.parse_time),
            _values.text(source, "source"),
            ctypes.byref(profile),
        )
        return profile.value

    def alias(self, a: Tuple[str, Text], b: Tuple[str, Text]) -> None:
        """Say that two identifiers, as ("email", "ann@example.com"), are one person.
        ExistsError: another unique identifier stands against it."""
        self._handle.call("cj_alias", _one_identifier(a), _one_identifier(b))

    def failed_events(self) -> Table:
        """Rejected messages: id, time_ms, source, code, reason, bytes."""
        return self._table("cj_failed_events")

    def failed_retry(self) -> RecordResult:
        """Try rejected messages again; those now recorded leave the list."""
        return self._recording(True, "cj_failed_retry")

    # ---- import --------------------------------------------------------------------

    def import_file(
        self,
        path: Path,
        *,
        format: Optional[str] = None,
        map: Union[str, Mapping[str, str], None] = None,
        guest: Optional[str] = None,
        time_zone: Optional[str] = None,
        currency: Optional[str] = None,
        name: Optional[str] = None,
        channel: Optional[str] = None,
        source: Optional[str] = None,
        reject_path: Optional[Path] = None,
        progress: Optional[Progress] = None,
    ) -> ImportResult:
        """Import a file ("-": standard input); again changes nothing.

        format: "json", "segment" or "csv" (None: by the name's ending).  For csv: map
        from our names to the file's columns, {"time": "InvoiceDate", "trait.country":
        "Country"}; guest, the column that identifies rows without an identifier; name
        and channel of rows that have none.  reject_path: a file for rejected lines.
        progress(bytes_read, bytes_total): a true answer stops the import.
        """
        options = _ffi.sized(_ffi.ImportOptions)
        options.map = _values.text(_map_text(map), "map")
        for field, value in (
            ("format", format),
            ("guest", guest),
            ("time_zone", time_zone),
            ("currency", currency),
            ("name", name),
            ("channel", channel),
            ("source", source),
        ):
            setattr(options, field, _values.text(value, field))
        if reject_path is not None:
            options.reject_path = _path(reject_path)
        encoded = _path(path)
        result = _ffi.sized(_ffi.ImportResult)

        def work(hook: Any) -> ImportResult:
            options.progress = hook
            self._handle.call(
                "cj_import_file", encoded, ctypes.byref(options), ctypes.byref(result)
            )
            return ImportResult(
                lines=result.n_lines,
                recorded=result.n_recorded,
                duplicates=result.n_duplicates,
                rejected=result.n_rejected,
                events=result.n_events,
            )

        return run_long(self._handle, work, progress)

    # ---- identity ------------------------------------------------------------------

    def find_profile(self, kind: str, value: Text) -> int:
        """The profile that holds an identifier.  NotFoundError."""
        profile = ctypes.c_int64()
        self._handle.call(
            "cj_profile_find",
            _values.required(kind, "kind"),
            _values.required(value, kind),
            ctypes.byref(profile),
        )
        return profile.value

    def identifiers(self, profile: int) -> Table:
        """The identifiers of a profile: node, kind, value."""
        return self._table("cj_profile_identifiers", _values.int64(profile, "profile"))

    def traits(self, profile: int, as_of: Optional[Time] = None) -> Table:
        """The traits of a profile as known at as_of: name, value (JSON), source,
        time_ms."""
        at = self._time(as_of, "as_of")
        return self._table("cj_profile_traits", _values.int64(profile, "profile"), at)

    def merge(self, profile_a: int, profile_b: int) -> int:
        """Make two profiles one; the older survives.  The edge that unmerge() takes."""
        edge = ctypes.c_int64()
        self._handle.call(
            "cj_merge",
            _values.int64(profile_a, "profile_a"),
            _values.int64(profile_b, "profile_b"),
            ctypes.byref(edge),
        )
        return edge.value

    def unmerge(self, edge: int) -> None:
        """Remove an edge: everything is as if it had never been."""
        self._handle.call("cj_unmerge", _values.int64(edge, "edge"))

    def edges(self, profile: Optional[int] = None) -> Table:
        """The edges of the identity graph, or of one profile: edge, node_a, node_b,
        time_ms, cause, state, reason."""
        return self._table("cj_edges", _values.int64(profile, "profile"))

    def block_identifier(self, kind: str, value: Text) -> None:
        """Never use this value as an identifier, as of now."""
        self._handle.call(
            "cj_identifier_block",
            _values.required(kind, "kind"),
            _values.required(value, kind),
        )

    # ---- reading and scores --------------------------------------------------------

    def events(
        self,
        profile: Optional[int] = None,
        *,
        since: Optional[Time] = None,
        until: Optional[Time] = None,
        name: Optional[str] = None,
        limit: int = 0,
        threads: int = 0,
    ) -> Table:
        """Events in [since, until), ordered by profile, time, node and arrival, at most
        limit (1,000,000)."""
        options = _ffi.sized(_ffi.EventsOptions)
        options.profile = _values.int64(profile, "profile")
        options.from_ms = _values.time_ms(since, "since", self._context.parse_time)
        options.until_ms = _values.time_ms(until, "until", self._context.parse_time)
        options.name = _values.text(name, "name")
        options.limit = _values.int64(limit, "limit")
        options.threads = _values.int64(threads, "threads")
        if profile is not None:
            return self._table("cj_events", ctypes.byref(options))
        return self._long_table("cj_events", ctypes.byref(options))

    def rfm(
        self,
        *,
        as_of: Optional[Time] = None,
        since: Optional[Time] = None,
        recency: str = "days",
        frequency: str = "orders",
        monetary: str = "net",
        monetary_of: str = "total",
        bins: int = 0,
        threads: int = 0,
        r_limits: Optional[Iterable[int]] = None,
        f_limits: Optional[Iterable[int]] = None,
        m_limits: Optional[Iterable[Union[int, Decimal]]] = None,
        classes: Optional[Iterable[RfmClass]] = None,
        identifier: Optional[str] = None,
        include_guests: bool = False,
        progress: Optional[Progress] = None,
    ) -> Table:
        """Score every customer by recency, frequency and monetary value, from the
        events in [since, as_of); as_of None: now.

        recency "days" or "hours"; frequency "orders" or "repeat_days"; monetary "net"
        or "gross", its monetary_of "total" or "mean".  Scores by quantile (bins, 5) or
        by ascending limits.  identifier: a kind, which becomes a column.  classes: your
        own, instead of rfm_classes().  progress(blocks_read, blocks): true stops.
        """
        fields = RfmFields(
            as_of=as_of,
            since=since,
            recency=recency,
            frequency=frequency,
            monetary=monetary,
            monetary_of=monetary_of,
            bins=bins,
            threads=threads,
            r_limits=r_limits,
            f_limits=f_limits,
            m_limits=m_limits,
            classes=classes,
            identifier=identifier,
            include_guests=include_guests,
        )
        options = rfm_options(fields, self._context)
        return self._options_table(options, progress, "cj_rfm")

    # ---- segments ------------------------------------------------------------------

    def segment_evaluate(
        self,
        expression: str,
        *,
        as_of: Optional[Time] = None,
        identifier: Optional[str] = None,
        members_only: bool = False,
        threads: int = 0,
        deadline_ms: int = 0,
        progress: Optional[Progress] = None,
    ) -> Table:
        """What an expression (docs/SEGMENTS.md) says of every profile at as_of (now):
        profile, truth (0 false, 1 true, 2 unknown), valid_until_ms (the moment at which
        somebody enters or leaves although nothing new happens; None: never).

        identifier: a kind, which becomes a column.  members_only: only who is in it.
        deadline_ms: LimitError after so long.  progress(blocks_read, blocks): true
        stops.  An InvalidError has the position, a byte of the expression.
        """
        options = self._segment_options(as_of, identifier, threads, deadline_ms)
        options.members_only = int(members_only)
        return self._segment_table("cj_segment_evaluate", expression, options, progress)

    def segment_members(
        self,
        name: str,
        *,
        as_of: Optional[Time] = None,
        identifier: Optional[str] = None,
        threads: int = 0,
        deadline_ms: int = 0,
        progress: Optional[Progress] = None,
    ) -> Table:
        """Who is in a segment, or on a list: as segment_evaluate, members only."""
        options = self._segment_options(as_of, identifier, threads, deadline_ms)
        return self._segment_table("cj_segment_members", name, options, progress)

    def segment_count(
        self,
        name: str,
        *,
        as_of: Optional[Time] = None,
        threads: int = 0,
        deadline_ms: int = 0,
        progress: Optional[Progress] = None,
    ) -> int:
        """How many profiles are in a segment, or on a list."""
        options = self._segment_options(as_of, None, threads, deadline_ms)
        encoded = _values.required(name, "name")
        n = ctypes.c_int64()

        def work(hook: Any) -> int:
            options.progress = hook
            self._handle.call(
                "cj_segment_count", encoded, ctypes.byref(options), ctypes.byref(n)
            )
            return n.value

        return run_long(self._handle, work, progress)

    def profile_segments(self, profile: int, as_of: Optional[Time] = None) -> Table:
        """What every segment and list says of one profile: segment, truth,
        valid_until_ms.  NotFoundError."""
        options = self._segment_options(as_of, None, 0, 0)
        return self._table(
            "cj_profile_segments",
            _values.int64(profile, "profile"),
            ctypes.byref(options),
        )

    def segment_explain(
        self,
        source: str,
        *,
        as_of: Optional[Time] = None,
        threads: int = 0,
        deadline_ms: int = 0,
        progress: Optional[Progress] = None,
    ) -> Table:
        """Where a segment loses its profiles, a row per clause: depth, clause,
        passes_alone, unknown, passes_in_order, share, cost_ns, reads, from_ms, until_ms,
        blocks.  source, here and below: a name, or else an expression."""
        options = self._segment_options(as_of, None, threads, deadline_ms)
        return self._segment_table("cj_segment_explain", source, options, progress)

    def segment_why(
        self, profile: int, source: str, as_of: Optional[Time] = None
    ) -> Table:
        """Why a profile is in a segment or not, a row per clause: depth, clause, truth
        ("true", "false", "unknown"), found (the facts), valid_until_ms."""
        options = self._segment_options(as_of, None, 0, 0)
        return self._table(
            "cj_segment_why",
            _values.int64(profile, "profile"),
            _values.required(source, "source"),
            ctypes.byref(options),
        )

    def segment_overlap(
        self,
        names: Iterable[str],
        *,
        as_of: Optional[Time] = None,
        threads: int = 0,
        deadline_ms: int = 0,
        progress: Optional[Progress] = None,
    ) -> Table:
        """How segments or lists overlap: a column per name (1 in it, 0 not) and profiles,
        a row per combination that occurs, the largest first."""
        options = self._segment_options(as_of, None, threads, deadline_ms)
        texts = [_values.required(name, "names") for name in names]
        array = (ctypes.c_char_p * len(texts))(*texts)
        return self._options_table(
            options, progress, "cj_segment_overlap", array, len(texts)
        )

    def segment_sizes(
        self,
        source: str,
        *,
        since: Time,
        as_of: Optional[Time] = None,
        step_days: int = 1,
        threads: int = 0,
        deadline_ms: int = 0,
        progress: Optional[Progress] = None,
    ) -> Table:
        """How a segment grows and shrinks, at local midnights from since to as_of:
        time_ms, members, entered, left (None in the first row)."""
        options = self._segment_options(as_of, None, threads, deadline_ms)
        return self._options_table(
            options,
            progress,
            "cj_segment_sizes",
            _values.required(source, "source"),
            _values.time_ms(since, "since", self._context.parse_time),
            _values.int64(step_days, "step_days"),
        )

    def segment_compare(
        self,
        a: str,
        b: str,
        *,
        as_of: Optional[Time] = None,
        limit: int = 0,
        threads: int = 0,
        deadline_ms: int = 0,
        progress: Optional[Progress] = None,
    ) -> Table:
        """What sets two segments apart, surest and largest first: dimension, value,
        share_a, share_b, lift, low, high, n_a, n_b; 50 rows unless limit says."""
        options = self._segment_options(as_of, None, threads, deadline_ms)
        return self._options_table(
            options,
            progress,
            "cj_segment_compare",
            _values.required(a, "a"),
            _values.required(b, "b"),
            _values.int64(limit, "limit"),
        )

    def define_segment(self, name: str, expression: str, *, live: bool = False) -> None:
        """Keep an expression under a name, also for in_segment("name"); one of that name
        is replaced.  live: keep its membership from now on (segment_feed).
        InvalidError: it is wrong (with its position), or the segments need each other
        in a circle."""
        self._handle.call(
            "cj_segment_define",
            _values.required(name, "name"),
            _values.required(expression, "expression"),
            _ffi.CONSTANTS["CJ_SEGMENT_LIVE"] if live else 0,
        )

    def define_list(self, name: str, profiles: Iterable[int]) -> None:
        """Keep a list of profiles under a name, for in_list("name"); one of that name is
        replaced.  NotFoundError has the position of who is unknown."""
        ids = [_values.int64(profile, "profiles") for profile in profiles]
        array = (ctypes.c_int64 * len(ids))(*ids)
        self._handle.call(
            "cj_segment_define_list", _values.required(name, "name"), array, len(ids)
        )

    def drop_segment(self, name: str) -> None:
        """Forget a segment or list.  ExistsError: another needs it."""
        self._handle.call("cj_segment_drop", _values.required(name, "name"))

    def segments(self) -> Table:
        """All segments and lists: segment, kind ("expression", "list"), live,
        defined_ms, expression (None: a list)."""
        return self._table("cj_segments")

    def segment_advance(self, now: Optional[Time] = None) -> int:
        """Let time pass for live segments (None: until now); how many entered or left."""
        n = ctypes.c_int64()
        at = _values.time_ms(now, "now", self._context.parse_time)
        self._handle.call("cj_segment_advance", at, ctypes.byref(n))
        return n.value

    def segment_feed(self, after: int = 0, limit: int = 0) -> Table:
        """Who entered and left live segments after a change: change, segment, profile,
        time_ms, what (entered, left), cause (event, clock, definition, identity)."""
        return self._table(
            "cj_segment_feed",
            _values.int64(after, "after"),
            _values.int64(limit, "limit"),
        )

    def format_segment(
        self, source: str, *, from_form: str = "text", to_form: str = "text"
    ) -> str:
        """An expression in another form: "text" (canonical) or "json", the tree that a
        form in a browser can build."""
        out = ctypes.c_void_p()
        n = ctypes.c_int64()
        self._handle.call(
            "cj_segment_format",
            _values.required(source, "source"),
            _values.required(from_form, "from_form"),
            _values.required(to_form, "to_form"),
            ctypes.byref(out),
            ctypes.byref(n),
        )
        try:
            return ctypes.string_at(out.value or 0, n.value).decode("utf-8")
        finally:
            self._library.cj_text_free(out)

    # ---- care of the file ----------------------------------------------------------

    def compact(self, progress: Optional[Progress] = None) -> None:
        """Seal the journal, merge slices, give free pages back."""
        run_long(
            self._handle,
            lambda hook: self._handle.call("cj_compact", hook, None),
            progress,
        )

    def check(self) -> Table:
        """Verify every invariant and checksum: place, problem; no row: it is sound."""
        return self._long_table("cj_check")

    def stats(self) -> Table:
        """What is in the file: name, value, unit, meaning."""
        return self._table("cj_stats")

    # ---- inside --------------------------------------------------------------------

    def _segment_options(
        self,
        as_of: Optional[Time],
        identifier: Optional[str],
        threads: int,
        deadline_ms: int,
    ) -> Any:
        options = _ffi.sized(_ffi.SegmentOptions)
        options.as_of_ms = self._time(as_of, "as_of")
        options.identifier = _values.text(identifier, "identifier")
        options.threads = _values.int32(threads, "threads")
        options.deadline_ms = _values.int64(deadline_ms, "deadline_ms")
        return options

    def _segment_table(
        self, function: str, text: str, options: Any, progress: Optional[Progress]
    ) -> Table:
        source = _values.required(text, "expression or name")
        return self._options_table(options, progress, function, source)

    def _recording(self, long: bool, name: str, *arguments: Any) -> RecordResult:
        result = _ffi.sized(_ffi.RecordResult)

        def work(_: Any) -> RecordResult:
            self._handle.call(name, *arguments, ctypes.byref(result))
            first = result.first_reject
            return RecordResult(
                recorded=result.n_recorded,
                duplicates=result.n_duplicates,
                rejected=result.n_rejected,
                first_reject=None if first < 0 else first,
            )

        return run_long(self._handle, work, None) if long else work(None)

    def _event_at(self, row: int, event: Union[Event, Mapping[str, Any]]) -> Event:
        try:
            return event_of(event)
        except InvalidError as error:
            raise InvalidError(error.message, row) from None


class _Facts:
    """What only the file knows, asked of it.  It knows the handle and not the store, so
    that a store that is dropped is closed at once."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._known: Optional[Tuple[int, str]] = None

    def parse_time(self, text: bytes) -> int:
        out = ctypes.c_int64()
        self._handle.call("cj_time_parse", text, ctypes.byref(out))
        return out.value

    def exponent(self) -> int:
        return self._money()[0]

    def currency(self) -> str:
        return self._money()[1]

    def _money(self) -> Tuple[int, str]:
        if self._known is None:
            out = ctypes.c_void_p()
            self._handle.call("cj_stats", ctypes.byref(out))
            rows = {row["name"]: row for row in Table(out.value or 0)}
            row = rows["currency_exponent"]
            self._known = int(row["value"]), str(row["meaning"])
        return self._known


def rfm_classes() -> Table:
    """The eleven classes that Store.rfm() uses, in order of precedence: class, r_min,
    r_max, f_min, f_max, m_min, m_max, meaning."""
    return Table._call("cj_rfm_classes")


def version() -> str:
    """The version of the library that is loaded."""
    text: bytes = _library.load().cj_version()
    return text.decode()


def _path(path: Path) -> bytes:
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise InvalidError("path: a path cannot hold a NUL character")
    return encoded


def _log_hook(log: Callable[[int, str], Any]) -> Any:
    def hook(_user: Any, code: int, text: bytes) -> None:
        log(code, (text or b"").decode("utf-8", "replace"))

    return _ffi.LogHook(hook)


def _known_kinds(kinds: Mapping[str, Any]) -> List[Tuple[str, Any]]:
    unknown = sorted(set(kinds) - set(Kinds.__annotations__))
    if unknown:
        raise TypeError(f"identify() has no argument {unknown[0]!r}")
    return list(kinds.items())


def _one_identifier(pair: Sequence[Any]) -> Any:
    if isinstance(pair, str) or len(pair) != 2:
        raise InvalidError(
            'an identifier is a pair, such as ("email", "ann@example.com")'
        )
    return identifier_array([(pair[0], pair[1])], ())


def _map_text(map: Union[str, Mapping[str, str], None]) -> Optional[str]:
    if map is None or isinstance(map, str):
        return map
    for name, column in map.items():
        if "," in column or "," in name or "=" in name:
            raise InvalidError("map: a name with a comma cannot be mapped")
    return ",".join(f"{name}={column}" for name, column in map.items())
