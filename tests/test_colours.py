"""The colours of charts: everybody can distinguish them, on both backgrounds, and a campaign's colour is stable."""

from __future__ import annotations

import itertools
import math
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from stats_app.ingest import ClickInput
from stats_app.reports.colours import COLOURS, assigned_colours
from tests.admin_cast import superuser
from tests.dashboard_cast import NOW, address, show
from tests.factories import make_campaign, make_workspace, record_all

CSS = Path(__file__).resolve().parent.parent / "stats_app" / "static" / "stats_app" / "stats.css"
SCHEMES = ("light", "dark")

Colour = tuple[float, ...]

# Machado, Oliveira and Fernandes (2009), for the whole lack of one kind of cones; of linear RGB.
VISIONS: dict[str, tuple[Colour, ...]] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
# In OKLab a difference of 0.02 can just be seen between two adjacent fields. Fields of a legend are not adjacent.
LEAST_DISTANCE = 0.08


def declared(scheme: str) -> dict[str, Colour]:
    """The colours of the stylesheet by their names, as linear RGB."""
    colours = re.findall(
        r"--_(\w+): var\(--stats-\w+, light-dark\(#(\w{6}), #(\w{6})\)\)", CSS.read_text(encoding="utf-8")
    )
    return {name: linear(light if scheme == "light" else dark) for name, light, dark in colours}


def linear(digits: str) -> Colour:
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def seen(colour: Colour, vision: str) -> Colour:
    sums = (sum(weight * part for weight, part in zip(row, colour, strict=True)) for row in VISIONS[vision])
    return tuple(min(1.0, max(0.0, part)) for part in sums)


def oklab(colour: Colour) -> Colour:
    to_cones = (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
    to_lab = (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
    cones = [sum(w * part for w, part in zip(row, colour, strict=True)) ** (1 / 3) for row in to_cones]
    return tuple(sum(w * cone for w, cone in zip(row, cones, strict=True)) for row in to_lab)


def contrast(one: Colour, other: Colour) -> float:
    """By WCAG 2."""
    low, high = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other))
    return (high + 0.05) / (low + 0.05)


def of_series(scheme: str) -> dict[str, Colour]:
    return {name: colour for name, colour in declared(scheme).items() if re.fullmatch(r"c\d|rest", name)}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_there_are_seven_and_a_grey(scheme: str) -> None:
    assert sorted(of_series(scheme)) == [*(f"c{number}" for number in range(1, COLOURS + 1)), "rest"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("vision", VISIONS)
def test_everybody_can_tell_them_apart(scheme: str, vision: str) -> None:
    points = {name: oklab(seen(colour, vision)) for name, colour in of_series(scheme).items()}
    distances = {pair: math.dist(points[pair[0]], points[pair[1]]) for pair in itertools.combinations(points, 2)}
    assert {pair: distance for pair, distance in distances.items() if distance < LEAST_DISTANCE} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_can_be_seen_on_its_ground_and_on_that_of_the_admin(scheme: str) -> None:
    colours = declared(scheme)
    grounds = [colours["ground"], linear("ffffff" if scheme == "light" else "121212")]
    found = {name: contrast(colour, ground) for name, colour in of_series(scheme).items() for ground in grounds}
    assert {name: ratio for name, ratio in found.items() if ratio < 3} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["text", "quiet", "accent", "up", "down"])
def test_texts_can_be_read(scheme: str, name: str) -> None:
    colours = declared(scheme)
    assert min(contrast(colours[name], colours[ground]) for ground in ("ground", "raised")) >= 4.5


keys = st.integers(1, 60)


@given(
    places=st.lists(keys, unique=True, max_size=60).map(
        lambda found: {key: at for at, key in enumerate(sorted(found))}
    ),
    data=st.data(),
)
def test_no_two_of_a_chart_are_alike(places: dict[int, int], data: Any) -> None:
    some = st.lists(st.sampled_from(sorted(places)), unique=True, max_size=COLOURS) if places else st.just([])
    shown, recent = data.draw(some), data.draw(some)
    colours = assigned_colours(shown, recent, places)
    assert sorted(colours) == sorted(shown)
    assert len(set(colours.values())) == len(shown)
    assert set(colours.values()) <= set(range(1, COLOURS + 1))
    # The rank changes nothing.
    assert assigned_colours(shown[::-1], recent[::-1], places) == colours
    # The campaigns with the most recent clicks keep their colours, whatever else is shown.
    assert {key: colours[key] for key in shown if key in recent} == {
        key: colour for key, colour in assigned_colours(recent, recent, places).items() if key in shown
    }


