"""Clicks in a request's body: how they are read, and their declaration for the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework import serializers
from rest_framework.parsers import BaseParser

from stats_app import public_ids
from stats_app.answers import TimeText
from stats_app.api.problems import PayloadTooLarge, UnsupportedMediaType
from stats_app.click_fields import FIELDS
from stats_app.dimensions import KINDS, VERDICTS
from stats_app.errors import FieldError, InvalidParameters, printable, shown
from stats_app.ingest import ClickInput
from stats_app.models.clicks import REASON_LENGTH
from stats_app.parameters import unknown_parameter

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_ITEMS = 10_000


class NewClick(serializers.Serializer[Any]):
    """A click as it is sent in. Null stands for not given."""

    id = serializers.RegexField(
        f"^{public_ids.ULID_PATTERN_OF_EITHER_CASE}$",
        required=False,
        allow_null=True,
        help_text="A ULID made where the click happened. The same id again is a duplicate and changes nothing; "
        "without one, each call counts anew.",
    )
    kind = serializers.ChoiceField(list(KINDS), help_text="What was clicked.")
    campaignPublicId = serializers.RegexField(
        public_ids.pattern(public_ids.CAMPAIGN),
        required=False,
        allow_null=True,
        help_text="The campaign: required for the kind campaign, not allowed for the others.",
    )
    userPublicId = serializers.RegexField(
        public_ids.pattern(public_ids.USER),
        required=False,
        allow_null=True,
        help_text="Whose signature it was; by default the user of the alias.",
    )
    alias = serializers.EmailField(
        required=False, allow_null=True, help_text="The alias that the signature was sent from."
    )
    clickedAt = TimeText(
        required=False,
        allow_null=True,
        help_text="RFC 3339 with an offset, at most 5 minutes in the future; by default now.",
    )
    verdict = serializers.ChoiceField(
        list(VERDICTS), required=False, allow_null=True, help_text="Who clicked; by default human."
    )
    reason = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=REASON_LENGTH,
        help_text="Why it is not human; not allowed for human.",
    )


class NewClicks(serializers.Serializer[Any]):
    """Many clicks at once."""

    clicks = serializers.ListField(child=NewClick(), max_length=MAX_ITEMS)


class JsonParser(BaseParser):
    """A body of JSON in UTF-8, up to a bound of our own.

    DRF's parser reads `request.body`, which the host's DATA_UPLOAD_MAX_MEMORY_SIZE cuts with an HTML page.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        _check_content_type(parser_context["request"].headers.get("Content-Type", ""))  # type: ignore[index]  # DRF gives it
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"The body has more than {MAX_BODY_BYTES} bytes; send it in parts.")
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise wrong_body(f"body is not UTF-8: byte {error.start}.") from error
        except json.JSONDecodeError as error:
            raise wrong_body(f"body is not JSON: {error.msg}, line {error.lineno} column {error.colno}.") from error
        except RecursionError as error:
            raise wrong_body("body is nested too deeply.") from error
        except ValueError as error:  # a number of thousands of digits
            raise wrong_body("body has a number that is too long.") from error


def clicks_of(body: object) -> list[ClickInput | FieldError]:
    """The items of a body: one object, or `{"clicks": [...]}`. Each may still be wrong; what it is, ingest says."""
    if not isinstance(body, dict):
        raise wrong_body('body is one click as an object, or {"clicks": [...]}.')
    if "clicks" not in body:
        return [_click_of(body)]
    unknown = [unknown_parameter(name, ["clicks"]) for name in body if name != "clicks"]
    if unknown:
        raise InvalidParameters(unknown)
    items = body["clicks"]
    if not isinstance(items, list):
        raise InvalidParameters([FieldError("clicks", "invalid", f"clicks is a list, not {shown(items)}.")])
    if len(items) > MAX_ITEMS:
        raise PayloadTooLarge(f"clicks has {len(items)} items; send at most {MAX_ITEMS} at once.")
    return [_click_of(item) for item in items]


def _click_of(item: object) -> ClickInput | FieldError:
    if not isinstance(item, dict):
        return FieldError("click", "invalid", f"click is an object, not {shown(item)}.")
    for name in item:
        if name not in FIELDS:
            message = f"{printable(name)} is not a field of a click; there are {', '.join(FIELDS)}."
            return FieldError(printable(name), "unknown", message)
    values = {FIELDS[name]: value for name, value in item.items() if value is not None}
    return ClickInput(values.pop("kind", None), **values)


def _check_content_type(content_type: str) -> None:
    media_type, _, rest = content_type.partition(";")
    charset = dict(part.strip().lower().partition("=")[::2] for part in rest.split(";") if part).get("charset", "utf-8")
    if media_type.strip().lower() != "application/json" or charset.strip('"') not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(f"Content-Type is application/json in UTF-8, not {shown(content_type)}.")


def _refuse_constant(name: str) -> NoReturn:
    raise wrong_body(f"body is not JSON: {name} is no JSON number.")


def wrong_body(message: str) -> InvalidParameters:
    """The error of a body that cannot be read as clicks; the message begins with "body"."""
    return InvalidParameters([FieldError("body", "invalid", message)])
