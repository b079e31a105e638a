"""CSV files that a spreadsheet opens without harm."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

# A spreadsheet takes a cell that begins so for a formula, and runs it. The wide forms are what some read as the others.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defused(cell: Any) -> Any:
    """The cell as text that no spreadsheet computes: an apostrophe before what would be a formula. Numbers stay."""
    if isinstance(cell, str) and cell.lstrip(" \u00a0").startswith(_DANGEROUS):
        return f"'{cell}"
    return cell


def csv_response(rows: Iterable[Sequence[Any]], name: str) -> HttpResponse:
    """A download named `name` and `.csv`, in UTF-8 with the mark by which spreadsheets know it."""
    text = io.StringIO()
    csv.writer(text).writerows([[defused(cell) for cell in row] for row in rows])
    response = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