@given(shown=st.lists(st.integers(0, COLOURS - 1), unique=True, max_size=COLOURS))
def test_up_to_seven_campaigns_have_theirs_for_good(shown: list[int]) -> None:
    places = {key: key for key in range(COLOURS)}
    assert assigned_colours(shown, [], places) == {key: key + 1 for key in shown}


def test_the_older_of_two_keeps_its_own() -> None:
    places = {key: key for key in range(20)}
    assert assigned_colours([8, 1], [], places) == {1: 2, 8: 3}
    assert assigned_colours([8], [], places) == {8: 2}
    # If both have many recent clicks, the younger one keeps the colour that it got beside the older one.
    assert assigned_colours([8], [8, 1], places) == {8: 3}


@pytest.mark.django_db
def test_a_campaign_has_one_colour_in_7_30_and_90_days() -> None:
    """Ten campaigns, of which other ones lead in each of the periods."""
    workspace = make_workspace()
    campaigns = [make_campaign(workspace, name=f"Campaign {number}") for number in range(10)]
    leading = {3: [9, 2, 7], 20: [2, 7, 4, 9], 60: [4, 7, 5, 2, 0, 9]}
    record_all(
        workspace,
        [
            ClickInput("campaign", campaign=campaigns[number], clicked_at=NOW - timedelta(days=days))
            for days, order in leading.items()
            for clicks, number in enumerate(reversed(order), 1)
            for _ in range(clicks * days)
        ],
    )
    client = superuser()
    shown = {}
    with time_machine.travel(NOW, tick=False):
        for days in (7, 30, 90):
            start = NOW.date() - timedelta(days=days - 1)
            shown[days] = colours_of(show(client, address(workspace), from_=str(start), to=str(NOW.date())))
    assert {days: list(colours) for days, colours in shown.items()} == {
        7: ["Campaign 9", "Campaign 2", "Campaign 7"],
        30: ["Campaign 2", "Campaign 7", "Campaign 4", "Campaign 9"],
        90: ["Campaign 4", "Campaign 7", "Campaign 2", "Campaign 5", "Campaign 0", "Campaign 9"],
    }
    assert len(set(shown[90].values())) == 6
    assert {name: shown[90][name] for name in shown[7]} == shown[7]
    assert {name: shown[90][name] for name in shown[30]} == shown[30]


@pytest.mark.django_db
def test_more_than_seven_go_into_the_grey_rest() -> None:
    workspace = make_workspace()
    day = datetime.combine(date(2026, 3, 2), NOW.time(), NOW.tzinfo)
    record_all(
        workspace,
        [
            ClickInput("campaign", campaign=campaign, clicked_at=day)
            for number in range(9)
            for campaign in [make_campaign(workspace, name=f"Campaign {number}")]
            for _ in range(20 - number)
        ],
    )
    with time_machine.travel(NOW, tick=False):
        page = show(superuser(), address(workspace), from_="2026-03-02", to="2026-03-02")
    expected = {f"Campaign {number}": f"c{number + 1}" for number in range(7)} | {"Other campaigns": "rest"}
    assert colours_of(page) == expected
    cells = re.findall(r"<td>([\d,]*)</td>", page[page.index('id="stats-campaigns-table"') :])
    assert cells[:9] == ["20", "19", "18", "17", "16", "15", "14", "25", "144"]


def colours_of(page: str) -> dict[str, str]:
    """The colour of each column of the campaigns' chart."""
    table = page[page.index('id="stats-campaigns-table"') :]
    head = table[: table.index("</thead>")]
    return {name: colour for colour, name in re.findall(r'data-colour="(\w+)"><span><bdi dir="auto">(.*?)</bdi>', head)}
