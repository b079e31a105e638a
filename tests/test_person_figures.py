"""The setting PERSON_FIGURES: whose clicks are shown by person."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import override_settings
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from stats_app import person_figures
from stats_app.erasures import erase_user
from stats_app.errors import PersonFiguresOff
from stats_app.exports import export_clicks
from stats_app.ingest import ClickInput
from stats_app.links import LinkInput, create_links
from stats_app.models import Campaign, ClickRecord, Workspace, WorkspaceUser
from stats_app.sharing import share
from stats_app.tools import TOOLS
from tests.admin_cast import address as admin_address
from tests.admin_cast import superuser
from tests.dashboard_cast import NOW, address, at, csv_lines, figures, show, table
from tests.factories import assign, make_alias, make_campaign, make_key, make_user, make_workspace, record_all
from tests.mcp.calls import call, failure
from tests.rest import CLICKS, USERS, ask_both, get, problem, statements


@pytest.mark.parametrize(
    ("setting", "are_shown", "are_all_shown", "least"),
    [("full", True, True, 0), (1, True, False, 1), (2, True, False, 2), ("totals", False, False, math.inf)],
)
def test_what_is_shown(setting: Any, are_shown: bool, are_all_shown: bool, least: float, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    assert person_figures.are_shown() is are_shown
    assert person_figures.are_all_shown() is are_all_shown
    assert person_figures.least() == least


def test_all_is_shown_by_default(settings: Any) -> None:
    del settings.STATS_APP
    assert person_figures.are_all_shown()


@pytest.mark.parametrize(
    ("setting", "figures", "least"),
    [
        ("full", [0, 7], 0),
        ("totals", [0, 7], math.inf),
        (5, [], 5),
        (5, [5, 6], 5),
        (5, [4, 4, 6], 5),
        (5, [0, 0, 6], 5),
        (5, [4, 6, 9], 7),
        (5, [4, 6, 6, 9], 7),
        (5, [0, 6, 9], 7),
        (5, [4], math.inf),
    ],
)
def test_nobody_is_withheld_alone(setting: Any, figures: list[int], least: float, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    assert person_figures.least_shown(figures) == least


@given(st.lists(st.integers(0, 9)), st.integers(1, 9))
def test_never_all_but_one_are_shown(figures: list[int], setting: int) -> None:
    with override_settings(STATS_APP={"PERSON_FIGURES": setting}):
        least = person_figures.least_shown(figures)
        withheld = [clicks for clicks in figures if clicks < least]
        assert len(withheld) != 1 or len(figures) == 1
        assert all(clicks in withheld for clicks in figures if clicks < person_figures.least())


def test_the_error_says_which() -> None:
    assert str(PersonFiguresOff(math.inf)) == "This server does not show clicks by person."
    assert str(PersonFiguresOff(5)) == (
        "This server does not show this person's figures: those of persons with fewer than 5 clicks in the period are "
        "withheld, and if that is only one person, also the next smallest figure."
    )


LEAST = 400
PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
DATES = PERIOD | {"breakdown": "month"}
QUERIES = (
    *({}, PERIOD, DATES, DATES | {"format": "csv"}, DATES | {"compare": "none"}, {"period": "last-28-days"}),
    {"from": "2026-02-01", "to": "2026-02-28"},
)


class Cast(NamedTuple):
    """Ada has enough clicks in March to be shown with LEAST, Bob and Carol have not; of February none has."""

    workspace: Workspace
    campaign: Campaign
    persons: dict[str, WorkspaceUser]
    clicks: dict[str, int]
    key: str

    @property
    def ada(self) -> WorkspaceUser:
        return self.persons["Ada"]

    @property
    def bob(self) -> WorkspaceUser:
        return self.persons["Bob"]


@pytest.fixture
def cast() -> Iterator[Cast]:
    """The figures are numbers that occur nowhere else on the pages."""
    with time_machine.travel(NOW, tick=False):
        workspace = make_workspace()
        campaign = make_campaign(workspace)
        clicks = {"Ada": 461, "Bob": 389, "Carol": 263}
        persons = {
            name: make_user(workspace, display_name=f"{name} Person", email=f"{name.lower()}@persons.example")
            for name in clicks
        }
        for user in persons.values():
            make_alias(user, email=f"alias.{user.email}")
        assign(campaign, *persons.values())
        inputs = [LinkInput("other", "https://a.example/", user=user) for user in persons.values()]
        links = create_links(workspace, inputs).links
        for (name, user), link in zip(persons.items(), links, strict=True):
            numbers = range(clicks[name])
            record_all(
                workspace, (ClickInput("other", user=user, link=link, clicked_at=at("2026-03-10")) for _ in numbers)
            )
            record_all(workspace, (ClickInput("vcard", user=user, clicked_at=at("2026-02-10")) for _ in range(137)))
        yield Cast(workspace, campaign, persons, clicks, make_key(workspace))


def told(name: str, user: WorkspaceUser, content: str) -> bool:
    """Whether a text names the person, in any way."""
    return any(word in content for word in (user.public_id, user.email, user.display_name))


def assert_withheld(cast: Cast, url: str, content: str, least: float) -> None:
    """Asserts that no withheld figure appears where its person is named."""
    for name, user in cast.persons.items():
        figures = [figure for figure in (cast.clicks[name], 137) if figure < least]
        shown = [figure for figure in figures if re.search(rf"(?<![0-9a-zA-Z_-]){figure}(?![0-9a-zA-Z])", content)]
        assert not (shown and told(name, user, url + content)), (url, name, shown)


def addresses(cast: Cast) -> Iterator[tuple[str, str]]:
    """Every address of the API and the staff pages that a GET answers: its name and its path."""
    values = {
        "workspace_id": cast.workspace.public_id,
        "campaign_id": cast.campaign.public_id,
        "campaignPublicId": cast.campaign.public_id,
        "secret": share(cast.workspace, None, last_day=date(2026, 4, 1), names_people=True, maker="grace", now=NOW)[1],
    }
    for module in ("stats_app.api.urls", "stats_app.dashboard.urls"):
        urls = import_module(module)
        for pattern in (pattern for pattern in urls.urlpatterns if pattern.name):
            names = list(pattern.pattern.converters) or list(re.compile(pattern.pattern.regex).groupindex)
            of_person = next((name for name in names if name in ("user_id", "userPublicId")), None)
            for user in cast.persons.values() if of_person else [None]:
                known = values | ({of_person: user.public_id} if user and of_person else {})
                arguments = {name: known[name] for name in names}
                yield pattern.name, reverse(f"{urls.app_name}:{pattern.name}", kwargs=arguments)


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["totals", LEAST])
def test_no_figure_stands_beside_a_person_who_is_withheld(cast: Cast, setting: Any, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    staff = superuser()
    seen = set()
    for name, url in addresses(cast):
        for query in QUERIES:
            response = staff.get(url, query, follow=True, headers={"x-api-key": cast.key})
            assert response.status_code < 500, url
            content = b"".join(response) if response.streaming else response.content
            assert_withheld(cast, f"{url}?{urlencode(query)}", content.decode(), person_figures.least())
            seen.add((name, response.status_code))
    assert {
        ("workspace", 200),
        ("shared", 200),
        ("users", 200),
        ("user", 200),
        ("user", 403),
        ("user-metrics", 403),
        ("click-list", 200),
    } <= seen


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["totals", LEAST])
def test_no_tool_tells_a_figure_of_a_person_who_is_withheld(cast: Cast, setting: Any, settings: Any) -> None:
    pytest.importorskip("mcp")
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    for user in cast.persons.values():
        for name, tool in TOOLS.items():
            known = DATES | {"campaignPublicId": cast.campaign.public_id, "userPublicId": user.public_id}
            arguments = {name: known[name] for name in tool.parameters().fields if name in known}
            assert_withheld(cast, name, json.dumps(call(cast.key, name, arguments)), person_figures.least())


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["totals", LEAST])
def test_single_clicks_tell_of_no_person(cast: Cast, setting: Any, settings: Any) -> None:
    """Neither by API nor in the admin nor as a file: they could be added up."""
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    contents = [get(cast.key, CLICKS, {"pageSize": "200"}).content.decode(), *map("".join, _exports(cast.workspace))]
    admin_list, staff = reverse("admin:stats_app_clickrecord_changelist"), superuser()
    clicks = ClickRecord.objects.filter(workspace=cast.workspace)[:2]
    pages = [
        admin_list,
        f"{admin_list}?verdict=human",
        *(admin_address("clickrecord", "change", one) for one in clicks),
    ]
    contents += [staff.get(page).content.decode() for page in pages]
    links = list(cast.workspace.links.values_list("token", flat=True))
    for content in contents:
        assert not any(told(name, user, content) for name, user in cast.persons.items())
        assert not any(token in content for token in links)


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["totals", LEAST])
def test_single_clicks_are_not_found_by_person(cast: Cast, setting: Any, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    response = get(cast.key, CLICKS, {"userPublicId": cast.ada.public_id})
    detail = "This server does not show which person a single click belongs to; leave userPublicId out."
    assert (response.status_code, response.json()) == (403, off(detail))
    staff, url = superuser(), reverse("admin:stats_app_clickrecord_changelist")
    assert staff.get(url, {"user__id__exact": cast.ada.pk}).status_code == 400
    for word in (cast.ada.public_id, cast.ada.email):
        assert "field-local_time" not in staff.get(url, {"q": word}).content.decode()
    page = staff.get(admin_address("workspaceuser", "change", cast.ada)).content.decode()
    assert "clickrecord/?" not in page


@pytest.mark.django_db
def test_a_setting_that_shows_all_tells_of_persons(cast: Cast) -> None:
    """The tests above would notice figures that are shown."""
    staff = superuser()
    assert get(cast.key, f"{USERS}{cast.bob.public_id}/metrics/", PERIOD).json()["metrics"]["totalClicks"] == 389
    with pytest.raises(AssertionError):
        assert_withheld(cast, "", staff.get(address(cast.workspace), DATES).content.decode(), LEAST)
    of_bob = address(cast.bob)
    with pytest.raises(AssertionError):
        assert_withheld(cast, of_bob, staff.get(of_bob, DATES | {"format": "csv"}).content.decode(), LEAST)
    for text in _exports(cast.workspace):
        assert all(told(name, user, text) for name, user in cast.persons.items())
    assert get(cast.key, CLICKS, {"userPublicId": cast.ada.public_id}).json()["results"]
    assert (
        cast.ada.email
        in staff.get(reverse("admin:stats_app_clickrecord_changelist"), {"q": cast.ada.email}).content.decode()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["totals", LEAST])
def test_the_admin_deletes_nobody_because_only_people_without_clicks_can_be(
    cast: Cast, setting: Any, settings: Any
) -> None:
    idle = make_user(cast.workspace)
    page = reverse("admin:stats_app_workspaceuser_delete", args=[idle.pk])
    people = reverse("admin:stats_app_workspaceuser_changelist")
    selected = {"action": "delete_selected", "_selected_action": [idle.pk, cast.ada.pk], "post": "yes"}
    settings.STATS_APP = {"PERSON_FIGURES": setting}
    staff = superuser()
    assert (staff.get(page).status_code, staff.post(page, {"post": "yes"}).status_code) == (403, 403)
    assert b"delete_selected" not in staff.get(people).content
    staff.post(people, selected)
    assert WorkspaceUser.objects.filter(pk__in=[idle.pk, cast.ada.pk]).count() == 2
    settings.STATS_APP = {}
    assert staff.post(page, {"post": "yes"}).status_code == 302
    assert not WorkspaceUser.objects.filter(pk=idle.pk).exists()


@pytest.mark.django_db
def test_totals_refuses_the_tool(cast: Cast, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": "totals"}
    url = f"{USERS}{cast.ada.public_id}/metrics/"
    response = ask_both(cast.key, url, PERIOD)
    text = "This server does not show clicks by person."
    assert (response.status_code, response.headers["Content-Type"], response.json()) == (
        *(403, "application/problem+json"),
        off(text),
    )
    assert response.headers["RateLimit"]
    assert cast.workspace.tool_calls.latest("pk").outcome == "person_figures_off"
    # Invalid input is reported first; whether the user exists is not revealed.
    assert ask_both(cast.key, url, {"from": "x"}).status_code == 400
    assert ask_both(cast.key, f"{USERS}usr_{'0' * 26}/metrics/").status_code == 403
    assert ask_both(make_key(cast.workspace, ["clicks:read"]), url).json()["code"] == "permission_denied"
    result = call(cast.key, "stats_get_user_metrics", PERIOD | {"userPublicId": cast.ada.public_id})
    assert result == failure(f"{text} {REMEDY}", "person_figures_off")


@pytest.mark.django_db
def test_a_number_refuses_the_tool_below_it(cast: Cast, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": LEAST}
    shown = ask_both(cast.key, f"{USERS}{cast.ada.public_id}/metrics/", PERIOD)
    assert (shown.status_code, shown.json()["metrics"]["totalClicks"]) == (200, 461)
    response = ask_both(cast.key, f"{USERS}{cast.bob.public_id}/metrics/", PERIOD)
    text = str(PersonFiguresOff(LEAST))
    assert (response.status_code, response.json()) == (403, off(text))
    assert ask_both(cast.key, f"{USERS}usr_{'0' * 26}/metrics/").status_code == 404
    result = call(cast.key, "stats_get_user_metrics", PERIOD | {"userPublicId": cast.bob.public_id})
    assert result == failure(f"{text} {REMEDY}", "person_figures_off")


@pytest.mark.django_db
def test_all_but_one_are_not_told(cast: Cast, settings: Any) -> None:
    """The total less the others' would be Carol's."""
    settings.STATS_APP = {"PERSON_FIGURES": 300}
    asked = {name: get(cast.key, f"{USERS}{user.public_id}/metrics/", PERIOD) for name, user in cast.persons.items()}
    assert {name: answer.status_code for name, answer in asked.items()} == {"Ada": 200, "Bob": 403, "Carol": 403}
    page = show(superuser(), address(cast.workspace), **DATES)
    assert [row[:2] for row in table(page, "users")] == [["Ada Person", "461"]]
    assert "All others, and clicks without a user" in page
    # A user who has opted out is ignored for the minimum; a user without clicks is not.
    make_user(cast.workspace, is_opted_out=True)
    assert get(cast.key, f"{USERS}{cast.bob.public_id}/metrics/", PERIOD).status_code == 403
    make_user(cast.workspace)
    assert get(cast.key, f"{USERS}{cast.bob.public_id}/metrics/", PERIOD).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("is_erased", [False, True])
def test_opting_out_or_being_erased_tells_no_figure_that_was_withheld(
    cast: Cast, is_erased: bool, settings: Any
) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": 300}
    if is_erased:
        erase_user(cast.persons["Carol"], now=NOW)
    else:
        WorkspaceUser.objects.filter(pk=cast.persons["Carol"].pk).update(is_opted_out=True)
    page = show(superuser(), address(cast.workspace), **DATES)
    assert [row[:2] for row in table(page, "users")] == [["Ada Person", "461"]]
    assert get(cast.key, f"{USERS}{cast.bob.public_id}/metrics/", PERIOD).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("users", [0, 60])
def test_what_is_withheld_costs_few_reads(cast: Cast, users: int, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": LEAST}
    for _ in range(users):
        make_user(cast.workspace)
    url = f"{USERS}{cast.ada.public_id}/metrics/"
    get(cast.key, url, PERIOD)
    with statements() as run:
        get(cast.key, url, PERIOD)
    settings.STATS_APP = {}
    with statements() as usual:
        get(cast.key, url, PERIOD)
    assert len(run) - len(usual) == 2


@pytest.mark.django_db
def test_pages_compare_with_no_period_that_is_withheld(cast: Cast, settings: Any) -> None:
    settings.STATS_APP = {"PERSON_FIGURES": LEAST}
    staff = superuser()
    page = show(staff, address(cast.ada), **DATES)
    assert figures(page)["All clicks"] == "461"
    assert "Nothing is compared with this period. Figures of persons with fewer than 400 clicks" in page
    assert {line["previousClicks"] for line in csv_lines(staff.get(address(cast.ada), DATES | {"format": "csv"}))} == {
        ""
    }
    [row] = [
        line
        for line in csv_lines(staff.get(address(cast.workspace), DATES | {"format": "csv"}))
        if line["table"] == "users"
    ]
    assert (row["name"], row["clicks"], row["previousClicks"], row["change"]) == ("Ada Person", "461", "", "")


@pytest.mark.django_db
def test_pages_say_what_is_withheld(cast: Cast, settings: Any) -> None:
    staff = superuser()
    settings.STATS_APP = {"PERSON_FIGURES": "totals"}
    page = show(staff, address(cast.ada), **DATES)
    assert "This site does not show clicks by person." in page
    assert not any(part in page for part in ("stats-figures", "Choose dates"))
    overview = show(staff, address(cast.workspace), **DATES)
    assert not any(part in overview for part in ('id="users-title"', "table=users"))
    settings.STATS_APP = {"PERSON_FIGURES": LEAST}
    page = show(staff, address(cast.bob), **DATES)
    assert "Figures of persons with fewer than 400 clicks in a period are withheld" in page
    assert "Choose dates" in page
    assert "stats-figures" not in page
    response = staff.get(address(cast.bob), DATES | {"format": "csv"}, headers={"accept-language": "fr"})
    assert (response.status_code, response.headers["Content-Type"]) == (403, "text/plain; charset=utf-8")
    assert response.content.decode().startswith("Les chiffres des personnes ayant moins de 400 clics")
    everybody_withheld = show(staff, address(cast.workspace), from_="2026-02-01", to="2026-02-28", breakdown="month")
    assert table(everybody_withheld, "users") == []


REMEDY = (
    "Calling again for the same period does not help: ask for the whole workspace with "
    "stats_get_workspace_overview, or for a campaign with stats_get_campaign_performance."
)


def off(detail: str) -> dict[str, Any]:
    return problem(403, "person_figures_off", "Figures of persons are off", detail)


def _exports(workspace: Workspace) -> list[str]:
    return ["".join(export_clicks(workspace, form=form)) for form in ("csv", "jsonl")]
