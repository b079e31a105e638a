"""The audit log: one row for each tool call. A failing audit never changes an answer."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from datetime import datetime

from django.db import connections, router

from stats_app.errors import redacted
from stats_app.keys import Caller
from stats_app.models import ToolCall
from stats_app.sql import audit as sql
from stats_app.sql.transactions import savepoint

MAX_ARGUMENT_BYTES = 8 * 1024
_CLIENT_LENGTH = 200

logger = logging.getLogger(__name__)


def record_call(
    caller: Caller,
    tool: str,
    arguments: Mapping[str, object],
    *,
    surface: str,
    client: str,
    outcome: str,
    duration_ms: int,
    called_at: datetime,
) -> None:
    """Writes the row of one call. If that fails, the row is written to the log instead."""
    row = (
        caller.workspace.pk,
        caller.api_key_id,
        tool,
        surface,
        _storable(redacted(client))[:_CLIENT_LENGTH],
        _arguments_json(arguments),
        outcome,
        duration_ms,
        called_at,
    )
    try:
        _insert(row)
    except Exception:
        # All errors are caught, because the answer is ready and must be sent.
        logger.exception("A tool call could not be written to the audit log: %r", row)


def _insert(row: tuple[object, ...]) -> None:
    using = router.db_for_write(ToolCall)
    connection = connections[using]
    with savepoint(using):
        sql.insert_tool_call(connection, row)


def _arguments_json(arguments: Mapping[str, object]) -> str:
    """The arguments as JSON of at most `MAX_ARGUMENT_BYTES`. Longer JSON is cut, and stored as a text."""
    try:
        text = redacted(json.dumps(_storable_value(arguments), ensure_ascii=False, default=str))
    except RecursionError:
        text = json.dumps({"truncated": "nested too deeply"})
    if len(text.encode()) <= MAX_ARGUMENT_BYTES:
        return text
    # Quoting may double each character, and a character may take 4 bytes.
    return json.dumps(
        {"truncated": text.encode()[: MAX_ARGUMENT_BYTES // 2 - 20].decode("utf-8", "ignore")}, ensure_ascii=False
    )


def _storable_value(value: object) -> object:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, Mapping):
        return {_storable(str(key)): _storable_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable_value(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # not a JSON value
    return value


def _storable(text: str) -> str:
    """The text with escapes for NUL and lone surrogates, which PostgreSQL refuses, also in JSON."""
    if "\0" not in text and text.isascii():
        return text
    escaped = text.replace("\0", "\\u0000")
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in escaped)
