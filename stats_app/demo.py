"""Demo data. The same seed gives the same data, and repeating the command adds nothing.

Two workspaces in different time zones with a year of clicks as in an office: more on Tuesdays than on Sundays, some
campaigns far ahead of the others, most clicks by few people, and some scanners.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate, islice
from typing import TypeVar

from django.db.models import QuerySet
from ulid import ULID

from stats_app import public_ids
from stats_app.dimensions import BOT, CAMPAIGN, HUMAN, OTHER, SUSPECTED, VCARD
from stats_app.ingest import ClickInput, record_clicks
from stats_app.links import LinkInput, create_links, new_token
from stats_app.models import Alias, Campaign, CampaignAssignment, Click, TrackedLink, Workspace, WorkspaceUser

BATCH = 5_000
DAYS = 365
LINKED_USERS = 6

_WEEKDAYS = (1.10, 1.15, 1.15, 1.10, 1.00, 0.15, 0.10)
_HOURS = (0, 0, 0, 0, 0, 1, 3, 8, 14, 16, 15, 12, 9, 12, 15, 15, 13, 9, 5, 3, 2, 1, 1, 0)
_KINDS = ((CAMPAIGN, 68), (VCARD, 17), (OTHER, 15))
_VERDICTS = ((HUMAN, "", 94), (SUSPECTED, "several links at once", 3), (BOT, "mail scanner: Barracuda", 3))
_FIRST_NAMES = [
    "Ada",
    "Alan",
    "Annie",
    "Claude",
    "Dorothy",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "Jean",
    "Joan",
    "Karen",
    "Katherine",
    "Ken",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
    "Sophie",
    "Tim",
]
_LAST_NAMES = [
    "Baker",
    "Clarke",
    "Dubois",
    "Evans",
    "Fischer",
    "Garcia",
    "Hansen",
    "Ito",
    "Jansen",
    "Kaur",
    "Lopez",
    "Moreau",
    "Nguyen",
    "Okafor",
    "Petit",
    "Rossi",
    "Silva",
    "Tanaka",
    "Weber",
    "Young",
]
# The campaign's name, its first day of the year, and its length in days; None for no end.
_CAMPAIGNS = (
    ("Company news", 0, None),
    ("Spring launch", 95, 60),
    ("Annual conference", 150, 75),
    ("Customer survey", 20, 40),
    ("We are hiring", 60, 300),
    ("Summer offer", 190, 70),
    ("Case study", 240, None),
    ("Webinar series", 280, 60),
    ("Year-end greeting", 355, 30),
)

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class DemoWorkspace:
    """A workspace of the demo, with the rows that its random clicks refer to."""

    workspace: Workspace
    campaigns: Sequence[Campaign]
    users: Sequence[WorkspaceUser]


def seed(clicks: int, seed_number: int, now: datetime, progress: Callable[[int], None]) -> list[Workspace]:
    """Makes the demo's workspaces and stores `clicks` clicks in total. Existing rows are not changed.

    Each click's id depends only on the seed and its number, so that the next run completes an interrupted one.
    `progress` is called with the number of clicks done.
    """
    rng = random.Random(seed_number)
    places = [
        _workspace(rng, "Acme", "acme.example", "Europe/Paris", 40, now),
        _workspace(rng, "Globex", "globex.example", "America/New_York", 24, now),
    ]
    shares = (clicks * 2 // 3, clicks - clicks * 2 // 3)
    done = 0
    for number, (place, share) in enumerate(zip(places, shares, strict=True)):
        _make_links(place, random.Random(f"{seed_number}-{number}-links"), now)
        stored = Click.objects.filter(workspace=place.workspace).count()
        made = _clicks(place, random.Random(f"{seed_number}-{number}"))
        remaining = share if stored < share else 0
        while remaining:
            batch = list(islice(made, min(BATCH, remaining)))
            record_clicks(place.workspace, batch, now=now)
            remaining -= len(batch)
            done += len(batch)
            progress(done)
    return [place.workspace for place in places]


def _workspace(rng: random.Random, name: str, domain: str, timezone: str, users: int, now: datetime) -> DemoWorkspace:
    workspace, _ = Workspace.objects.get_or_create(
        public_id=_public_id(rng, public_ids.WORKSPACE),
        defaults={"name": name, "timezone": timezone, "created_at": now.replace(microsecond=0)},
    )
    campaigns = [_campaign(rng, workspace, *declared) for declared in _CAMPAIGNS]
    people = [_user(rng, workspace, number, domain) for number in range(users)]
    for campaign in campaigns:
        for user in rng.sample(people, k=len(people) * 2 // 3):
            CampaignAssignment.objects.get_or_create(campaign=campaign, user=user)
    return DemoWorkspace(workspace, campaigns, people)


def _campaign(rng: random.Random, workspace: Workspace, name: str, start: int, length: int | None) -> Campaign:
    first = workspace.today(workspace.created_at) - timedelta(days=DAYS - 1 - start)
    campaign, _ = Campaign.objects.get_or_create(
        public_id=_public_id(rng, public_ids.CAMPAIGN),
        defaults={
            "workspace": workspace,
            "name": name,
            "target_url": f"https://www.example.com/{name.lower().replace(' ', '-')}/",
            "starts_on": first,
            "ends_on": None if length is None else first + timedelta(days=length - 1),
            "is_paused": name == "Case study",
            "created_at": workspace.created_at - timedelta(days=DAYS - start),
        },
    )
    return campaign


def _user(rng: random.Random, workspace: Workspace, number: int, domain: str) -> WorkspaceUser:
    first = _FIRST_NAMES[number % len(_FIRST_NAMES)]
    last = _LAST_NAMES[(number * 7 + number // len(_FIRST_NAMES)) % len(_LAST_NAMES)]
    user, _ = WorkspaceUser.objects.get_or_create(
        public_id=_public_id(rng, public_ids.USER),
        defaults={
            "workspace": workspace,
            "email": f"{first}.{last}@{domain}".lower(),
            "display_name": f"{first} {last}",
            "is_active": number % 11 != 10,
            "created_at": workspace.created_at - timedelta(days=DAYS + number),
        },
    )
    if number % 4 == 0:
        Alias.objects.get_or_create(workspace=workspace, user=user, email=f"{first}.{number}@{domain}".lower())
    return user


def _make_links(place: DemoWorkspace, rng: random.Random, now: datetime) -> None:
    """The links in the signatures of some users: their vCard, the company's site, and the campaigns that they carry."""
    carried = set(CampaignAssignment.objects.filter(campaign__in=place.campaigns).values_list("campaign", "user"))
    inputs = []
    for user in place.users[:LINKED_USERS]:
        name, _, domain = user.email.partition("@")
        inputs += [
            LinkInput(VCARD, f"https://www.example.com/{name}.vcf", user=user),
            LinkInput(OTHER, f"https://www.example.com/{domain}/", user=user),
        ]
        mine = [campaign for campaign in place.campaigns if (campaign.pk, user.pk) in carried]
        inputs += [LinkInput(CAMPAIGN, campaign=campaign, user=user) for campaign in mine]
    create_links(place.workspace, inputs, now=now, make_token=partial(new_token, rng.choice))


