"""Looking up what the items of a list refer to, rows of the workspace and named codes, and the errors of items."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from stats_app import public_ids
from stats_app.dimensions import CAMPAIGN, KINDS
from stats_app.emails import is_email
from stats_app.errors import FieldError, shown
from stats_app.sql.references import find
from stats_app.words import fold, is_plain

_CAMPAIGN_KIND = KINDS[CAMPAIGN]


class WrongField(Exception):
    """Raised for the first wrong field of an item."""

    def __init__(self, name: str, code: str, message: str) -> None:
        self.error = FieldError(name, code, message)


def rows_of(
    connection: BaseDatabaseWrapper,
    workspace_id: int,
    model: type[Model],
    column: str,
    values: Collection[Any],
    more: str = "",
    *,
    lock: bool = False,
) -> dict[Any, Any]:
    """The primary keys of the rows with these values, or lists of the key and the columns in `more`.

    Instances are looked up, too: one may be of another workspace, or deleted. `lock` is explained at `find`.
    """
    names = _names(values, model)
    texts = {name for name in names if isinstance(name, str)}
    instances = {name.pk: name for name in names if not isinstance(name, str)}
    table = model._meta.db_table
    rows: dict[Any, Any] = {}
    for key, *rest in find(connection, workspace_id, table, column, texts, more, lock=lock):
        rows[key] = rest if more else rest[0]
    for key, *rest in find(connection, workspace_id, table, "id", instances.keys(), more, lock=lock):
        rows[instances[key]] = rest if more else rest[0]
    return rows


def _names(values: Collection[Any], model: type[Model]) -> set[Any]:
    """The values that can be looked up. Databases refuse NUL and lone surrogates, which no valid value contains."""

    def is_name(value: Any) -> bool:
        return is_plain(value) if isinstance(value, str) else isinstance(value, model) and value.pk is not None

    try:
        distinct: Collection[Any] = set(values)
    except TypeError:  # some are not hashable
        distinct = values
    return set(filter(is_name, distinct))


def looked_up(rows: Mapping[Any, Any], value: Any) -> Any:
    """The value's row as `rows_of` found it, or its code. None for an unknown value of any type."""
    try:
        return rows.get(value)
    except TypeError:  # not hashable
        return None


def reference_of(rows: Mapping[Any, Any], name: str, value: Any, prefix: str) -> Any:
    """The row of an instance or a public id with this prefix, as `rows_of` found it. Raises WrongField if there is
    none."""
    row = looked_up(rows, value)
    if row is not None:
        return row
    text = getattr(value, "public_id", value)
    if not public_ids.is_public_id(text, prefix):
        raise WrongField(name, "invalid", f"{name} {public_ids.rule(prefix)}, not {shown(text)}.")
    raise not_found(name, text)


def alias_of(rows: Mapping[Any, Any], value: Any) -> Any:
    """As `reference_of`, for an alias or its e-mail."""
    row = looked_up(rows, folded(value))
    if row is not None:
        return row
    text = getattr(value, "email", value)
    if not (isinstance(text, str) and is_email(text)):
        raise WrongField("alias", "invalid", f"alias must be an e-mail address, not {shown(text)}.")
    raise not_found("alias", text)


def not_found(name: str, text: Any) -> WrongField:
    return WrongField(name, "not_found", f"{name} {shown(text)} is not in this workspace.")


def folded(email: Any) -> Any:
    """An e-mail in its stored form. Instances are returned unchanged."""
    return fold(email) if isinstance(email, str) else email


def code_of(name: str, value: Any, codes: Mapping[str, int]) -> int:
    code: int | None = looked_up(codes, value)
    if code is not None:
        return code
    if value is None:
        raise WrongField(name, "required", f"{name} is required: one of {', '.join(codes)}.")
    raise WrongField(name, "invalid", f"{name} must be one of {', '.join(codes)}, not {shown(value)}.")


def has_campaign(noun: str, kind: int, campaign: Any) -> bool:
    """Whether an item, called `noun`, names a campaign. Those of the kind campaign must, and the others must not."""
    if kind == _CAMPAIGN_KIND:
        if campaign is not None:
            return True
        raise WrongField(
            "campaign",
            "required",
            f"campaign is required for a {noun} of the kind campaign: {public_ids.form(public_ids.CAMPAIGN)}, "
            f"such as {public_ids.example(public_ids.CAMPAIGN)}.",
        )
    if campaign is None:
        return False
    raise WrongField("campaign", "not_allowed", f"campaign is not allowed: only a {noun} of the kind campaign has one.")
