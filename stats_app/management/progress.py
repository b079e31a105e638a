"""The progress bar of long commands."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol

_WIDTH = 30
_SECONDS_BETWEEN = 0.2


class Stream(Protocol):
    def write(self, msg: str = "", style_func: None = None, ending: str | None = None) -> object: ...
    def isatty(self) -> bool: ...
    def flush(self) -> None: ...


class ProgressBar:
    """A bar on a terminal; otherwise one line at the end. Called with the number done, and with the total or the share
    done. If neither is known, it shows only a number."""

    def __init__(self, stream: Stream, total: int | None, noun: str, *, quiet: bool = False) -> None:
        self.stream, self.total, self.noun, self.quiet = stream, total, noun, quiet
        self.done = 0
        self.started = self.drawn = time.monotonic()

    def __enter__(self) -> ProgressBar:
        return self

    def __call__(self, done: int, share: float | None = None) -> None:
        self.done = done
        if not self.quiet and self.stream.isatty() and time.monotonic() - self.drawn >= _SECONDS_BETWEEN:
            self.drawn = time.monotonic()
            self.stream.write(f"\r{self._bar(share)}{done:,}{self._of_all} {self.noun}", ending="")
            self.stream.flush()

    def _bar(self, share: float | None) -> str:
        if share is None and self.total is not None:
            share = self.done / max(1, self.total)
        if share is None:
            return ""
        filled = min(_WIDTH, int(_WIDTH * share))
        return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] "

    @property
    def _of_all(self) -> str:
        return "" if self.total is None else f" of {self.total:,}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.quiet or not self.done:
            return
        start = "\r" + " " * (_WIDTH + 60) + "\r" if self.stream.isatty() else ""
        self.stream.write(f"{start}{self.done:,} {self.noun} in {time.monotonic() - self.started:.1f} s")
