"""Importing clicks from files of any size: CSV, JSON lines and logs of web servers. Each row is counted once.

`sources` reads bytes and lines, `tables`, `jsonlines` and `weblogs` parse them into rows, and `run` records the clicks.
"""

from __future__ import annotations

from stats_app.imports.columns import NAMES, ColumnMap
from stats_app.imports.formats import FORMATS, ReadAs, format_of, rows_of
from stats_app.imports.rejects import Rejects
from stats_app.imports.rows import Row, Rows
from stats_app.imports.run import Imported, import_clicks
from stats_app.imports.sources import Source, WrongFile
from stats_app.imports.weblogs import REDIRECTS

__all__ = [
    "FORMATS",
    "NAMES",
    "REDIRECTS",
    "ColumnMap",
    "Imported",
    "ReadAs",
    "Rejects",
    "Row",
    "Rows",
    "Source",
    "WrongFile",
    "format_of",
    "import_clicks",
    "rows_of",
]
