"""Functions for the commands that read files."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from django.core.management.base import CommandError, CommandParser

from stats_app import imports
from stats_app.errors import FieldError

STDIN = "-"

SHOWN = 20
"""How many wrong lines are printed."""


def add_file_arguments(parser: CommandParser, formats: Collection[str], fields: Collection[str]) -> None:
    """The arguments of a command that imports a file into a workspace."""
    parser.add_argument(
        "file", metavar="FILE", help="the file, which may be compressed with gzip; - for standard input"
    )
    parser.add_argument("--workspace", metavar="PUBLIC_ID", required=True)
    parser.add_argument("--format", choices=formats, help="default: jsonl for FILE.jsonl, else csv")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="MAP",
        help="COLUMN=FIELD, FIELD=VALUE for all rows, or COLUMN:VALUE=FIELD:VALUE; may be repeated. "
        f"The fields are {', '.join(fields)}",
    )
    parser.add_argument("--rejects", metavar="FILE", help="write the wrong lines to this file, unchanged")


@contextmanager
def source_of(name: str) -> Iterator[imports.Source]:
    """The file of this name, or standard input. Raises CommandError if that is closed."""
    if name == STDIN:
        if sys.stdin is None:
            raise CommandError("Standard input is closed.")
        yield imports.Source(sys.stdin.buffer)
    else:
        with open(name, "rb", 0) as file:
            yield imports.Source(file)


def check_different(name: str, rejects: str | None) -> None:
    """Raises CommandError if `--rejects` would overwrite the imported file, also if that is standard input."""
    if rejects is None or not os.path.exists(rejects):
        return
    try:
        imported = os.fstat(sys.stdin.fileno()) if name == STDIN else os.stat(name)
    except (AttributeError, ValueError):  # standard input is closed, or is not a file
        return
    if stat.S_ISREG(imported.st_mode) and os.path.samestat(imported, os.stat(rejects)):
        raise CommandError("--rejects is the file that is imported; choose another name.")


def clause(error: FieldError) -> str:
    """The end of a sentence that begins with the number of the line: the error of the line or of one of its fields."""
    return error.message.removeprefix("line") if error.field == "line" else f": {error.message}"


def summary(numbers: Mapping[str, int | None]) -> str:
    """The numbers with their names, without those that are None."""
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items() if number is not None)
