"""Parsing the objects in a request's body, and their declarations for the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from rest_framework import serializers
from rest_framework.parsers import BaseParser

from stats_app import bodies, public_ids
from stats_app.answers import EmailText, TimeText
from stats_app.bodies import Repeated, wrong_body
from stats_app.click_fields import FIELDS
from stats_app.dimensions import HUMAN, KINDS, VERDICTS
from stats_app.directory import NewCampaign, NewUser, fields_of
from stats_app.errors import FieldError, InvalidParameters, PayloadTooLarge, printable, shown
from stats_app.ingest import ClickInput, Rejection
from stats_app.links import LinkInput
from stats_app.models.clicks import REASON_LENGTH
from stats_app.parameters import unknown_parameter
from stats_app.targets import LENGTH_RULE
from stats_app.targets import MAX_LENGTH as TARGET_LENGTH

Item = TypeVar("Item")

MAX_BODY_BYTES = 5 * 1024 * 1024

# The types of values that are neither objects nor lists.
_PLAIN = frozenset({str, int, float, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Batch:
    """The allowed form of a body: one object, or a list of at most `limit` of them, such as `{"clicks": [...]}`.

    `fields` maps the JSON names of an object's keys to their names in Python.
    """

    one: str
    many: str
    limit: int
    fields: Mapping[str, str]
    example: Mapping[str, object]

    @property
    def form(self) -> str:
        return f'one {self.one} as an object, or {{"{self.many}": [...]}}'

    def items_of(self, body: object, make: Callable[[dict[str, Any]], Item]) -> list[Item | FieldError]:
        """Passes each object of the body to `make`, and returns the results, with an error in place of a wrong object.

        Raises InvalidParameters for a body of another form, and PayloadTooLarge.
        """
        if not isinstance(body, dict):
            raise wrong_body(f"body must be {self.form}.")
        return [self._wrong(item) or make(item) for item in self._objects(body)]

    def json_name(self, name: str) -> str:
        """The JSON name of a field whose name in Python is `name`."""
        return next((key for key, inside in self.fields.items() if inside == name), name)

    def as_sent(self, wrong: Rejection, items: Sequence[object]) -> dict[str, object]:
        """A rejection as the answer contains it, with the field's JSON name. Errors from parsing already have that
        name."""
        error = wrong.error
        if not isinstance(items[wrong.index], FieldError):
            error = error.renamed(self.json_name(error.field))
        return {"index": wrong.index, **error.as_dict()}

    def _objects(self, body: dict[str, Any]) -> list[Any]:
        if self.many not in body:
            return [body]
        items = body[self.many]
        errors = [unknown_parameter(name, [self.many]) for name in body if name != self.many]
        if isinstance(items, Repeated):
            errors.append(items.error(self.many))
        elif not isinstance(items, list):
            errors.append(FieldError(self.many, "invalid", f"{self.many} must be a list, not {shown(items)}."))
        if errors:
            raise InvalidParameters(errors)
        if len(items) > self.limit:
            raise PayloadTooLarge(f"{self.many} has {len(items)} items; send at most {self.limit} at once.")
        return list(items)

    def _wrong(self, item: object) -> FieldError | None:
        """The first error in the structure of an item. Its values are validated later."""
        if not isinstance(item, dict):
            return FieldError(self.one, "invalid", f"{self.one} must be an object, not {shown(item)}.")
        if not {*map(type, item.values())} <= _PLAIN:
            for error in bodies.repeated_keys(item):
                return error
        if item.keys() <= self.fields.keys():
            return None
        unknown = printable(next(name for name in item if name not in self.fields))
        message = f"{unknown} is not a field of a {self.one}; the fields are {', '.join(self.fields)}."
        return FieldError(unknown, "unknown", message)


CLICKS = Batch(
    "click",
    "clicks",
    10_000,
    FIELDS,
    example={"kind": "other"},
)
MAX_DIRECTORY_ITEMS = 1_000
USERS = Batch(
    "user",
    "users",
    MAX_DIRECTORY_ITEMS,
    {name: name for name in fields_of(NewUser)},
    example={"email": "ada@example.com"},
)
CAMPAIGNS = Batch(
    "campaign",
    "campaigns",
    MAX_DIRECTORY_ITEMS,
    {name: name for name in fields_of(NewCampaign)},
    example={"name": "Spring launch", "targetUrl": "https://www.example.com/"},
)


def click_of(item: dict[str, Any]) -> ClickInput:
    """The argument for `record_clicks`. A null means that the field is not given."""
    click_id, kind, campaign, user, alias, clicked_at, verdict, reason = map(item.get, CLICKS.fields)
    return ClickInput(
        kind,
        click_id,
        campaign,
        user,
        alias,
        clicked_at=clicked_at,
        verdict=HUMAN if verdict is None else verdict,
        reason="" if reason is None else reason,
    )


LINKS = Batch(
    "link",
    "links",
    1_000,
    {
        "kind": "kind",
        "targetUrl": "target_url",
        "campaignPublicId": "campaign",
        "userPublicId": "user",
        "alias": "alias",
    },
    example={"kind": "vcard", "targetUrl": "https://www.example.com/ada.vcf"},
)


def link_of(item: dict[str, Any]) -> LinkInput:
    """The argument for `create_links`. A null means that the field is not given."""
    return LinkInput(**{inside: item.get(name) for name, inside in LINKS.fields.items()})


def _optional_id(prefix: str, meaning: str) -> serializers.RegexField:
    pattern = public_ids.pattern(prefix)
    return serializers.RegexField(pattern, required=False, allow_null=True, help_text=meaning)


class NewClick(serializers.Serializer[Any]):
    """A click to record. A null means that the field is not given."""

    id = serializers.RegexField(
        f"^{public_ids.ULID_PATTERN_OF_EITHER_CASE}$",
        required=False,
        allow_null=True,
        help_text="A ULID, made where the click happened. A click with a stored id is a duplicate and changes nothing; "
        "a click without an id is counted each time it is sent.",
    )
    kind = serializers.ChoiceField(list(KINDS), help_text="What was clicked.")
    campaignPublicId = _optional_id(
        public_ids.CAMPAIGN, "The campaign: required for the kind campaign, not allowed for the others."
    )
    userPublicId = _optional_id(public_ids.USER, "Whose signature it was; by default the user of the alias.")
    alias = EmailText(required=False, allow_null=True, help_text="The alias that the signature was sent from.")
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

    clicks = serializers.ListField(child=NewClick(), max_length=CLICKS.limit)


class NewUsers(serializers.Serializer[Any]):
    """Many users at once."""

    users = serializers.ListField(child=NewUser(), max_length=USERS.limit)


class NewCampaigns(serializers.Serializer[Any]):
    """Many campaigns at once."""

    campaigns = serializers.ListField(child=NewCampaign(), max_length=CAMPAIGNS.limit)


class NewLink(serializers.Serializer[Any]):
    """A link to make. A null means that the field is not given."""

    kind = serializers.ChoiceField(list(KINDS), help_text="The kind of click that following the link counts as.")
    targetUrl = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=TARGET_LENGTH,
        help_text="Where it leads: an http or https address. A campaign link without one leads to the campaign's "
        f"current target; the other kinds need one. It {LENGTH_RULE}.",
    )
    campaignPublicId = _optional_id(
        public_ids.CAMPAIGN, "The campaign: required for the kind campaign, not allowed for the others."
    )
    userPublicId = _optional_id(public_ids.USER, "Whose signature it is for; by default the user of the alias.")
    alias = EmailText(required=False, allow_null=True, help_text="The alias that the signature is sent from.")


class NewLinks(serializers.Serializer[Any]):
    """Many links at once."""

    links = serializers.ListField(child=NewLink(), max_length=LINKS.limit)


class JsonParser(BaseParser):
    """Parses the JSON body of a view with a `Batch`. `stats_app.bodies` says what is refused."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        view = parser_context["view"]  # type: ignore[index]  # DRF always passes the context
        body = bodies.read(view.request._request, MAX_BODY_BYTES)
        if not body:
            batch: Batch = view.batch
            example = json.dumps(batch.example)
            raise wrong_body(f"body is required: {batch.form}, such as {example}.", "required")
        return bodies.parse(body)
