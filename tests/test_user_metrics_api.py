"""`stats_get_user_metrics` over REST, held against a plain count of the clicks."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stats_app import public_ids
from stats_app.ingest import ClickInput
from stats_app.models import WorkspaceUser
from tests import plain_count
from tests.dashboard_cast import at
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record, record_all
from tests.rest import USERS, ask_both, assert_answer, invalid, not_found, statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)


def metrics(user: WorkspaceUser | str) -> str:
    return f"{USERS}{user if isinstance(user, str) else user.public_id}/metrics/"


def expected(user: WorkspaceUser, start: str, end: str, numbers: dict[str, Any]) -> dict[str, Any]:
    return {
        "user": {"publicId": user.public_id, "displayName": user.display_name},
        "period": {"from": start, "to": end},
        "metrics": numbers,
        "generatedAt": "2026-03-28T10:25:00+00:00",
    }


def test_it_answers_with_exactly_these_keys_in_this_order() -> None:
    workspace = make_workspace()
    ada = make_user(workspace, display_name="Ada Lovelace", is_active=False)
    bob = make_user(workspace)
    campaigns = [make_campaign(workspace, is_paused=True), make_campaign(workspace), make_campaign(workspace)]
    for campaign in campaigns:
        assign(campaign, ada, bob)
    alias = make_alias(ada)
    make_alias(ada)
    clicked_at = at("2026-03-09")
    record(
        workspace,
        ClickInput("campaign", campaign=campaigns[0], user=ada, clicked_at=clicked_at),
        ClickInput("campaign", campaign=campaigns[1], alias=alias, clicked_at=clicked_at),
        ClickInput("vcard", user=ada, clicked_at=clicked_at),
        ClickInput("other", user=ada, clicked_at=clicked_at),
        ClickInput("other", user=ada, clicked_at=clicked_at, verdict="bot"),
        ClickInput("other", user=ada, clicked_at=at("2026-02-28")),
        ClickInput("other", user=bob, clicked_at=clicked_at),
        ClickInput("other", clicked_at=clicked_at),
    )
    response = ask_both(make_key(workspace), metrics(ada), {"from": "2026-03-01", "to": "2026-03-31"})
    numbers = {
        "campaignClicks": 2,
        "vcardClicks": 1,
        "otherClicks": 1,
        "totalClicks": 4,
        "campaignAssignments": 3,
        "aliases": 2,
    }
    assert_answer(response, expected(ada, "2026-03-01", "2026-03-31", numbers))
    assert response.headers["RateLimit"] == '"stats_get_user_metrics";r=29;t=60'


NOTHING = {
    "campaignClicks": 0,
    "vcardClicks": 0,
    "otherClicks": 0,
    "totalClicks": 0,
    "campaignAssignments": 0,
    "aliases": 0,
}


@pytest.mark.parametrize("query", [{}, {"from": "2025-01-01"}, {"to": "2025-01-01"}])
def test_without_both_dates_the_period_is_the_last_30_days(query: dict[str, str]) -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    record(
        workspace,
        ClickInput("vcard", user=user, clicked_at=at("2026-02-27", "00:00:00")),
        ClickInput("vcard", user=user, clicked_at=at("2026-02-26", "23:59:59")),
    )
    response = ask_both(make_key(workspace), metrics(user), query)
    numbers = NOTHING | {"vcardClicks": 1, "totalClicks": 1}
    assert_answer(response, expected(user, "2026-02-27", "2026-03-28", numbers))


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("UTC", "2016-03-24", "2026-03-31"),  # 3,660 days
        ("UTC", "2026-03-20", "2029-03-19"),  # into the future
        ("Asia/Kathmandu", "2024-02-28", "2024-03-01"),
        ("America/St_Johns", "2026-03-07", "2026-03-09"),
        ("Europe/Paris", "2025-10-26", "2025-10-26"),
        ("America/Havana", "2026-03-08", "2026-03-08"),
        ("Pacific/Apia", "2011-12-28", "2012-01-02"),
    ],
)
def test_it_agrees_with_a_plain_count(zone: str, start: str, end: str) -> None:
    workspace = make_workspace(timezone=zone)
    campaign = make_campaign(workspace)
    users = [make_user(workspace) for _ in range(3)]
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    rng = random.Random(f"{zone} {start}")
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
    seconds = ((last - first).days + 3) * 86_400
    clicks = []
    for _ in range(150):
        kind = rng.choice(["campaign", "vcard", "other"])
        clicks.append(
            ClickInput(
                kind,
                campaign=campaign.public_id if kind == "campaign" else None,
                user=rng.choice([None, *(user.public_id for user in users)]),
                clicked_at=begin + timedelta(seconds=rng.randrange(seconds)),
                verdict=rng.choice(["human", "human", "human", "suspected"]),
            )
        )
    record_all(workspace, clicks, now=datetime(2099, 12, 31, tzinfo=UTC))
    key = make_key(workspace)
    for user in users:
        numbers = plain_count.user_metrics(
            clicks, user.public_id, zone=zone, start=first, end=last, assignments=0, aliases=0
        )
        assert numbers["totalClicks"] > 0
        assert_answer(ask_both(key, metrics(user), {"from": start, "to": end}), expected(user, start, end, numbers))


def test_a_foreign_user_and_a_missing_one_look_the_same() -> None:
    foreign, missing = make_user(make_workspace()).public_id, public_ids.new_user_id()
    key = make_key(make_workspace())
    ask_both(key, metrics(missing))  # notes the key's use
    replies, queries = [], []
    for public_id in (foreign, missing):
        with statements() as ran:
            response = ask_both(key, metrics(public_id))
        replies.append((response.status_code, response.json()))
        queries.append([statement.replace(public_id, "ID") for statement in ran])
    assert replies == [(404, not_found("user", public_id)) for public_id in (foreign, missing)]
    # The key, the limit, the user, the audit row. Two differ by the times and numbers in them.
    assert [len(ran) for ran in queries] == [4, 4]
    assert queries[0][2] == queries[1][2]


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("from=x&to=y", [("from", "x"), ("to", "y")]),
        ("from=2026-03-01T00:00:00", [("from", "2026-03-01T00:00:00")]),
        ("to=", [("to", "")]),
    ],
)
def test_wrong_dates_are_errors_also_where_they_would_not_be_used(query: str, errors: list[tuple[str, str]]) -> None:
    workspace = make_workspace()
    response = ask_both(make_key(workspace), metrics(make_user(workspace)), query)
    wrong = [(name, "invalid", f'{name} must be a date as Y-m-d, not "{value}".') for name, value in errors]
    assert (response.status_code, response.json()) == (400, invalid(*wrong))


def test_unknown_parameters_and_malformed_ids_are_errors() -> None:
    response = ask_both(make_key(make_workspace()), metrics("cp_01arz3ndektsv4rrffq69g5fav"), "user=1")
    assert (response.status_code, response.json()) == (
        400,
        invalid(
            (
                "userPublicId",
                "invalid",
                'userPublicId must be usr_ and 26 characters of a lowercase ULID, not "cp_01arz3ndektsv4rrffq69g5fav".',
            ),
            ("user", "unknown", '"user" is not a parameter; the parameters are userPublicId, from, to.'),
        ),
    )


def test_the_number_of_queries_never_changes() -> None:
    numbers = []
    for size in (0, 1, 100):
        workspace = make_workspace()
        user = make_user(workspace)
        for _ in range(size):
            assign(make_campaign(workspace), user)
            make_alias(user)
        record_all(workspace, [ClickInput("vcard", user=user, clicked_at=at("2026-03-09"))] * size)
        key = make_key(workspace)
        ask_both(key, metrics(user))  # notes the key's use
        with statements() as queries:
            body = ask_both(key, metrics(user)).json()
        assert body["metrics"] == NOTHING | {
            "vcardClicks": size,
            "totalClicks": size,
            "campaignAssignments": size,
            "aliases": size,
        }
        numbers.append(len(queries))
    # The key, the limit, the user, the counts, the audit row.
    assert numbers == [5, 5, 5]