def link_to_follow(workspace: Workspace) -> TrackedLink | None:
    """One of the demo's links, which is always the same."""
    vcards: QuerySet[TrackedLink] = workspace.links.filter(kind=VCARD, is_active=True).select_related("user")
    return vcards.order_by("user", "pk").first()


def _public_id(rng: random.Random, prefix: str) -> str:
    return prefix + str(ULID.from_bytes(rng.getrandbits(122).to_bytes(16, "big"))).lower()


def _clicks(place: DemoWorkspace, rng: random.Random) -> Iterator[ClickInput]:
    """An endless series of clicks. None is later than the creation of the workspace, so that a later run makes the
    same."""
    zone = place.workspace.zone
    last = place.workspace.created_at
    midnight = last.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days = [midnight - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    day_weights = list(accumulate(_WEEKDAYS[day.weekday()] * (1 + n / DAYS / 2) for n, day in enumerate(days)))
    hour_weights = list(accumulate(_HOURS))
    user_weights = list(accumulate((rank + 3) ** -0.9 for rank in range(len(place.users))))
    kinds, kind_weights = _weighted(_KINDS)
    verdicts, verdict_weights = _weighted([((verdict, reason), weight) for verdict, reason, weight in _VERDICTS])
    running = {day: [c for c in place.campaigns if _runs(c, day)] for day in days}
    while True:
        [day] = rng.choices(days, cum_weights=day_weights)
        [hour] = rng.choices(range(24), cum_weights=hour_weights)
        clicked_at = (day + timedelta(hours=hour, seconds=rng.randrange(3600))).replace(tzinfo=zone).astimezone(UTC)
        [kind] = rng.choices(kinds, cum_weights=kind_weights)
        [user] = rng.choices(place.users, cum_weights=user_weights)
        [(verdict, reason)] = rng.choices(verdicts, cum_weights=verdict_weights)
        click_id = ULID.from_bytes(int(clicked_at.timestamp() * 1000).to_bytes(6, "big") + rng.randbytes(10))
        campaign = running[day][int(len(running[day]) * rng.random() ** 2)].public_id if kind == CAMPAIGN else None
        if clicked_at <= last:
            yield ClickInput(kind, click_id, campaign, user.public_id, None, None, clicked_at, verdict, reason)


def _runs(campaign: Campaign, day: datetime) -> bool:
    date = day.date()
    return (campaign.starts_on is None or campaign.starts_on <= date) and (
        campaign.ends_on is None or date <= campaign.ends_on
    )


def _weighted(choices: Sequence[tuple[Thing, float]]) -> tuple[list[Thing], list[float]]:
    return [thing for thing, _ in choices], list(accumulate(weight for _, weight in choices))
