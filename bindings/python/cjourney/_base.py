"""What the parts of Store share: the handle, what the file knows, calls that give tables."""

from __future__ import annotations

import ctypes
from typing import Any, Mapping, Optional

from . import _values
from ._handle import Handle, Progress, run_long
from ._values import Time
from .errors import InvalidError
from .events import Context
from .table import Table


class StoreBase:
    _handle: Handle
    _context: Context

    def _table(self, name: str, *arguments: Any) -> Table:
        out = ctypes.c_void_p()
        self._handle.call(name, *arguments, ctypes.byref(out))
        return Table(out.value or 0)

    def _long_table(self, name: str, *arguments: Any) -> Table:
        return run_long(self._handle, lambda _: self._table(name, *arguments), None)

    def _options_table(
        self,
        options: Any,
        progress: Optional[Progress],
        name: str,
        *arguments: Any,
        after: Any = (),
    ) -> Table:
        """A long call with options, which have a progress hook: after the arguments, and
        before those that come after."""

        def work(hook: Any) -> Table:
            options.progress = hook
            return self._table(name, *arguments, ctypes.byref(options), *after)

        return run_long(self._handle, work, progress)

    def _time(self, value: Optional[Time], what: str) -> int:
        return _values.time_ms(value, what, self._context.parse_time)


def choice(choices: Mapping[str, int], what: str, value: str) -> int:
    """The constant of the header for one of a few words."""
    if value not in choices:
        raise InvalidError(f"{what}: is one of {', '.join(choices)}")
    return choices[value]
