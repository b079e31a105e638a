"""Functions for the commands that read files."""

from __future__ import annotations

import os

from django.core.management.base import CommandError

from stats_app.errors import FieldError

STDIN = "-"


def check_different(name: str, rejects: str | None) -> None:
    """Raises CommandError if `--rejects` would overwrite the imported file."""
    if rejects is not None and os.path.exists(rejects) and name != STDIN and os.path.samefile(name, rejects):
        raise CommandError("--rejects is the file that is imported; give it another name.")


def clause(error: FieldError) -> str:
    """The rest of a sentence that begins with the line's number: the error of the line, or of one of its fields."""
    return error.message.removeprefix("line") if error.field == "line" else f": {error.message}"
