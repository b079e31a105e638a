"""`stats_get_campaign_performance` over REST, held against a plain count of the clicks."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from stats_app import public_ids
from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Workspace
from tests import plain_count
from tests.dashboard_cast import at
from tests.factories import assign, make_campaign, make_key, make_user, make_workspace, record, record_all
from tests.rest import CAMPAIGNS, ask_both, assert_answer, invalid, not_found, statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 3, 28, 10, 25, tzinfo=UTC)
TOOL = "stats_get_campaign_performance"


def performance(campaign: Campaign | str) -> str:
    return f"{CAMPAIGNS}{campaign if isinstance(campaign, str) else campaign.public_id}/performance/"


def clicks_on(campaign: Campaign, day: str, number: int) -> list[ClickInput]:
    return [ClickInput("campaign", campaign=campaign, clicked_at=at(day))] * number


def expected(
    campaign: Campaign, start: str, end: str, metrics: dict[str, Any], status: str = "running"
) -> dict[str, Any]:
    return {
        "campaign": {"publicId": campaign.public_id, "name": campaign.name, "status": status},
        "period": {"from": start, "to": end},
        "metrics": metrics,
        "trend": None,
        "generatedAt": "2026-03-28T10:25:00+00:00",
    }


def test_it_answers_with_exactly_these_keys_in_this_order() -> None:
    workspace = make_workspace()
    campaign, other = make_campaign(workspace, name="Spring launch"), make_campaign(workspace)
    # Assigned now, active or not.
    assign(campaign, make_user(workspace), make_user(workspace, is_active=False))
    record(
        workspace,
        *clicks_on(campaign, "2026-03-04", 2),
        *clicks_on(campaign, "2026-03-09", 3),
        *clicks_on(campaign, "2026-03-11", 3),
        *clicks_on(campaign, "2026-02-28", 9),
        *clicks_on(other, "2026-03-04", 16),
        ClickInput("vcard", clicked_at=at("2026-03-04")),
        ClickInput("campaign", campaign=campaign, clicked_at=at("2026-03-04"), verdict="bot"),
    )
    response = ask_both(make_key(workspace), performance(campaign), {"from": "2026-03-01", "to": "2026-03-31"})
    metrics = {
        "clicks": 8,
        "shareOfCampaignClicks": 0.3333,
        "bestDay": {"date": "2026-03-09", "clicks": 3},
        "assignedUsers": 2,
    }
    assert_answer(response, expected(campaign, "2026-03-01", "2026-03-31", metrics))
    assert response.headers["RateLimit"] == f'"{TOOL}";r=29;t=60'


NOTHING = {"clicks": 0, "shareOfCampaignClicks": None, "bestDay": None, "assignedUsers": 0}


@pytest.mark.parametrize("query", [{}, {"from": "2025-01-01"}, {"to": "2025-01-01"}])
def test_without_both_dates_the_period_is_the_last_30_days(query: dict[str, str]) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    record(workspace, *clicks_on(campaign, "2026-02-27", 1), *clicks_on(campaign, "2026-02-26", 7))
    metrics = {
        "clicks": 1,
        "shareOfCampaignClicks": 1.0,
        "bestDay": {"date": "2026-02-27", "clicks": 1},
        "assignedUsers": 0,
    }
    response = ask_both(make_key(workspace), performance(campaign), query)
    assert_answer(response, expected(campaign, "2026-02-27", "2026-03-28", metrics))


@pytest.mark.parametrize(
    ("zone", "now", "start", "end"),
    [
        ("Pacific/Kiritimati", "2026-03-28T10:25:00+00:00", "2026-02-28", "2026-03-29"),
        ("Asia/Kathmandu", "2026-03-28T18:14:59+00:00", "2026-02-27", "2026-03-28"),
        ("Asia/Kathmandu", "2026-03-28T18:15:00+00:00", "2026-02-28", "2026-03-29"),
        ("America/New_York", "2024-03-01T04:59:59+00:00", "2024-01-31", "2024-02-29"),
    ],
)
def test_today_is_the_workspaces(zone: str, now: str, start: str, end: str) -> None:
    workspace = make_workspace(timezone=zone)
    campaign = make_campaign(workspace)
    key = make_key(workspace)
    with time_machine.travel(datetime.fromisoformat(now), tick=False):
        body = ask_both(key, performance(campaign)).json()
    assert body["period"] == {"from": start, "to": end}


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, "running"),
        ({"is_paused": True}, "paused"),
        ({"starts_on": date(2026, 3, 28), "ends_on": date(2026, 3, 28)}, "running"),
        ({"starts_on": date(2026, 3, 29)}, "planned"),
        ({"starts_on": date(2026, 3, 29), "is_paused": True}, "planned"),
        ({"ends_on": date(2026, 3, 27), "is_paused": True}, "completed"),
    ],
)
def test_it_shows_the_status_of_today(values: dict[str, Any], status: str) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace, **values)
    response = ask_both(make_key(workspace), performance(campaign), {"from": "2020-01-01", "to": "2020-01-02"})
    assert_answer(response, expected(campaign, "2020-01-01", "2020-01-02", NOTHING, status))


@pytest.mark.parametrize(
    ("own", "others", "share"),
    [
        (0, 0, None),
        (0, 3, 0.0),
        (5, 0, 1.0),
        (1, 2, 0.3333),
        (2, 1, 0.6667),
        # Ties, which go to the even digit: 0.03125, 0.09375, and 0.15625.
        (1, 31, 0.0312),
        (3, 29, 0.0938),
        (5, 27, 0.1562),
    ],
)
def test_the_share_is_rounded_half_even_to_four_places(own: int, others: int, share: float | None) -> None:
    workspace = make_workspace()
    campaign, other = make_campaign(workspace), make_campaign(workspace)
    record(workspace, *clicks_on(campaign, "2026-03-09", own), *clicks_on(other, "2026-03-09", others))
    body = ask_both(make_key(workspace), performance(campaign)).json()
    assert body["metrics"]["shareOfCampaignClicks"] == share


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("UTC", "2016-03-24", "2026-03-31"),  # 3,660 days
        ("Asia/Kathmandu", "2024-02-28", "2024-03-01"),
        ("America/St_Johns", "2026-03-07", "2026-03-09"),
        ("Europe/Paris", "2025-10-26", "2025-10-26"),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-06"),
        ("Pacific/Apia", "2011-12-28", "2012-01-02"),
        ("UTC", "2099-12-31", "2099-12-31"),
    ],
)
def test_it_agrees_with_a_plain_count(zone: str, start: str, end: str) -> None:
    workspace = make_workspace(timezone=zone)
    campaigns = [make_campaign(workspace) for _ in range(3)]
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    rng = random.Random(f"{zone} {start}")
    seconds = ((last - first).days + 3) * 86_400
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
    clicks = [
        ClickInput(
            "campaign",
            campaign=rng.choice(campaigns).public_id,
            clicked_at=min(begin + timedelta(seconds=rng.randrange(seconds)), datetime(2099, 12, 31, 23, tzinfo=UTC)),
            verdict=rng.choice(["human", "human", "human", "suspected"]),
        )
        for _ in range(150)
    ]
    record_all(workspace, clicks, now=datetime(2099, 12, 31, 23, 59, tzinfo=UTC))
    key = make_key(workspace)
    for campaign in campaigns:
        metrics = plain_count.campaign_metrics(clicks, campaign.public_id, zone=zone, start=first, end=last, assigned=0)
        assert metrics["clicks"] > 0
        response = ask_both(key, performance(campaign), {"from": start, "to": end})
        assert_answer(response, expected(campaign, start, end, metrics))


def test_a_foreign_campaign_and_a_missing_one_look_the_same() -> None:
    foreign = make_campaign(make_workspace()).public_id
    missing = public_ids.new_campaign_id()
    key = make_key(make_workspace())
    ask_both(key, performance(missing))  # notes the key's use
    replies, queries = [], []
    for public_id in (foreign, missing):
        with statements() as ran:
            response = ask_both(key, performance(public_id))
        replies.append((response.status_code, response.json(), response.headers["Content-Type"]))
        queries.append([statement.replace(public_id, "ID") for statement in ran])
    assert replies == [
        (404, not_found("campaign", public_id), "application/problem+json") for public_id in (foreign, missing)
    ]
    # The key, the limit, the campaign, the audit row. Two differ by the times and numbers in them.
    assert [len(ran) for ran in queries] == [4, 4]
    assert queries[0][2] == queries[1][2]


@pytest.mark.parametrize(
    ("public_id", "shown"),
    [
        ("cp_01ARZ3NDEKTSV4RRFFQ69G5FAV", None),
        ("01arz3ndektsv4rrffq69g5fav", None),
        ("usr_01arz3ndektsv4rrffq69g5fav", None),
        ("cp_81arz3ndektsv4rrffq69g5fav", None),
        ("cp_01arz3ndektsv4rrffq69g5fau", None),
        ("cp_01arz3ndektsv4rrffq69g5fa", None),
        ("cp_01arz3ndektsv4rrffq69g5fav%0A", "cp_01arz3ndektsv4rrffq69g5fav\\n"),
        ("cp_01arz3ndektsv4rrffq69g5fa%00", "cp_01arz3ndektsv4rrffq69g5fa\\u0000"),
        ("..", None),
        ("%20", " "),
    ],
)
def test_a_malformed_id_is_an_input_error(public_id: str, shown: str | None) -> None:
    response = ask_both(make_key(make_workspace()), performance(public_id))
    value = public_id if shown is None else shown
    message = f'campaignPublicId must be cp_ and 26 characters of a lowercase ULID, not "{value}".'
    assert (response.status_code, response.json()) == (400, invalid(("campaignPublicId", "invalid", message)))


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("from=2026-3-1", [("from", "invalid", 'from must be a date as Y-m-d, not "2026-3-1".')]),
        ("from=", [("from", "invalid", 'from must be a date as Y-m-d, not "".')]),
        ("to=", [("to", "invalid", 'to must be a date as Y-m-d, not "".')]),
        ("to=1999-12-31", [("to", "out_of_range", 'to must be between 2000-01-01 and 2099-12-31, not "1999-12-31".')]),
        (
            "from=2026-03-02&to=2026-03-01",
            [("from", "invalid", "from 2026-03-02 is after to 2026-03-01; swap them.")],
        ),
        (
            "from=2016-03-23&to=2026-03-31",
            [("to", "out_of_range", "to 2026-03-31 makes a period of 3661 days; the limit is 3660.")],
        ),
        ("to=2026-03-01&to=2026-03-01", [("to", "repeated", "to is given 2 times; give it once.")]),
        (
            "breakdown=day",
            [
                (
                    "breakdown",
                    "unknown",
                    '"breakdown" is not a parameter; the parameters are campaignPublicId, from, to.',
                )
            ],
        ),
        (
            "campaignPublicId=x",
            [("campaignPublicId", "repeated", "campaignPublicId is given 2 times; give it once.")],
        ),
    ],
)
def test_it_names_what_is_wrong(query: str, errors: list[tuple[str, str, str]]) -> None:
    workspace = make_workspace()
    response = ask_both(make_key(workspace), performance(make_campaign(workspace)), query)
    assert (response.status_code, response.json()) == (400, invalid(*errors))


def _queries(workspace: Workspace, campaign: Campaign) -> int:
    key = make_key(workspace)
    ask_both(key, performance(campaign))  # notes the key's use
    with statements() as queries:
        assert ask_both(key, performance(campaign), {"from": "2025-01-01", "to": "2026-03-31"}).status_code == 200
    return len(queries)


def test_the_number_of_queries_never_changes() -> None:
    numbers = []
    for campaigns, clicks in ((1, 0), (10, 1), (1000, 1)):
        workspace = make_workspace()
        made = (
            [make_campaign(workspace) for _ in range(campaigns)]
            if campaigns < 1000
            else Campaign.objects.bulk_create(
                Campaign(workspace=workspace, name="x", target_url="https://www.example.com/") for _ in range(campaigns)
            )
        )
        assign(made[0], *(make_user(workspace) for _ in range(min(campaigns, 20))))
        record_all(workspace, [click for campaign in made for click in clicks_on(campaign, "2026-03-09", clicks)])
        numbers.append(_queries(workspace, made[0]))
    # The key, the limit, the campaign, its counts, the workspace's counts, the audit row.
    assert numbers == [6, 6, 6]
