"""The mistakes a caller can make, one exception type for each kind.

They are raised where the mistake is found and know nothing of HTTP or MCP: each surface maps them to its own form.
Every text is English, names what is wrong and never holds a secret, SQL or a traceback.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

WINDOW_SECONDS = 60
"""The window of every rate limit."""

FIELD_CODES = (
    "required",
    "invalid",
    "unknown",
    "repeated",
    "out_of_range",
    "too_long",
    "not_found",
    "not_allowed",
    "future",
    "pruned",
)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its name, one of `FIELD_CODES`, and a sentence that names the rule and the value.

    The sentence begins with the field's name, so that a surface with other names can put its own (`renamed`).
    """

    field: str
    code: str
    message: str

    def renamed(self, name: str) -> FieldError:
        return FieldError(name, self.code, name + self.message.removeprefix(self.field))

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "message": self.message}


class WrongValue(ValueError):
    """A value that breaks a rule. The caller adds the field's name.

    `code` is one of `FIELD_CODES`. `rule` is English and follows the field's name ("must be a date as Y-m-d").
    `message` is a sentence for people in the active language.
    """

    def __init__(self, code: str, rule: str, message: str) -> None:
        super().__init__(rule)
        self.code = code
        self.rule = rule
        self.message = message


# Also in capital letters, and with underscores that are percent-encoded once or more often.
_SECRET = re.compile(
    "sk(?:_|%(?:25)*5f)[0-9a-z]{12}(?:_|%(?:25)*5f)(?:[0-9a-z_-]|%(?:25)*(?:5f|2d)){16,}", re.IGNORECASE
)


def redacted(text: str) -> str:
    """The text without API keys, which somebody may have put into the wrong place."""
    return _SECRET.sub("sk_…", text)


def shown(value: object, limit: int = 60) -> str:
    """A caller's value as a message shows it: as JSON, short, printable and without secrets.

    A text keeps its quotes, so that `"5"` differs from 5 and `"null"` from null.
    """
    if isinstance(value, str):
        return _escaped(json.dumps(_clipped(redacted(value), limit), ensure_ascii=False))
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:  # so deeply nested that it could just be parsed
        text = f"a {type(value).__name__}"
    except (TypeError, ValueError):  # a Python object that JSON does not support
        text = repr(value)
    return printable(text, limit)


def printable(text: str, limit: int = 100) -> str:
    """A caller's text without secrets, clipped, and with escapes for what cannot be printed or encoded."""
    return _escaped(_clipped(redacted(text), limit))


def _clipped(text: str, limit: int) -> str:
    return text[:limit] + ("…" if len(text) > limit else "")


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a rate limit: `remaining` calls now, and one more in `reset` seconds (a whole number from 1)."""

    name: str
    limit: int
    remaining: int
    reset: int
    window: int = WINDOW_SECONDS


class StatsError(Exception):
    """The base class of all errors that are answered to callers. `code` is stable; `str()` is the message."""

    code: ClassVar[str]
    allowance: Allowance | None = None


class InvalidParameters(StatsError):
    """One or more fields are wrong; `errors` names each."""

    code = "invalid_parameters"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors)
        super().__init__(" ".join(error.message for error in self.errors))


class NotAuthenticated(StatsError):
    """No valid key. The reason is never given, so that nobody can probe for keys."""

    code = "not_authenticated"

    def __init__(self) -> None:
        super().__init__("A valid API key is required in the header x-api-key.")


class WorkspaceGone(NotAuthenticated, LookupError):
    """The workspace was deleted after the key was authenticated. Callers only learn that their key is not valid."""


class PermissionDenied(StatsError):
    """The key is valid but lacks a scope."""

    code = "permission_denied"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the scope {scope}.")


class WorkspaceMismatch(StatsError):
    """The caller named a workspace that is not the key's own."""

    code = "workspace_mismatch"

    def __init__(self) -> None:
        super().__init__("workspacePublicId is not the workspace of this API key; leave it out.")


class PersonFiguresOff(StatsError):
    """The setting PERSON_FIGURES withholds a person's figures: everybody's, or those of persons with few clicks."""

    code = "person_figures_off"

    def __init__(self, least: float) -> None:
        if math.isinf(least):
            text = "This server does not show clicks by person."
        else:
            text = (
                f"This server does not show this person's figures: those of persons with fewer than {least} clicks in "
                "the period are withheld, and if that is only one person, also the next smallest figure."
            )
        super().__init__(text)


class SingleClicksOff(PersonFiguresOff):
    """Users of single clicks are not shown, because the clicks could be added up to a person's figures."""

    def __init__(self) -> None:
        Exception.__init__(
            self, "This server does not show which person a single click belongs to; leave userPublicId out."
        )


class NotFound(StatsError):
    """Nothing in the key's workspace has that id."""

    code = "not_found"

    def __init__(self, kind: str, public_id: str) -> None:
        super().__init__(f"No {kind} with the id {shown(public_id)} in this workspace.")


class PayloadTooLarge(StatsError):
    """The body, or the list in it, is longer than allowed."""

    code = "payload_too_large"


class UnsupportedMediaType(StatsError):
    """By its headers, the body is not uncompressed JSON in UTF-8."""

    code = "unsupported_media_type"


class RateLimited(StatsError):
    """Too many calls. `retry_after` is in whole seconds, at least 1."""

    code = "rate_limited"

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self.retry_after = allowance.reset
        super().__init__(
            f"More than {allowance.limit} calls in {allowance.window} seconds to {allowance.name}; "
            f"the next one is allowed in {allowance.reset} s."
        )


class UnknownZone(StatsError):
    """This machine does not know the time zone of the workspace. Nothing was changed, so the call can be repeated."""

    code = "unavailable"

    def __init__(self, name: str) -> None:
        self.name = name
        self.sentence = (
            f"This server does not know the time zone {shown(name)} of the workspace: choose another one, or update "
            "the package tzdata."
        )
        super().__init__(f"{self.sentence} Nothing was changed: send the same request again afterwards.")


class Refused(StatsError):
    """An act that would make data wrong, such as recounting days whose clicks have been deleted."""

    code = "refused"
