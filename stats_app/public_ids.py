"""Public ids: making them, validating them, and their model field.

A public id is the prefix of its kind and a ULID of 26 lowercase Crockford base-32 characters
(https://github.com/ulid/spec). It never changes and is safe to show.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import models
from ulid import ULID

WORKSPACE = ""
CAMPAIGN = "cp_"
USER = "usr_"

# The first character has only the top 3 of 128 bits, so it is at most 7. Crockford leaves out i, l, o and u.
ULID_PATTERN = "[0-7][0-9a-hjkmnp-tv-z]{25}"
# For the ids of clicks, which other systems make, mostly in capitals.
ULID_PATTERN_OF_EITHER_CASE = "[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}"
_ULID = re.compile(ULID_PATTERN)


def new_id(prefix: str = WORKSPACE) -> str:
    """A new public id. Public ids sort by the time at which they were made, to the millisecond."""
    return prefix + str(ULID()).lower()


def new_workspace_id() -> str:
    return new_id(WORKSPACE)


def new_campaign_id() -> str:
    return new_id(CAMPAIGN)


def new_user_id() -> str:
    return new_id(USER)


def is_public_id(value: object, prefix: str = WORKSPACE) -> bool:
    """Whether `value` is a well-formed public id with this prefix. Does not check that it exists."""
    return isinstance(value, str) and value.startswith(prefix) and _ULID.fullmatch(value, len(prefix)) is not None


def pattern(prefix: str = WORKSPACE) -> str:
    """The regular expression of such an id, anchored, for JSON Schemas."""
    return f"^{prefix}{ULID_PATTERN}$"


def rule(prefix: str = WORKSPACE) -> str:
    """The rule for such an id in messages, where it follows the name of the field."""
    return f"must be {form(prefix)}"


def form(prefix: str = WORKSPACE) -> str:
    """What such an id consists of, for messages."""
    return f"{f'{prefix} and ' if prefix else ''}26 characters of a lowercase ULID"


def example(prefix: str = WORKSPACE) -> str:
    """A well-formed id for texts; no row has it."""
    return f"{prefix}01jzk3f8q2v6x9w4r7t5n0m1ab"


class PublicIdField(models.CharField):  # type: ignore[type-arg]  # has type arguments in the stubs only
    """A unique, unchangeable public id. `default` is one of the `new_*_id` functions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 26 + len(USER))
        kwargs.setdefault("unique", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str | None:
        """Named in full for PostgreSQL, because Django adds a second, useless index for LIKE to a unique `varchar`."""
        if connection.vendor == "postgresql":
            return f"character varying({self.max_length})"
        return super().db_type(connection)
