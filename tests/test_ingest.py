"""`record_clicks`: what it stores, what it refuses and with which code, and that nothing is half-written."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from ulid import ULID

from stats_app import locks, public_ids, store
from stats_app.dimensions import KINDS, VERDICTS
from stats_app.errors import FieldError
from stats_app.ingest import ClickInput, IngestResult, Rejection, record_clicks
from stats_app.models import Alias, Campaign, Click, Rollup, TrackedLink, Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.rollups import check
from stats_app.sql.clicks import FEW_CLICKS, ClickRow
from stats_app.verdict_changes import VerdictChange, change_verdicts
from tests.conftest import CITUS
from tests.counts import stored_counts
from tests.factories import make_alias, make_campaign, make_user, make_workspace, store_rows
from tests.sqlite_steps import steps_of_sqlite

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
TEXT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def stranger() -> Workspace:
    return make_workspace(name="Globex")


def make_link(workspace: Workspace, **values: Any) -> TrackedLink:
    token = f"token{TrackedLink.objects.count()}"
    defaults = {"kind": "other", "target_url": "https://www.example.com/", "token": token, "fingerprint": token}
    return TrackedLink.objects.create(workspace=workspace, **defaults | values)


def record(workspace: Workspace, *clicks: ClickInput | FieldError, now: datetime = NOW) -> IngestResult:
    return record_clicks(workspace, clicks, now=now)


def stored(workspace: Workspace) -> list[tuple[Any, ...]]:
    """All clicks of the workspace, whole."""
    return [
        (
            click.kind,
            click.clicked_at,
            click.utc_day,
            click.campaign_id,
            click.user_id,
            click.alias_id,
            click.link_id,
            click.verdict,
            click.reason,
            click.visitor,
        )
        for click in Click.objects.filter(workspace=workspace).order_by("clicked_at", "id")
    ]


def rejection(workspace: Workspace, click: ClickInput | FieldError, now: datetime = NOW) -> tuple[str, str, str]:
    """The error of a single refused click. Nothing may be stored."""
    result = record(workspace, click, now=now)
    assert (result.accepted, result.duplicates, len(result.rejected)) == (0, 0, 1)
    assert (stored(workspace), stored_counts(workspace)) == ([], {})
    [rejection] = result.rejected
    assert rejection.index == 0
    return rejection.field, rejection.code, rejection.message


def test_it_stores_a_click_and_counts_it(workspace: Workspace) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias, link = make_alias(user), make_link(workspace)
    clicked_at = datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    click = ClickInput("campaign", TEXT, campaign, user, alias, link, clicked_at, "human", "")
    assert record(workspace, click) == IngestResult(1, 0, [])
    assert stored(workspace) == [
        ("campaign", clicked_at, date(2026, 3, 1), campaign.pk, user.pk, alias.pk, link.pk, "human", "", None)
    ]
    assert str(Click.objects.get().id) == TEXT
    assert stored_counts(workspace) == {
        ("workspace", 0, "2026-03-01"): (1, 0, 0),
        ("campaign", campaign.pk, "2026-03-01"): (1, 0, 0),
        ("campaign by year", campaign.pk, "2026-01-01"): (1, 0, 0),
        ("user", user.pk, "2026-03-01"): (1, 0, 0),
        ("user by year", user.pk, "2026-01-01"): (1, 0, 0),
    }


def test_it_counts_by_the_local_day(stranger: Workspace) -> None:
    workspace = make_workspace(timezone="Asia/Kathmandu")
    clicked_at = datetime(2026, 2, 28, 18, 15, tzinfo=UTC)
    record(
        workspace, ClickInput("vcard", clicked_at=clicked_at), ClickInput("other", clicked_at=clicked_at - MICROSECOND)
    )
    assert stored_counts(workspace) == {
        ("workspace", 0, "2026-03-01"): (0, 1, 0),
        ("workspace", 0, "2026-02-28"): (0, 0, 1),
    }
    assert [row[2] for row in stored(workspace)] == [date(2026, 2, 28), date(2026, 2, 28)]
    assert stored_counts(stranger) == {}


def test_instances_and_names_are_the_same(workspace: Workspace) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias, link = make_alias(user), make_link(workspace)
    by_instance = ClickInput("campaign", None, campaign, user, alias, link, NOW)
    by_name = ClickInput("campaign", None, campaign.public_id, user.public_id, alias.email, link.token, NOW)
    assert record(workspace, by_instance, by_name) == IngestResult(2, 0, [])
    assert len(set(stored(workspace))) == 1


def test_an_alias_sets_the_user(workspace: Workspace) -> None:
    user = make_user(workspace)
    alias = make_alias(user, email="Ada.L@Example.com")
    record(workspace, ClickInput("vcard", alias="aDA.l@eXAMPLE.COM"), ClickInput("vcard", alias=alias))
    assert [row[4:6] for row in stored(workspace)] == [(user.pk, alias.pk)] * 2
    assert stored_counts(workspace)[("user", user.pk, "2026-03-28")] == (0, 2, 0)


def test_an_alias_is_found_as_it_is_spelt_whatever_its_letters(workspace: Workspace) -> None:
    alias = make_alias(make_user(workspace), email="ada@ÉCOLE.example")
    assert record(workspace, ClickInput("vcard", alias="ADA@ÉCOLE.example")) == IngestResult(1, 0, [])
    assert stored(workspace)[0][5] == alias.pk


def test_an_alias_that_moved_sets_its_user_of_today(workspace: Workspace) -> None:
    stale = make_alias(make_user(workspace))
    user = make_user(workspace)
    Alias.objects.filter(pk=stale.pk).update(user=user)
    record(workspace, ClickInput("vcard", alias=stale))
    assert stored(workspace)[0][4] == user.pk


def test_paused_campaigns_and_inactive_users_count(workspace: Workspace) -> None:
    campaign, user = make_campaign(workspace, is_paused=True), make_user(workspace, is_active=False)
    assert record(workspace, ClickInput("campaign", campaign=campaign, user=user)) == IngestResult(1, 0, [])


@pytest.mark.parametrize(
    "spelt",
    [TEXT, TEXT.lower(), TEXT.title(), ULID.from_str(TEXT), ULID.from_str(TEXT).to_uuid(), ULID.from_str(TEXT).bytes],
)
def test_an_id_is_the_same_in_every_spelling(workspace: Workspace, spelt: object) -> None:
    assert record(workspace, ClickInput("vcard", TEXT)) == IngestResult(1, 0, [])
    assert record(workspace, ClickInput("vcard", spelt)) == IngestResult(0, 1, [])
    assert [str(click.id) for click in Click.objects.all()] == [TEXT]
    assert stored_counts(workspace) == {("workspace", 0, "2026-03-28"): (0, 1, 0)}


@pytest.mark.parametrize("text", ["0" * 26, "7" + "Z" * 25])
def test_the_least_and_the_greatest_id_are_ids(workspace: Workspace, text: str) -> None:
    assert record(workspace, ClickInput("vcard", text), ClickInput("vcard", text)) == IngestResult(1, 1, [])
    assert str(Click.objects.get(id=text).id) == text


def test_a_repeat_in_one_batch_counts_once(workspace: Workspace) -> None:
    first, other = ClickInput("vcard", TEXT, clicked_at=NOW), ClickInput("other", TEXT.lower(), clicked_at=NOW)
    assert record(workspace, first, other, first) == IngestResult(1, 2, [])
    assert stored_counts(workspace) == {("workspace", 0, "2026-03-28"): (0, 1, 0)}


def test_a_repeat_after_a_wrong_item_is_the_first(workspace: Workspace) -> None:
    result = record(workspace, ClickInput("mail", TEXT), ClickInput("vcard", TEXT))
    assert (result.accepted, result.duplicates, [wrong.index for wrong in result.rejected]) == (1, 0, [0])


def test_a_repeat_changes_nothing(workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    record(workspace, ClickInput("vcard", TEXT, clicked_at=NOW))
    before = stored(workspace), stored_counts(workspace)
    changed = ClickInput("campaign", TEXT, campaign, clicked_at=NOW - timedelta(days=1), verdict="bot", reason="x")
    assert record(workspace, changed) == IngestResult(0, 1, [])
    assert (stored(workspace), stored_counts(workspace)) == before


def test_a_batch_that_is_partly_there_counts_the_rest(workspace: Workspace) -> None:
    clicks = [ClickInput("vcard", str(ULID()), clicked_at=NOW) for _ in range(40)]
    assert record(workspace, *clicks[10:30]) == IngestResult(20, 0, [])
    assert record(workspace, *reversed(clicks)) == IngestResult(20, 20, [])
    assert record(workspace, *clicks) == IngestResult(0, 40, [])
    assert stored_counts(workspace) == {("workspace", 0, "2026-03-28"): (0, 40, 0)}


def test_the_same_id_in_two_workspaces_is_two_clicks(workspace: Workspace, stranger: Workspace) -> None:
    assert record(workspace, ClickInput("vcard", TEXT)) == IngestResult(1, 0, [])
    assert record(stranger, ClickInput("vcard", TEXT)) == IngestResult(1, 0, [])
    assert stored_counts(workspace) == stored_counts(stranger) == {("workspace", 0, "2026-03-28"): (0, 1, 0)}


def test_without_an_id_a_repeat_counts_again(workspace: Workspace) -> None:
    click = ClickInput("vcard", clicked_at=NOW)
    assert record(workspace, click, click) == IngestResult(2, 0, [])
    assert record(workspace, click) == IngestResult(1, 0, [])
    assert stored_counts(workspace) == {("workspace", 0, "2026-03-28"): (0, 3, 0)}


def test_without_a_time_it_is_now(workspace: Workspace) -> None:
    record(workspace, ClickInput("vcard"))
    assert stored(workspace)[0][1] == NOW
    earliest = datetime.now(UTC)
    record_clicks(workspace, [ClickInput("other", TEXT)])
    assert earliest <= Click.objects.get(id=TEXT).clicked_at <= datetime.now(UTC)


def test_an_empty_batch_is_fine(workspace: Workspace) -> None:
    assert record(workspace) == IngestResult(0, 0, [])


def test_it_takes_a_generator(workspace: Workspace) -> None:
    assert record_clicks(workspace, (ClickInput("vcard") for _ in range(3)), now=NOW) == IngestResult(3, 0, [])


def test_a_workspace_that_is_not_there_is_an_error() -> None:
    gone = make_workspace()
    Workspace.objects.filter(pk=gone.pk).delete()
    with pytest.raises(LookupError):
        record(gone, ClickInput("vcard"))


@pytest.mark.parametrize("verdict", ["suspected", "bot"])
def test_only_people_are_counted(workspace: Workspace, verdict: str) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    record(workspace, ClickInput("campaign", None, campaign, user, clicked_at=NOW, verdict=verdict, reason="burst"))
    assert [row[7:9] for row in stored(workspace)] == [(verdict, "burst")]
    assert stored_counts(workspace) == {
        ("reason", f"{verdict} burst", "2026-03-28"): (1, 0, 0),
        ("reason of campaign", f"{campaign.pk} {verdict} burst", "2026-03-28"): (1, 0, 0),
        ("reason of user", f"{user.pk} {verdict} burst", "2026-03-28"): (1, 0, 0),
    }


@pytest.mark.parametrize("value", ["mail", "Campaign", "CAMPAIGN", " vcard", "", 0, 1, True, ["vcard"], {}, b"vcard"])
def test_an_unknown_kind_is_invalid(workspace: Workspace, value: object) -> None:
    field, code, message = rejection(workspace, ClickInput(value))
    assert (field, code) == ("kind", "invalid")
    assert message.startswith("kind must be one of campaign, vcard, other, not ")


def test_a_kind_is_required(workspace: Workspace) -> None:
    expected = ("kind", "required", "kind is required: one of campaign, vcard, other.")
    assert rejection(workspace, ClickInput(None)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        TEXT[:-1],
        TEXT + "0",
        "8" + TEXT[1:],
        TEXT[:-1] + "I",
        TEXT[:-1] + "u",
        TEXT[:-1] + "_",
        TEXT + "\n",
        "\0" * 26,
        "\ud800" * 26,
        "٠" * 26,
        str(uuid.UUID(int=5)),
        5,
        0,
        False,
        b"short",
        b"x" * 17,
        [TEXT],
        {},
    ],
)
def test_an_id_is_a_ulid(workspace: Workspace, value: object) -> None:
    field, code, message = rejection(workspace, ClickInput("vcard", value))
    assert (field, code) == ("id", "invalid")
    assert message.startswith("id must be a ULID of 26 characters, not ")


def test_a_campaign_click_needs_a_campaign(workspace: Workspace) -> None:
    expected = (
        "campaign",
        "required",
        "campaign is required for a click of the kind campaign: cp_ and 26 characters of a lowercase ULID, such as "
        "cp_01jzk3f8q2v6x9w4r7t5n0m1ab.",
    )
    assert rejection(workspace, ClickInput("campaign")) == expected


@pytest.mark.parametrize("kind", ["vcard", "other"])
def test_no_other_click_has_a_campaign(workspace: Workspace, kind: str) -> None:
    expected = "campaign is not allowed: only a click of the kind campaign has one."
    assert rejection(workspace, ClickInput(kind, campaign=make_campaign(workspace))) == (
        "campaign",
        "not_allowed",
        expected,
    )


MALFORMED: list[Any] = ["", "x", "\0", "\ud800", "cp_" + "8" * 26, 5, 0, False, b"x", [], {}, object()]


@pytest.mark.parametrize("value", [*MALFORMED, "usr_" + "0" * 26, "CP_" + "0" * 26])
def test_a_malformed_campaign_is_invalid(workspace: Workspace, value: object) -> None:
    field, code, message = rejection(workspace, ClickInput("campaign", campaign=value))
    assert (field, code) == ("campaign", "invalid")
    assert message.startswith("campaign must be cp_ and 26 characters of a lowercase ULID, not ")


@pytest.mark.parametrize("value", [*MALFORMED, "cp_" + "0" * 26, "0" * 26])
def test_a_malformed_user_is_invalid(workspace: Workspace, value: object) -> None:
    assert rejection(workspace, ClickInput("vcard", user=value))[:2] == ("user", "invalid")


@pytest.mark.parametrize("value", [*MALFORMED, "nobody", "a@b", "a b@example.com"])
def test_a_malformed_alias_is_invalid(workspace: Workspace, value: object) -> None:
    assert rejection(workspace, ClickInput("vcard", alias=value))[:2] == ("alias", "invalid")


@pytest.mark.parametrize("value", [5, 0, False, b"x", [], {}, object()])
def test_a_malformed_link_is_invalid(workspace: Workspace, value: object) -> None:
    assert rejection(workspace, ClickInput("vcard", link=value))[:2] == ("link", "invalid")


@pytest.mark.parametrize("value", ["", "nothing", "\0", "\ud800"])
def test_an_unknown_link_is_not_found(workspace: Workspace, value: str) -> None:
    assert rejection(workspace, ClickInput("vcard", link=value))[:2] == ("link", "not_found")


def test_what_is_nowhere_is_not_found(workspace: Workspace) -> None:
    campaign, user = public_ids.new_campaign_id(), public_ids.new_user_id()
    clicks = {
        "campaign": ClickInput("campaign", campaign=campaign),
        "user": ClickInput("vcard", user=user),
        "alias": ClickInput("vcard", alias="nobody@example.com"),
        "link": ClickInput("vcard", link="nothing"),
    }
    names = {"campaign": campaign, "user": user, "alias": "nobody@example.com", "link": "nothing"}
    for field, click in clicks.items():
        expected = (field, "not_found", f'{field} "{names[field]}" is not in this workspace.')
        assert rejection(workspace, click) == expected


def test_what_is_of_another_workspace_is_not_found_either(workspace: Workspace, stranger: Workspace) -> None:
    campaign, user = make_campaign(stranger), make_user(stranger)
    alias, link = make_alias(user), make_link(stranger)
    for field, click, name in [
        ("campaign", ClickInput("campaign", campaign=campaign), campaign.public_id),
        ("campaign", ClickInput("campaign", campaign=campaign.public_id), campaign.public_id),
        ("user", ClickInput("vcard", user=user), user.public_id),
        ("user", ClickInput("vcard", user=user.public_id), user.public_id),
        ("alias", ClickInput("vcard", alias=alias), alias.email),
        ("alias", ClickInput("vcard", alias=alias.email), alias.email),
        ("link", ClickInput("vcard", link=link), link.token),
        ("link", ClickInput("vcard", link=link.token), link.token),
    ]:
        expected = (field, "not_found", f'{field} "{name}" is not in this workspace.')
        assert rejection(workspace, click) == expected


def test_an_instance_that_was_never_saved_or_is_gone_is_not_found(workspace: Workspace) -> None:
    gone = make_campaign(workspace)
    Campaign.objects.filter(pk=gone.pk).delete()
    unsaved = Campaign(workspace=workspace, name="New")
    for click in (
        ClickInput("campaign", campaign=gone),
        ClickInput("campaign", campaign=unsaved),
        ClickInput("vcard", user=WorkspaceUser(workspace=workspace)),
        ClickInput("vcard", alias=Alias(workspace=workspace, email="new@example.com")),
        ClickInput("vcard", link=TrackedLink(workspace=workspace, token="new")),
    ):
        assert rejection(workspace, click)[1] == "not_found"


def test_an_instance_of_another_model_is_invalid(workspace: Workspace) -> None:
    assert rejection(workspace, ClickInput("campaign", campaign=make_user(workspace)))[:2] == ("campaign", "invalid")
    assert rejection(workspace, ClickInput("vcard", user=make_campaign(workspace)))[:2] == ("user", "invalid")


def test_an_alias_must_be_the_users(workspace: Workspace) -> None:
    alias, other = make_alias(make_user(workspace)), make_user(workspace)
    expected = ("alias", "invalid", f'alias "{alias.email}" does not belong to the user.')
    assert rejection(workspace, ClickInput("vcard", user=other, alias=alias)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026-03-01",
        "2026-03-01T09:30:00",
        "2026-03-01 09:30:00Z",
        "2026-02-29T09:30:00Z",
        "2026-03-01T09:30:00+05:99",
        "2026-03-01T09:30:00\0Z",
        "\ud800",
        "yesterday",
        1_772_357_400,
        0,
        False,
        date(2026, 3, 1),
        datetime(2026, 3, 1, 9, 30),  # noqa: DTZ001  # a time without a zone is what is refused
        [],
    ],
)
def test_a_malformed_time_is_invalid(workspace: Workspace, value: object) -> None:
    field, code, message = rejection(workspace, ClickInput("vcard", clicked_at=value))
    assert (field, code) == ("clicked_at", "invalid")
    assert message.startswith("clicked_at must be an RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z, not ")


def test_a_time_may_be_text_in_any_offset(workspace: Workspace) -> None:
    record(workspace, ClickInput("vcard", clicked_at="2026-03-01T02:30:00.25+05:45"))
    assert [row[1:3] for row in stored(workspace)] == [
        (datetime(2026, 2, 28, 20, 45, 0, 250_000, tzinfo=UTC), date(2026, 2, 28))
    ]
    assert stored_counts(workspace) == {("workspace", 0, "2026-02-28"): (0, 1, 0)}


def test_five_minutes_in_the_future_are_tolerated_and_no_more(workspace: Workspace) -> None:
    edge = NOW + timedelta(minutes=5)
    assert rejection(workspace, ClickInput("vcard", clicked_at=edge + MICROSECOND)) == (
        "clicked_at",
        "future",
        f'clicked_at "{edge + MICROSECOND}" is more than 5 minutes in the future.',
    )
    assert record(workspace, ClickInput("vcard", clicked_at=edge)) == IngestResult(1, 0, [])


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z", "2100-01-01T00:00:00Z"])
def test_the_far_future_is_the_future(workspace: Workspace, text: str) -> None:
    assert rejection(workspace, ClickInput("vcard", clicked_at=text))[:2] == ("clicked_at", "future")


LATE = datetime(2100, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "1999-12-31T23:59:59.999999Z"),
        ("UTC", "2100-01-01T00:00:00Z"),
        ("UTC", "2000-01-01T00:00:00+00:01"),
        ("UTC", "0001-01-01T00:00:00+23:59"),
        ("America/New_York", "2000-01-01T04:59:59Z"),
        ("Pacific/Kiritimati", "2099-12-31T10:00:00Z"),
        # In range by the local day, but not by the time in UTC.
        ("Pacific/Kiritimati", "1999-12-31T23:59:59Z"),
        ("America/New_York", "2100-01-01T00:00:00Z"),
    ],
)
def test_a_time_out_of_range_is_refused(zone: str, text: str) -> None:
    field, code, message = rejection(make_workspace(timezone=zone), ClickInput("vcard", clicked_at=text), now=LATE)
    assert (field, code) == ("clicked_at", "out_of_range")
    assert message == f'clicked_at "{text}" is not between 2000-01-01 and 2099-12-31.'


@pytest.mark.parametrize(
    ("zone", "text", "day"),
    [
        ("UTC", "2000-01-01T00:00:00Z", "2000-01-01"),
        ("UTC", "2099-12-31T23:59:59.999999Z", "2099-12-31"),
        ("America/New_York", "2000-01-01T05:00:00Z", "2000-01-01"),
        ("Pacific/Kiritimati", "2099-12-31T09:59:59Z", "2099-12-31"),
        ("Pacific/Kiritimati", "2000-01-01T00:00:00Z", "2000-01-01"),
    ],
)
def test_a_time_at_the_edge_of_the_range_is_counted(zone: str, text: str, day: str) -> None:
    workspace = make_workspace(timezone=zone)
    assert record(workspace, ClickInput("vcard", clicked_at=text), now=LATE) == IngestResult(1, 0, [])
    assert stored_counts(workspace) == {("workspace", 0, day): (0, 1, 0)}
    assert list(check(workspace)) == []


def test_a_click_of_a_pruned_day_is_refused() -> None:
    workspace = make_workspace(timezone="America/New_York", clicks_kept_from=date(2026, 3, 1))
    midnight = datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert rejection(workspace, ClickInput("vcard", clicked_at=midnight - MICROSECOND)) == (
        "clicked_at",
        "pruned",
        f'clicked_at "{midnight - MICROSECOND}" is before 2026-03-01, the first day whose raw clicks are kept.',
    )
    assert record(workspace, ClickInput("vcard", clicked_at=midnight)) == IngestResult(1, 0, [])


def test_pruned_days_are_read_under_the_lock(workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(clicks_kept_from=date(2026, 3, 1), timezone="Asia/Tokyo")
    assert rejection(workspace, ClickInput("vcard", clicked_at="2026-02-28T14:59:59Z"))[1] == "pruned"
    assert record(workspace, ClickInput("vcard", clicked_at="2026-02-28T15:00:00Z")).accepted == 1
    assert stored_counts(workspace) == {("workspace", 0, "2026-03-01"): (0, 1, 0)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"verdict": None}, ("verdict", "required", "verdict is required: one of human, suspected, bot.")),
        ({"verdict": "Bot"}, ("verdict", "invalid", 'verdict must be one of human, suspected, bot, not "Bot".')),
        ({"verdict": 2}, ("verdict", "invalid", "verdict must be one of human, suspected, bot, not 2.")),
        ({"verdict": []}, ("verdict", "invalid", "verdict must be one of human, suspected, bot, not [].")),
        (
            {"verdict": "bot", "reason": None},
            ("reason", "invalid", "reason must be text without control characters, not null."),
        ),
        (
            {"verdict": "bot", "reason": "a\0b"},
            ("reason", "invalid", 'reason must be text without control characters, not "a\\u0000b".'),
        ),
        (
            {"verdict": "bot", "reason": "\ud800"},
            ("reason", "invalid", 'reason must be text without control characters, not "\\ud800".'),
        ),
        (
            {"verdict": "bot", "reason": "x" * 41},
            ("reason", "too_long", "reason must have at most 40 characters, not 41."),
        ),
        ({"reason": "burst"}, ("reason", "not_allowed", "reason is not allowed for a human click.")),
    ],
)
def test_verdict_and_reason_are_judged(
    workspace: Workspace, values: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert rejection(workspace, ClickInput("vcard", **values)) == expected


def test_a_reason_may_have_forty_characters(workspace: Workspace) -> None:
    record(workspace, ClickInput("vcard", verdict="bot", reason="é" * 40))
    assert stored(workspace)[0][8] == "é" * 40


def test_the_first_wrong_field_is_named(workspace: Workspace) -> None:
    wrong = {
        "kind": "mail",
        "id": "x",
        "campaign": "x",
        "user": "x",
        "alias": "x",
        "link": 5,
        "clicked_at": "x",
        "verdict": "x",
        "reason": 5,
    }
    right = {
        "kind": "campaign",
        "id": TEXT,
        "campaign": make_campaign(workspace),
        "user": None,
        "alias": None,
        "link": None,
        "clicked_at": NOW,
        "verdict": "bot",
        "reason": "",
    }
    values: dict[str, Any] = dict(wrong)
    for field in wrong:
        assert rejection(workspace, ClickInput(**values))[0] == field
        values[field] = right[field]
    assert record(workspace, ClickInput(**values)) == IngestResult(1, 0, [])


def test_wrong_items_leave_the_right_ones_around_them(workspace: Workspace) -> None:
    known = FieldError("colour", "unknown", "colour is unknown.")
    result = record(
        workspace,
        ClickInput("vcard", TEXT),
        known,
        ClickInput("mail"),
        ClickInput("other"),
        ClickInput("vcard", TEXT),
        ClickInput("vcard", user="usr_" + "0" * 26),
    )
    assert result == IngestResult(
        2,
        1,
        [
            Rejection(1, "colour", "unknown", "colour is unknown."),
            Rejection(2, "kind", "invalid", 'kind must be one of campaign, vcard, other, not "mail".'),
            Rejection(5, "user", "not_found", 'user "usr_00000000000000000000000000" is not in this workspace.'),
        ],
    )
    assert stored_counts(workspace) == {("workspace", 0, "2026-03-28"): (0, 1, 1)}


def test_messages_hide_secrets_and_are_short(workspace: Workspace) -> None:
    secret = "sk_0123456789ab_" + "x" * 43
    assert secret not in rejection(workspace, ClickInput(secret))[2]
    assert len(rejection(workspace, ClickInput("vcard", user="x" * 100_000))[2]) < 200
    assert len(rejection(workspace, ClickInput("vcard", clicked_at="x" * 100_000))[2]) < 200


def test_a_caller_who_rolls_back_takes_everything_back(workspace: Workspace) -> None:
    class Undo(Exception):
        pass

    def act() -> None:
        with transaction.atomic():
            assert record(workspace, ClickInput("vcard", TEXT)) == IngestResult(1, 0, [])
            assert len(stored(workspace)) == 1
            raise Undo

    with pytest.raises(Undo):
        act()
    assert (stored(workspace), stored_counts(workspace)) == ([], {})
    assert Workspace.objects.get(pk=workspace.pk).counted_timezone == ""
    assert record(workspace, ClickInput("vcard", TEXT)) == IngestResult(1, 0, [])


@pytest.mark.parametrize("table", ["stats_app_click", "stats_app_rollup"])
def test_nothing_is_half_written_when_a_statement_fails(workspace: Workspace, table: str) -> None:
    record(workspace, ClickInput("other"))
    before = stored(workspace), stored_counts(workspace)

    def fail(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if f"INSERT INTO {table}" in sql:
            raise DatabaseError("The disk is full.")
        return answer

    with connection.execute_wrapper(fail), pytest.raises(DatabaseError, match="The disk is full"):
        record(workspace, ClickInput("vcard", TEXT))
    assert (stored(workspace), stored_counts(workspace)) == before
    assert record(workspace, ClickInput("vcard", TEXT)) == IngestResult(1, 0, [])


@pytest.fixture(params=[True, False], ids=["prepared", "not prepared"])
def _prepared(request: pytest.FixtureRequest) -> Iterator[None]:
    with override_settings(STATS_APP={"PREPARED_STATEMENTS": request.param}):
        yield


@pytest.mark.usefixtures("_prepared")
def test_the_number_of_queries_does_not_grow_with_the_batch(workspace: Workspace) -> None:
    campaigns = [make_campaign(workspace) for _ in range(5)]
    aliases = [make_alias(make_user(workspace)) for _ in range(5)]
    link = make_link(workspace)
    record(workspace, ClickInput("vcard"))

    def batch(size: int) -> list[ClickInput]:
        kinds = ("campaign", "vcard", "other")
        return [
            ClickInput(
                kind=(kind := kinds[n % 3]),
                id=str(ULID()),
                campaign=None if kind != "campaign" else campaigns[n % 5] if n % 2 else campaigns[n % 5].public_id,
                user=aliases[n % 5].user if n % 7 else aliases[n % 5].user.public_id,
                alias=aliases[n % 5] if n % 4 else aliases[n % 5].email,
                link=link if n % 8 else link.token,
                clicked_at=NOW - timedelta(hours=n),
            )
            for n in range(size)
        ]

    queries = {}
    for size in (20, 1_000):
        clicks = batch(size)
        for name, expected in (("new", IngestResult(size, 0, [])), ("repeated", IngestResult(0, size, []))):
            with CaptureQueriesContext(connection) as captured:
                assert record_clicks(workspace, clicks, now=NOW) == expected
            queries[(size, name)] = len(captured)
    assert queries[(20, "new")] == queries[(1_000, "new")]
    assert queries[(20, "repeated")] == queries[(1_000, "repeated")]
    # The transaction, the lock (two statements on SQLite), four look-ups by name and four by instance, clicks, rollups.
    assert queries[(1_000, "new")] <= 15
    assert list(check(workspace)) == []


def test_a_click_by_names_takes_few_queries(workspace: Workspace) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    click = ClickInput("campaign", None, campaign.public_id, user.public_id)
    record(workspace, click)
    statements = []

    def note(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        statements.append(sql.split()[0])
        return execute(sql, *args)

    with connection.execute_wrapper(note):
        record(workspace, click)
    if CITUS:
        # As on PostgreSQL, then that all is committed together, clicks, what they change, and rollups.
        assert statements == ["SAVEPOINT", *["SELECT"] * 4, "UPDATE", "INSERT", "WITH", "INSERT", "RELEASE"]
    elif connection.vendor == "postgresql":
        # The queue, the lock, two look-ups, then clicks and rollups at once.
        assert statements == ["SAVEPOINT", *["SELECT"] * 4, "WITH", "RELEASE"]
    else:
        assert statements == [
            "SAVEPOINT",
            "UPDATE",
            "SELECT",
            "SELECT",
            "INSERT",
            "WITH",
            "RELEASE",
        ]


@pytest.mark.postgres
@pytest.mark.parametrize("size", [1, 7, FEW_CLICKS, FEW_CLICKS + 1, 300])
def test_what_citus_is_told_is_the_same(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """The statements for Citus are plain ones: they store and count what the one statement for PostgreSQL does."""

    def clicks(first: int) -> list[ClickRow]:
        numbers = range(first, first + size)
        return [click(number, NOW - timedelta(days=number % 40, microseconds=number)) for number in numbers]

    def click(number: int, at: datetime) -> ClickRow:
        return ClickRow(
            id=ULID.from_str(numbered(number)).bytes,
            clicked_at=at,
            utc_day=at.date(),
            kind=KINDS["campaign" if number % 2 else "other"],
            verdict=VERDICTS["human" if number % 3 else "bot"],
            campaign_id=campaign.pk if number % 2 else None,
            user_id=alias.user_id,
            alias_id=alias.pk,
            link_id=link.pk,
            reason="" if number % 3 else 'it\'s \\ "x", {é}',
            shadow=number % 4 or None,
            visitor=bytes(range(16)) if number % 5 else None,
        )

    def recorded(on_citus: bool) -> tuple[Any, ...]:
        monkeypatch.setattr(locks.sql, "lock", lambda *args: lambda: (*lock(*args)()[:-1], on_citus))
        overlap = size // 2
        assert [store_rows(workspace, clicks(first)) for first in (0, overlap)] == [size, overlap]
        assert list(check(workspace)) == []
        state = stored(workspace), stored_counts(workspace)
        for model in (Click, Rollup):
            model.objects.filter(workspace=workspace).delete()
        return state

    lock: Any = locks.sql.lock
    campaign, alias = make_campaign(workspace), make_alias(make_user(workspace))
    link = make_link(workspace)
    assert recorded(True) == recorded(False)


@pytest.mark.sqlite
def test_a_click_costs_no_more_on_a_day_with_many_clicks(workspace: Workspace) -> None:
    user = make_user(workspace)

    def steps() -> int:
        return steps_of_sqlite(partial(record, workspace, ClickInput("vcard", user=user, clicked_at=NOW)))

    steps()  # the first click of the workspace stores its time zone, too
    before = steps()
    record(workspace, *(ClickInput("vcard", user=user, clicked_at=NOW) for _ in range(2_000)))
    assert steps() < 1.2 * before


def numbered(number: int) -> str:
    return f"{number:026}"


@pytest.fixture
def judged(workspace: Workspace) -> list[VerdictChange]:
    """Changes of verdict of three stored clicks: to suspected, to human, and to another reason only."""
    campaign, user = make_campaign(workspace), make_user(workspace)
    record(
        workspace,
        ClickInput("campaign", numbered(1), campaign, user, clicked_at=NOW),
        ClickInput("vcard", numbered(2), None, user, clicked_at=NOW - timedelta(days=400), verdict="bot", reason="x"),
        ClickInput("other", numbered(3), clicked_at=NOW, verdict="suspected", reason="burst"),
        ClickInput("other", numbered(4), clicked_at=NOW),
    )
    return [
        VerdictChange(numbered(1), "suspected", "repeat"),
        VerdictChange(numbered(2), "human"),
        VerdictChange(numbered(3), "suspected", "repeat"),
    ]


def test_a_changed_verdict_moves_the_counts(workspace: Workspace, judged: list[VerdictChange]) -> None:
    user = WorkspaceUser.objects.get()
    assert change_verdicts(workspace, judged) == 3
    assert [row[7:9] for row in stored(workspace)] == [
        ("human", ""),
        ("suspected", "repeat"),
        ("suspected", "repeat"),
        ("human", ""),
    ]
    assert stored_counts(workspace) == {
        ("workspace", 0, "2025-02-21"): (0, 1, 0),
        ("workspace", 0, "2026-03-28"): (0, 0, 1),
        ("user", user.pk, "2025-02-21"): (0, 1, 0),
        ("user by year", user.pk, "2025-01-01"): (0, 1, 0),
        ("reason", "suspected repeat", "2026-03-28"): (1, 0, 1),
        ("reason of campaign", f"{Campaign.objects.get().pk} suspected repeat", "2026-03-28"): (1, 0, 0),
        ("reason of user", f"{user.pk} suspected repeat", "2026-03-28"): (1, 0, 0),
    }
    assert list(check(workspace)) == []


def test_what_lost_all_its_clicks_is_in_no_answer(workspace: Workspace, judged: list[VerdictChange]) -> None:
    change_verdicts(workspace, judged)
    march = Period(date(2026, 3, 1), date(2026, 3, 31))
    assert store.counts(workspace.pk, march, ("campaign",)) == {}
    assert store.counts(workspace.pk, march, ("campaign", "day")) == {}
    assert store.counts(workspace.pk, march, ("campaign", "day"), top=3) == {}
    assert store.counts(workspace.pk, march, ("user",), top=3) == {}
    assert store.counts(workspace.pk, march, ("reason", "kind")) == {
        ("suspected", "repeat", "campaign"): [1],
        ("suspected", "repeat", "vcard"): [0],
        ("suspected", "repeat", "other"): [1],
    }
    of_user = store.counts(workspace.pk, march, ("reason",), where={"user": WorkspaceUser.objects.get().pk})
    assert of_user == {("suspected", "repeat"): [1]}
    assert store.last_day(workspace.pk, where={"campaign": Campaign.objects.get().pk}) is None


def test_the_same_verdict_again_changes_nothing(workspace: Workspace, judged: list[VerdictChange]) -> None:
    change_verdicts(workspace, judged)
    before = stored(workspace), stored_counts(workspace)
    unknown = VerdictChange(numbered(9), "bot", "x")
    assert change_verdicts(workspace, [*judged, unknown]) == 0
    assert change_verdicts(workspace, []) == 0
    assert (stored(workspace), stored_counts(workspace)) == before


def test_a_verdict_is_changed_in_its_own_workspace_only(
    workspace: Workspace, stranger: Workspace, judged: list[VerdictChange]
) -> None:
    record(stranger, ClickInput("vcard", numbered(1), clicked_at=NOW))
    before = stored(workspace), stored_counts(workspace)
    assert change_verdicts(stranger, judged) == 1
    assert (stored(workspace), stored_counts(workspace)) == before
    assert list(check(stranger)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (VerdictChange("x", "bot"), 'id must be a ULID of 26 characters, not "x".'),
        (VerdictChange(TEXT, "robot"), 'verdict must be one of human, suspected, bot, not "robot".'),
        (VerdictChange(TEXT, "bot", "x" * 41), "reason must have at most 40 characters, not 41."),
        (VerdictChange(TEXT, "human", "x"), "reason is not allowed for a human click."),
    ],
)
def test_a_wrong_change_of_verdict_is_an_error(workspace: Workspace, change: VerdictChange, message: str) -> None:
    record(workspace, ClickInput("vcard", numbered(1)))
    before = stored(workspace), stored_counts(workspace)
    with pytest.raises(ValueError, match=message):
        change_verdicts(workspace, [VerdictChange(numbered(1), "bot"), change])
    assert (stored(workspace), stored_counts(workspace)) == before


def test_a_change_of_verdict_that_fails_half_way_changes_nothing(
    workspace: Workspace, judged: list[VerdictChange]
) -> None:
    before = stored(workspace), stored_counts(workspace)

    def fail(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        answer = execute(sql, *args)
        if "UPDATE stats_app_click" in sql:
            raise DatabaseError("The disk is full.")
        return answer

    with connection.execute_wrapper(fail), pytest.raises(DatabaseError, match="The disk is full"):
        change_verdicts(workspace, judged)
    assert (stored(workspace), stored_counts(workspace)) == before
