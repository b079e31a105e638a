"""The rule that every statement of ours on clicks or counts is about one workspace, by its number.

The two tables may be spread over machines by workspace (docs/scale.md). A statement that names a workspace runs on the
machine that has it; one that does not asks all machines, or is refused. `watch` looks at the statements of all tests.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any

from django.db.backends.utils import CursorWrapper

ALLOWED = {
    "stats_app/sql/counts.py:totals_of_workspaces": "the list of workspaces shows the totals of a page of them",
    "stats_app/sql/counts.py:first_days": "the list of workspaces says since when each one counts",
}
"""The functions that ask across workspaces, and why."""

ROOT = Path(__file__).resolve().parent.parent

_TABLE = r'"?stats_app_(?:click|rollup)"?(?![\w.])'
_VALUE = r"(?:%s|%\(\w+\)s|\?|\d+)"
_NAMED = re.compile(rf"\b(?:FROM|JOIN|UPDATE|USING)\s+(?:ONLY\s+)?{_TABLE}|,\s*{_TABLE}\s+(?:AS\b|\"?U\d|WHERE)", re.I)
_INSERTED = re.compile(rf"\bINTO\s+{_TABLE}", re.I)
_CARRIED = re.compile(rf'\bworkspace_id"?\s*(?:=\s*\(?|IN\s*\(){_VALUE}', re.I)
_CARRIED_INTO = re.compile(
    rf"\bINTO\s+{_TABLE}\s*\((?=[^)]*\bworkspace_id\b)[^)]*\)\s*(?:VALUES\b|SELECT\s+{_VALUE})", re.I
)
_QUERY = re.compile(r"\s*\(*\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.I)
_OPERATORS = re.compile(r"\b(?:UNION(?:\s+ALL)?|EXCEPT|INTERSECT)\b", re.I)
_QUALIFIED = re.compile(r'"(\w+)"\s*\.')
_DECLARED = re.compile(r'\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?"(\w+)"(?:\s+(?:AS\s+)?(?:"(\w+)"|(U\d+)\b))?', re.I)
"""A table and, if it has one, its alias. Django quotes aliases from 6.1 on; before, those of subqueries are bare."""


def fault(statement: str) -> str | None:
    """What is wrong with a statement; None if it names one workspace, or uses neither clicks nor counts."""
    if not re.search(_TABLE, statement):
        return None
    for query, is_tested in _queries(re.sub(r"'(?:[^']|'')*'", "''", statement)):
        if _INSERTED.search(query) and not _CARRIED_INTO.search(query):
            return "inserts without a workspace"
        if not _NAMED.search(query):
            continue
        if not _CARRIED.search(query):
            return "does not name its workspace"
        if is_tested or set(_QUALIFIED.findall(query)) - set(_declared(query)):
            return "runs a query on clicks or counts for each row of another one"
    return None


def _declared(query: str) -> Iterator[str]:
    """The names by which a query calls its tables."""
    for table, quoted_alias, bare_alias in _DECLARED.findall(query):
        yield quoted_alias or bare_alias or table


def _queries(statement: str) -> Iterator[tuple[str, bool]]:
    """Each query of a statement, without its subqueries, and whether it is inside EXISTS."""
    open_queries: list[tuple[list[str], bool]] = [([], False)]
    parentheses: list[bool] = []
    for part in re.split(r"([()])", statement):
        text = open_queries[-1][0]
        if part == ")" and parentheses and parentheses.pop():
            characters, is_tested = open_queries.pop()
            yield from ((query, is_tested) for query in _OPERATORS.split("".join(characters)))
            open_queries[-1][0].append("()")
        elif part == "(":
            parentheses.append(False)
            text.append(part)
        elif parentheses and text and text[-1] == "(" and _QUERY.match(part):
            text.pop()
            parentheses[-1] = True
            is_tested = bool(re.search(r"\bEXISTS\s*$", "".join(text), re.I))
            open_queries.append(([part], is_tested))
        else:
            text.append(part)
    yield from ((query, False) for query in _OPERATORS.split("".join(open_queries[0][0])))


_faults: list[str] = []


def faults() -> list[str]:
    """The wrong statements of the product since the last call."""
    faults = [*_faults]
    _faults.clear()
    return faults


def watch() -> None:
    """Watches every statement from now on. Not with Django's `execute_wrapper`, because it switches off prepared
    statements."""
    for name in ("execute", "executemany"):
        setattr(CursorWrapper, name, _watched(getattr(CursorWrapper, name)))


def _watched(execute: Any) -> Any:
    @wraps(execute)
    def watched(self: Any, sql: Any, *args: Any, **kwargs: Any) -> Any:
        wrong = fault(sql) if isinstance(sql, str) else None
        if wrong is not None:
            functions = _functions_of_ours()
            if functions and not ALLOWED.keys() & set(functions):
                _faults.append(f"{functions[0]} {wrong}: {' '.join(sql.split())}")
        return execute(self, sql, *args, **kwargs)

    return watched


def _functions_of_ours() -> list[str]:
    """The functions of the product that are running, the innermost first; none where a test itself asked.

    A request or a command that runs none of our functions, as when a template reads what a view has prepared, is ours.
    A migration is about all workspaces, and so is `flush`, by which tests with transactions of their own clean up.
    """
    names: list[str] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        name = frame.f_code.co_name
        if "migrations" in path.parts or path.name == "flush.py":
            return []
        if path.is_relative_to(ROOT / "stats_app"):
            names.append(f"{path.relative_to(ROOT).as_posix()}:{name}")
        elif path.is_relative_to(ROOT / "tests") and path != Path(__file__):
            break
        elif path.parts[-3:-1] in (("core", "handlers"), ("core", "management")):
            names.append(f"django:{name}")
        frame = frame.f_back
    return names
