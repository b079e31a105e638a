"""How far a long command has come."""

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
    """A bar on a terminal, and one line at the end elsewhere. Called with how many are done."""

    def __init__(self, stream: Stream, total: int, noun: str, *, quiet: bool = False) -> None:
        self.stream, self.total, self.noun, self.quiet = stream, total, noun, quiet
        self.done = 0
        self.started = self.drawn = time.monotonic()

    def __enter__(self) -> ProgressBar:
        return self

    def __call__(self, done: int) -> None:
        self.done = done
        if not self.quiet and self.stream.isatty() and time.monotonic() - self.drawn >= _SECONDS_BETWEEN:
            self.drawn = time.monotonic()
            filled = _WIDTH * done // max(1, self.total)
            bar = "#" * filled + "." * (_WIDTH - filled)
            self.stream.write(f"\r[{bar}] {done:,} of {self.total:,} {self.noun}", ending="")
            self.stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.quiet or not self.done:
            return
        start = "\r" + " " * (_WIDTH + 60) + "\r" if self.stream.isatty() else ""
        self.stream.write(f"{start}{self.done:,} {self.noun} in {time.monotonic() - self.started:.1f} s")
