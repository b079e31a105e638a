"""`stats_get_workspace_overview` over REST, held against a plain count of the clicks."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stats_app import public_ids
from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Click, Workspace
from tests import plain_count
from tests.factories import make_campaign, make_key, make_user, make_workspace, record, record_all
from tests.rest import OVERVIEW, ask_both, assert_answer, invalid, problem, statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]

NOW = datetime(2026, 3, 28, 10, 25, 0, 900_000, tzinfo=UTC)
GENERATED_AT = "2026-03-28T10:25:00+00:00"
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_it_answers_with_exactly_these_keys_in_this_order() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace, name="Spring launch")
    user = make_user(workspace)
    record(
        workspace,
        ClickInput("campaign", campaign=campaign, user=user, clicked_at=at("2026-03-01T00:00:00")),
        ClickInput("campaign", campaign=campaign, clicked_at=at("2026-03-09T12:00:00")),
        ClickInput("vcard", user=user, clicked_at=at("2026-03-09T12:00:00")),
        ClickInput("other", clicked_at=at("2026-03-10T23:59:59")),
        ClickInput("other", clicked_at=at("2026-02-28T23:59:59")),
    )
    response = ask_both(make_key(workspace), OVERVIEW, MARCH | {"to": "2026-03-10", "breakdown": "week"})
    assert_answer(
        response,
        {
            "workspace": {"name": "Acme"},
            "period": {"from": "2026-03-01", "to": "2026-03-10"},
            "totals": {"campaignClicks": 2, "vcardClicks": 1, "totalClicks": 4},
            "breakdown": {
                "chart": {
                    "datasets": {
                        "current": [1, 0, 3],
                        "previous": [0, 1],
                        "campaigns": [{"publicId": campaign.public_id, "name": "Spring launch", "data": [1, 0, 1]}],
                    },
                    "labels": {
                        "current": ["2026-W09", "2026-W10", "2026-W11"],
                        "previous": ["2026-W08", "2026-W09"],
                    },
                }
            },
            "signals": [
                {"type": "campaign_clicks", "count": 2},
                {"type": "vcard_clicks", "count": 1},
                {"type": "other_clicks", "count": 1},
            ],
            "generatedAt": GENERATED_AT,
        },
    )
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["RateLimit-Policy"] == '"stats_get_workspace_overview";q=30;w=60'
    assert response.headers["RateLimit"] == '"stats_get_workspace_overview";r=29;t=60'


def test_it_answers_for_an_empty_workspace() -> None:
    key = make_key(make_workspace(name="Nothing yet"))
    empty = {
        "workspace": {"name": "Nothing yet"},
        "period": {"from": "2026-03-01", "to": "2026-03-03"},
        "totals": {"campaignClicks": 0, "vcardClicks": 0, "totalClicks": 0},
        "breakdown": {},
        "signals": [],
        "generatedAt": GENERATED_AT,
    }
    period = {"from": "2026-03-01", "to": "2026-03-03"}
    assert_answer(ask_both(key, OVERVIEW, period), empty)
    assert_answer(ask_both(key, OVERVIEW, period | {"breakdown": "none"}), empty)
    chart = {
        "datasets": {"current": [0, 0, 0], "previous": [0, 0, 0], "campaigns": []},
        "labels": {
            "current": ["2026-03-01", "2026-03-02", "2026-03-03"],
            "previous": ["2026-02-26", "2026-02-27", "2026-02-28"],
        },
    }
    assert_answer(ask_both(key, OVERVIEW, period | {"breakdown": "day"}), empty | {"breakdown": {"chart": chart}})


def scattered(
    workspace: Workspace, campaigns: list[Campaign], start: date, end: date, number: int = 120
) -> list[ClickInput]:
    """Clicks over the period and the one before it, most of them near a local midnight."""
    rng = random.Random(f"{workspace.timezone} {start} {end}")
    first, _ = plain_count.previous(start, end)
    first = max(first - timedelta(days=2), date(2000, 1, 2))
    last = min(end + timedelta(days=2), date(2099, 12, 30))
    length = (last - first).days
    edges = [start - timedelta(days=1), start, end, end + timedelta(days=1)]
    clicks = []
    for _ in range(number):
        day = rng.choice(edges) if rng.random() < 0.4 else first + timedelta(days=rng.randrange(length + 1))
        day = min(max(day, first), last)
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(workspace.timezone)).astimezone(UTC)
        clicked_at = midnight + timedelta(seconds=rng.choice([-1, 0, 1, 1799, 3600, 7200, rng.randrange(86_400)]))
        kind = rng.choice(["campaign", "campaign", "vcard", "other"])
        campaign = rng.choice(campaigns).public_id if kind == "campaign" else None
        verdict = rng.choice(["human"] * 8 + ["bot", "suspected"])
        clicks.append(ClickInput(kind, campaign=campaign, clicked_at=clicked_at, verdict=verdict))
    return clicks


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("UTC", "2026-03-01", "2026-03-31"),  # a whole month
        ("UTC", "2025-11-01", "2026-02-28"),  # four of them
        ("UTC", "2023-03-01", "2024-02-29"),  # twelve, to a leap day
        ("UTC", "2024-02-29", "2024-02-29"),  # the leap day
        ("UTC", "2024-02-28", "2024-03-01"),
        ("UTC", "2026-01-31", "2026-03-01"),  # month ends, no whole months
        ("UTC", "2020-12-28", "2021-01-03"),  # ISO week 53
        ("UTC", "2020-12-30", "2021-01-05"),  # cut by the period
        ("UTC", "2016-03-22", "2026-03-28"),  # years apart: 3,659 days
        ("UTC", "2000-01-01", "2000-01-31"),  # the first month there is
        ("UTC", "2099-12-01", "2099-12-31"),  # and the last
        ("Asia/Kathmandu", "2026-02-01", "2026-02-28"),  # +05:45
        ("Asia/Kolkata", "2025-12-31", "2026-01-01"),  # +05:30
        ("America/St_Johns", "2026-03-08", "2026-03-08"),  # -03:30, a day of 23 hours
        ("Europe/Paris", "2026-03-28", "2026-03-30"),
        ("Europe/Paris", "2025-10-26", "2025-10-26"),  # a day of 25 hours
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-06"),  # clocks put back by half an hour
        ("America/Havana", "2026-03-07", "2026-03-09"),  # there is no midnight on the 8th
        ("Pacific/Apia", "2011-12-28", "2012-01-02"),  # there was no 30 December
        ("Pacific/Kiritimati", "2026-01-01", "2026-01-31"),  # +14:00
        ("America/New_York", "2026-03-20", "2027-03-19"),  # into the future
    ],
)
def test_it_agrees_with_a_plain_count(zone: str, start: str, end: str) -> None:
    workspace = make_workspace(timezone=zone)
    campaigns = [make_campaign(workspace, name=f"Campaign {number}") for number in range(13)]
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    clicks = scattered(workspace, campaigns, first, last)
    record_all(workspace, clicks, now=datetime(2099, 12, 31, 23, 59, tzinfo=UTC))
    key = make_key(workspace)
    names = {campaign.public_id: campaign.name for campaign in campaigns}
    for breakdown in ("none", "day", "week", "month"):
        expected = plain_count.overview(
            clicks, zone=zone, start=first, end=last, breakdown=breakdown, names=names, generated_at=GENERATED_AT
        )
        assert expected["totals"]["totalClicks"] > 0
        assert_answer(ask_both(key, OVERVIEW, {"from": start, "to": end, "breakdown": breakdown}), expected)


def test_a_period_has_at_most_3660_days() -> None:
    key = make_key(make_workspace())
    chart = ask_both(key, OVERVIEW, {"from": "2016-03-24", "to": "2026-03-31", "breakdown": "day"}).json()["breakdown"]
    assert [len(labels) for labels in chart["chart"]["labels"].values()] == [3660, 3660]
    response = ask_both(key, OVERVIEW, {"from": "2016-03-23", "to": "2026-03-31"})
    assert (response.status_code, response.json()) == (
        400,
        invalid(("to", "out_of_range", "to 2026-03-31 makes a period of 3661 days; the limit is 3660.")),
    )


def test_it_shows_the_ten_best_campaigns_and_breaks_ties_by_public_id() -> None:
    workspace = make_workspace()
    ids = [public_ids.new_id(public_ids.CAMPAIGN) for _ in range(13)]
    made = {public_id: make_campaign(workspace, public_id=public_id) for public_id in random.Random(1).sample(ids, 13)}
    clicks = [
        ClickInput("campaign", campaign=made[public_id], clicked_at=at("2026-03-02T10:00:00")) for public_id in ids[:12]
    ]
    best = ClickInput("campaign", campaign=made[ids[11]], clicked_at=at("2026-03-02T11:00:00"))
    # Without clicks inside the period, however many before it, a campaign is left out.
    before = [ClickInput("campaign", campaign=made[ids[12]], clicked_at=at("2026-02-02T11:00:00"))] * 20
    record(workspace, *clicks, best, *before)
    shown = ask_both(make_key(workspace), OVERVIEW, MARCH | {"breakdown": "month"}).json()["breakdown"]["chart"][
        "datasets"
    ]
    assert shown["campaigns"] == [
        {"publicId": ids[11], "name": "Spring launch", "data": [2]},
        *({"publicId": public_id, "name": "Spring launch", "data": [1]} for public_id in sorted(ids[:11])[:9]),
    ]
    assert (shown["current"], shown["previous"]) == ([13], [20])


@pytest.mark.parametrize(
    ("kinds", "signals"),
    [
        (["other"], [("other_clicks", 1)]),
        (["other", "vcard", "other"], [("vcard_clicks", 1), ("other_clicks", 2)]),
        (["vcard", "campaign"], [("campaign_clicks", 1), ("vcard_clicks", 1)]),
    ],
)
def test_signals_are_the_kinds_that_have_clicks(kinds: list[str], signals: list[tuple[str, int]]) -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace)
    clicked_at = at("2026-03-02T10:00:00")
    record(
        workspace,
        *(ClickInput(k, campaign=campaign if k == "campaign" else None, clicked_at=clicked_at) for k in kinds),
    )
    body = ask_both(make_key(workspace), OVERVIEW, MARCH).json()
    assert body["signals"] == [{"type": kind, "count": number} for kind, number in signals]


def test_it_reads_the_counts_and_not_the_clicks() -> None:
    workspace = make_workspace()
    record(workspace, ClickInput("other", clicked_at=at("2026-03-02T10:00:00")))
    key = make_key(workspace)
    before = ask_both(key, OVERVIEW, MARCH).json()
    Click.objects.all().delete()
    assert ask_both(key, OVERVIEW, MARCH).json() == before
    assert before["totals"]["totalClicks"] == 1


def test_it_hides_other_workspaces() -> None:
    theirs = make_workspace(name="Globex")
    record(theirs, ClickInput("campaign", campaign=make_campaign(theirs), clicked_at=at("2026-03-02T10:00:00")))
    mine = make_workspace()
    body = ask_both(make_key(mine), OVERVIEW, MARCH | {"breakdown": "month"}).json()
    datasets = body["breakdown"]["chart"]["datasets"]
    assert (body["totals"]["totalClicks"], datasets) == (0, {"current": [0], "previous": [0], "campaigns": []})


def test_it_may_name_its_own_workspace() -> None:
    workspace = make_workspace()
    response = ask_both(make_key(workspace), OVERVIEW, MARCH | {"workspacePublicId": workspace.public_id})
    assert response.status_code == 200


def test_another_workspace_is_refused_without_being_looked_up() -> None:
    there, missing = make_workspace().public_id, public_ids.new_workspace_id()
    key = make_key(make_workspace())
    ask_both(key, OVERVIEW, MARCH)
    answers = []
    for public_id in (there, missing):
        with statements() as queries:
            response = ask_both(key, OVERVIEW, MARCH | {"workspacePublicId": public_id})
        answers.append((response.status_code, response.json(), len(queries)))
    refused = problem(
        403,
        "workspace_mismatch",
        "Another workspace",
        "workspacePublicId is not the workspace of this API key; leave it out.",
    )
    # The key, the rate limit and the audit row.
    assert answers == [(403, refused, 3)] * 2


A_DATE = "a date as Y-m-d, such as 2026-03-31."
FROM_DATE = 'from must be a date as Y-m-d, not "{}".'
RANGE = 'from must be between 2000-01-01 and 2099-12-31, not "{}".'
KNOWN = "the parameters are from, to, breakdown, workspacePublicId."


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("", [("from", "required", f"from is required: {A_DATE}"), ("to", "required", f"to is required: {A_DATE}")]),
        ("from=2026-03-01", [("to", "required", f"to is required: {A_DATE}")]),
        ("to=2026-03-01", [("from", "required", f"from is required: {A_DATE}")]),
        ("from=&to=2026-03-01", [("from", "invalid", FROM_DATE.format(""))]),
        ("from&to=2026-03-01", [("from", "invalid", FROM_DATE.format(""))]),
        *(
            (f"from={text}&to=2026-03-31", [("from", "invalid", FROM_DATE.format(shown or text))])
            for text, shown in [
                ("20260301", ""),
                ("2026-W09-1", ""),
                ("2026-3-1", ""),
                ("2026-02-29", ""),
                ("2026-13-01", ""),
                ("0000-01-01", ""),
                ("2026-03-01T00:00:00Z", ""),
                ("+2026-03-01", " 2026-03-01"),
                ("2026-03-01%0A", "2026-03-01\\n"),
                ("2026-03-01%00", "2026-03-01\\u0000"),
                ("%D9%A2%D9%A0%D9%A2%D9%A6-03-01", "٢٠٢٦-03-01"),
                ("%ff", "�"),
                ("today", ""),
                ("x" * 100, "x" * 60 + "…"),
            ]
        ),
        ("from=1999-12-31&to=2026-03-31", [("from", "out_of_range", RANGE.format("1999-12-31"))]),
        ("from=2100-01-01&to=2026-03-31", [("from", "out_of_range", RANGE.format("2100-01-01"))]),
        (
            "from=2026-03-02&to=2026-03-01",
            [("from", "invalid", "from 2026-03-02 is after to 2026-03-01; swap them.")],
        ),
        (
            "from=2026-03-01&to=2026-03-02&from=2026-03-01",
            [("from", "repeated", "from is given 2 times; give it once.")],
        ),
        (
            "from=2026-03-01&to=2026-03-02&breakdown=year",
            [("breakdown", "invalid", 'breakdown must be one of none, day, week, month, not "year".')],
        ),
        (
            "from=2026-03-01&to=2026-03-02&breakdown=",
            [("breakdown", "invalid", 'breakdown must be one of none, day, week, month, not "".')],
        ),
        (
            "from=2026-03-01&to=2026-03-02&breakdown=Day",
            [("breakdown", "invalid", 'breakdown must be one of none, day, week, month, not "Day".')],
        ),
        (
            "from=2026-03-01&to=2026-03-02&workspacePublicId=01ARZ3NDEKTSV4RRFFQ69G5FAV",
            [
                (
                    "workspacePublicId",
                    "invalid",
                    'workspacePublicId must be 26 characters of a lowercase ULID, not "01ARZ3NDEKTSV4RRFFQ69G5FAV".',
                )
            ],
        ),
        ("from=2026-03-01&to=2026-03-02&From=x", [("From", "unknown", f'"From" is not a parameter; {KNOWN}')]),
        ("from=2026-03-01&to=2026-03-02&format=json", [("format", "unknown", f'"format" is not a parameter; {KNOWN}')]),
        (
            "x=1&x=2&to=nope&breakdown=x",
            [
                ("from", "required", f"from is required: {A_DATE}"),
                ("to", "invalid", 'to must be a date as Y-m-d, not "nope".'),
                ("breakdown", "invalid", 'breakdown must be one of none, day, week, month, not "x".'),
                ("x", "unknown", f'"x" is not a parameter; {KNOWN}'),
            ],
        ),
    ],
)
def test_it_names_what_is_wrong(query: str, errors: list[tuple[str, str, str]]) -> None:
    response = ask_both(make_key(make_workspace()), OVERVIEW, query)
    assert (response.status_code, response.json()) == (400, invalid(*errors))
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["RateLimit"] == '"stats_get_workspace_overview";r=29;t=60'


def test_any_number_of_parameters_is_named_and_counted_like_any_call(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    workspace = make_workspace()
    key = make_key(workspace)
    response = ask_both(key, OVERVIEW, "from=2026-03-01&to=2026-03-02&breakdown=day")
    assert response.status_code == 200
    response = ask_both(key, OVERVIEW, "&".join(["from=2026-03-01"] * 1001))
    assert (response.status_code, response.json()) == (
        400,
        invalid(
            ("from", "repeated", "from is given 1001 times; give it once."),
            ("to", "required", f"to is required: {A_DATE}"),
        ),
    )
    assert workspace.tool_calls.count() == 2


def _queries(workspace: Workspace, query: dict[str, str]) -> list[str]:
    key = make_key(workspace)
    ask_both(key, OVERVIEW, query)  # notes the key's use
    with statements() as queries:
        assert ask_both(key, OVERVIEW, query).status_code == 200
    return queries


@pytest.mark.parametrize(
    ("query", "number"),
    # The key, the limit, the counts and the audit row; with a chart also the best campaigns and their names.
    [
        (MARCH, 4),
        (MARCH | {"breakdown": "day"}, 6),
        ({"from": "2025-01-01", "to": "2026-03-28", "breakdown": "month"}, 6),
    ],
)
def test_the_number_of_queries_does_not_grow(query: dict[str, str], number: int) -> None:
    empty, few, many = make_workspace(), make_workspace(), make_workspace()
    for workspace, size in ((few, 10), (many, 1000)):
        campaigns = Campaign.objects.bulk_create(
            Campaign(workspace=workspace, name=f"{n}", target_url="https://www.example.com/") for n in range(size)
        )
        moments = [at("2026-03-02T10:00:00"), at("2026-02-02T10:00:00")]
        record_all(workspace, [ClickInput("campaign", campaign=c, clicked_at=m) for c in campaigns for m in moments])
    assert [len(_queries(workspace, query)) for workspace in (empty, few, many)] == [number] * 3
