"""Everything around the figures: the direction of names, the parameters that addresses keep, the host's templates."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client

from stats_app.ingest import ClickInput
from stats_app.models import Campaign, Workspace, WorkspaceUser
from tests.dashboard_cast import NOW, address, at, csv_lines, show
from tests.factories import make_campaign, make_user, make_workspace, record_all

pytestmark = pytest.mark.django_db

STATIC = Path(__file__).resolve().parent.parent / "stats_app" / "static" / "stats_app"
MARCH = {"from_": "2026-03-01", "to": "2026-03-31"}


def named(name: str) -> tuple[Workspace, Campaign, WorkspaceUser]:
    """A workspace, a campaign and a user of this name, with a click of both."""
    workspace = make_workspace(name=name)
    campaign, user = make_campaign(workspace, name=name), make_user(workspace, display_name=name)
    record_all(workspace, [ClickInput("campaign", campaign=campaign, user=user, clicked_at=at("2026-03-02"))])
    return workspace, campaign, user


@pytest.mark.parametrize("name", ["מבצע חורף!", "Spring"])
def test_every_name_stands_in_its_own_direction(staff: Client, name: str) -> None:
    make_workspace()
    for url in ("/stats/", *map(address, named(name))):
        page = show(staff, url, **MARCH)
        body = page[page.index("<body") :]
        assert f'<bdi dir="auto">{name}</bdi>' in body
        assert name not in body.replace(f'<bdi dir="auto">{name}</bdi>', ""), url


def test_a_name_that_cannot_be_seen_gives_way_to_the_public_id(staff: Client) -> None:
    make_workspace()
    workspace, campaign, user = named("\u200b")
    links = [(url, link) for url in ("/stats/", address(workspace)) for link in links_of(show(staff, url, **MARCH))]
    for thing, url in ((workspace, "/stats/"), (campaign, address(workspace)), (user, address(workspace))):
        assert (url, (address(thing), thing.public_id)) in links
        assert f'<h1><bdi dir="auto">{thing.public_id}</bdi></h1>' in show(staff, address(thing))


def links_of(page: str) -> list[tuple[str, str]]:
    """The path and the name of each link to a thing with a name."""
    return re.findall(r'<a href="([^"?]*)[^"]*"><bdi dir="auto">(.*?)</bdi></a>', page)


def test_correcting_the_dates_of_a_preset_keeps_the_order_of_tables_and_the_file(staff: Client) -> None:
    workspace, _, _ = named("Acme")
    with time_machine.travel(NOW, tick=False):
        page = show(staff, address(workspace), period="this-month", users="name", campaigns="-change")
        form = page[page.index('<form method="get"') :]
        form = form[: form.index("</form>")]
        hidden = {"period": "this-month", "users": "name", "campaigns": "-change"}
        assert dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)) == hidden
        [link] = re.findall(r'href="\?(period=last-month[^"]*)"', page)
        assert dict(parse_qsl(html.unescape(link))) == hidden | {"period": "last-month"}

        dates = dict(re.findall(r'name="(from|to)" value="([^"]*)"', form))
        sent = {"period": "this-month", "breakdown": "week", "users": "name", "format": "csv", "table": "users"} | dates
        response = staff.get(address(workspace), sent)
        assert dict(parse_qsl(response.headers["Location"].removeprefix("?"))) == {
            "period": "this-month",
            "breakdown": "week",
            "users": "name",
            "format": "csv",
            "table": "users",
        }
        [line] = csv_lines(staff.get(address(workspace) + response.headers["Location"]))
        assert (line["table"], line["name"], line["clicks"]) == ("users", "Acme", "1")


def test_forms_show_what_the_page_shows_also_on_the_way_back(staff: Client) -> None:
    """Browsers fill fields with what was chosen before, unless they are told not to."""
    make_workspace()
    for url in ("/stats/", *map(address, named("Acme"))):
        [form] = re.findall(r'<form method="get".*?</form>', show(staff, url), re.DOTALL)
        own = re.findall("<(?:input|select) [^>]*>", form)
        fields = [field for field in own if 'type="hidden"' not in field]
        assert fields
        assert all('autocomplete="off"' in field for field in fields) or 'autocomplete="off"' in form.partition(">")[0]


def test_the_dates_are_unfolded_where_one_is_wrong(staff: Client) -> None:
    workspace = make_workspace()
    assert '<details class="stats-dates">' in show(staff, address(workspace))
    assert '<details class="stats-dates" open>' in show(staff, address(workspace), from_="soon", to="2026-03-01")


def test_a_host_puts_its_own_into_the_frame(staff: Client, settings: Any, tmp_path: Path) -> None:
    """By a template of the same name that extends ours, in a folder that comes first."""
    folder = tmp_path / "stats_app" / "dashboard"
    folder.mkdir(parents=True)
    blocks = {
        "site_name": "Northwind",
        "icon": '<link rel="icon" href="/northwind.svg">',
        "head": '<link rel="stylesheet" href="/northwind.css">',
        "navigation": "<nav>Northwind's own</nav>",
        "foot": "<footer>Imprint</footer>",
    }
    filled = "".join(f"{{% block {name} %}}{filling}{{% endblock %}}" for name, filling in blocks.items())
    (folder / "base.html").write_text(f'{{% extends "stats_app/dashboard/base.html" %}}{filled}', encoding="utf-8")
    [engine] = django_settings.TEMPLATES
    settings.TEMPLATES = [engine | {"DIRS": [tmp_path, *engine["DIRS"]]}]
    make_workspace()
    for url in ("/stats/", *map(address, named("Acme")), "/stats/nothing/"):
        page = staff.get(url).content.decode()
        assert re.search(r"<title>.* · Northwind</title>", page), url
        assert "stats_app/icon.svg" not in page
        # The host's colours come after ours.
        assert page.index("stats.css") < page.index(blocks["head"]) < page.index("</head>")
        assert page.index("<body") < page.index(blocks["navigation"]) < page.index('<header class="stats-top">')
        assert page.index("</main>") < page.index(blocks["foot"]) < page.index("</body>")


@pytest.mark.parametrize("name", ["stats.css", "admin.css"])
def test_every_colour_that_others_may_leave_out_has_one_to_fall_back_on(name: str) -> None:
    """The names with an underscore are our own, and always there."""
    used = re.findall(r"var\((--[\w-]+)\s*([,)])", (STATIC / name).read_text(encoding="utf-8"))
    assert used
    assert [variable for variable, after in used if not variable.startswith("--_") and after == ")"] == []
