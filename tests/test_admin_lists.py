"""The lists of clicks and tool calls, with keyset pagination. Longer lists need no more queries."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from ulid import ULID

from stats_app.ingest import ClickInput
from stats_app.models import ApiKey, CampaignAssignment, ClickRecord, ToolCall, TrackedLink, Workspace
from tests.admin_cast import MODELS, NOON, address, make_call, make_tenant, page, superuser
from tests.factories import assign, make_alias, make_campaign, make_user, make_workspace, record_all
from tests.sqlite_steps import steps_of_sqlite

pytestmark = pytest.mark.django_db


def listed(staff: Client, url: str, **query: Any) -> list[Any]:
    return list(staff.get(url, query).context["cl"].result_list)


def pages(staff: Client, url: str, rel: str = "next") -> list[list[Any]]:
    """The rows of every page, along the links of the pages themselves."""
    pages_so_far = []
    base, query = url.split("?")[0], "?" + url.partition("?")[2]
    while query:
        response = staff.get(base + query)
        pages_so_far.append(list(response.context["cl"].result_list))
        link = re.search(rf'<a href="([^"]*)" rel="{rel}"', response.content.decode())
        query = html.unescape(link[1]) if link else ""
        assert len(pages_so_far) < 20
    return pages_so_far


def test_it_pages_through_clicks_of_one_instant_each_once_and_back() -> None:
    workspace = make_workspace()
    record_all(workspace, [ClickInput("other", ULID(), clicked_at=NOON) for _ in range(120)])
    record_all(workspace, [ClickInput("other", ULID(), clicked_at=NOON - timedelta(days=1))])
    record_all(make_workspace(name="Zeta"), [ClickInput("other", ULID(), clicked_at=NOON)])
    newest_first = list(ClickRecord.objects.filter(workspace=workspace).order_by("-clicked_at", "-id"))
    staff = superuser()
    forth = pages(staff, address("clickrecord"))
    assert [len(rows) for rows in forth] == [50, 50, 21]
    assert [row for rows in forth for row in rows] == newest_first
    last = forth[-1][-1]
    after = (last.clicked_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    day = last.clicked_at.date().toordinal() - datetime(1970, 1, 1, tzinfo=UTC).date().toordinal()
    back = pages(staff, f"{address('clickrecord')}?workspace={workspace.pk}&after={day}-{after}-{last.id}", "prev")
    assert [row for rows in reversed(back) for row in rows] == newest_first[:120]


def test_pages_stay_whole_while_new_clicks_come_in() -> None:
    workspace = make_workspace()
    record_all(workspace, [ClickInput("other", ULID(), clicked_at=NOON) for _ in range(70)])
    staff = superuser()
    first = staff.get(address("clickrecord"))
    record_all(workspace, [ClickInput("other", ULID(), clicked_at=NOON + timedelta(hours=1))])
    second = listed(staff, address("clickrecord") + first.context["cl"].older_query)
    assert len({*first.context["cl"].result_list, *second}) == 70


@pytest.mark.parametrize("position", ["", "x", "1-2", "1-2-3", "9" * 11 + "-1-" + "0" * 26, "1-" + "9" * 20])
@pytest.mark.parametrize("model", ["clickrecord", "toolcall"])
def test_a_position_that_is_none_leads_to_the_newest(model: str, position: str) -> None:
    make_tenant()
    for side in ("before", "after"):
        response = superuser().get(address(model), {side: position})
        assert (response.status_code, response.headers["Location"]) == (302, f"{address(model)}?e=1")


def test_clicks_are_those_of_one_workspace_chosen_or_the_first_with_clicks() -> None:
    make_workspace(name="Aardvark")
    acme, globex = make_tenant("Acme"), make_tenant("Globex")
    staff = superuser()
    assert listed(staff, address("clickrecord")) == [acme.clickrecord]
    assert listed(staff, address("clickrecord"), workspace=globex.workspace.pk) == [globex.clickrecord]
    of_campaign = {"workspace": globex.workspace.pk, "campaign__id__exact": globex.campaign.pk}
    assert listed(staff, address("clickrecord"), **of_campaign) == [globex.clickrecord]
    selected = [choice for choice in _choices(staff.get(address("clickrecord")), 0) if choice["selected"]]
    assert [choice["display"] for choice in selected] == ["Acme"]


def _choices(response: Any, number: int) -> list[dict[str, Any]]:
    changelist = response.context["cl"]
    return list(changelist.filter_specs[number].choices(changelist))


def test_it_shows_a_click_whole_with_its_local_time() -> None:
    tenant = make_tenant(timezone="Asia/Kathmandu")
    text = page(superuser(), address("clickrecord", "change", tenant.clickrecord))
    for shown in (
        str(tenant.clickrecord.id).lower(),
        "17:45:00 +0545",
        "Acme spring",
        "Acme Ada",
        "a.lovelace@acme.example",
    ):
        assert shown in text
    assert ('<input type="text"' in text, "History" in text, "visitor" in text) == (False, False, False)


@pytest.mark.parametrize(
    "key", ["x", "1", "1-x", "99999999999-01jnz000000000000000000000", "0-01jnz000000000000000000000"]
)
def test_a_click_that_is_none_is_not_there(key: str) -> None:
    response = superuser().get(f"{address('clickrecord')}{key}/change/")
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


@pytest.mark.sqlite
@pytest.mark.parametrize("query", [{}, {"from": "2025-01-01"}, {"verdict": "bot"}])
def test_on_sqlite_a_page_of_clicks_costs_the_same_however_many_there_are(query: dict[str, str]) -> None:
    staff, steps = superuser(), []
    for days in (20, 200):
        workspace = make_workspace()
        record_all(
            workspace,
            [
                ClickInput("vcard", clicked_at=NOON - timedelta(days=day, seconds=second), verdict=verdict)
                for day in range(days)
                for second in range(10)
                for verdict in ("human", "bot")
            ],
        )
        asked = {"workspace": workspace.pk, **query}
        steps.append(steps_of_sqlite(partial(staff.get, address("clickrecord"), asked)))
    assert steps[1] < 2 * steps[0], steps


def test_it_filters_clicks_by_days_of_the_workspace() -> None:
    workspace = make_workspace(timezone="Pacific/Kiritimati")  # 14 hours ahead
    minute = timedelta(minutes=1)
    starts = [datetime(2026, 3, 9, 10, tzinfo=UTC), datetime(2026, 3, 10, 10, tzinfo=UTC)]
    moments = [starts[0] - minute, starts[0], starts[1] - minute, starts[1]]
    record_all(workspace, [ClickInput("other", ULID(), clicked_at=time) for time in moments])
    clicks = listed(superuser(), address("clickrecord"), **{"from": "2026-03-10", "to": "2026-03-10"})
    assert [click.clicked_at for click in clicks] == [moments[2], moments[1]]
    clicks = listed(superuser(), address("clickrecord"), **{"from": "2026-03-11"})
    assert [click.clicked_at for click in clicks] == [moments[3]]
    assert len(listed(superuser(), address("clickrecord"), **{"from": "", "to": "2026-03-10"})) == 3


def test_no_click_is_of_a_day_that_the_workspace_skipped() -> None:
    workspace = make_workspace(timezone="Pacific/Apia")  # 29 December 2011 was followed by 31 December
    record_all(workspace, [ClickInput("other", ULID(), clicked_at=datetime(2011, 12, 30, 9, tzinfo=UTC))])
    staff = superuser()
    numbers = [
        len(listed(staff, address("clickrecord"), **{"from": f"2011-12-{day}", "to": f"2011-12-{day}"}))
        for day in (29, 30, 31)
    ]
    assert numbers == [1, 0, 0]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"from": "yesterday"}, "Enter a date as year-month-day, such as 2026-03-31."),
        ({"to": "2026-02-30"}, "Enter a date as year-month-day, such as 2026-03-31."),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "Enter a last day that is not before the first day."),
        ({"from": "1066-10-14"}, "Enter a date from 2000-01-01 to 2099-12-31."),
    ],
)
@pytest.mark.parametrize("model", ["clickrecord", "toolcall"])
def test_wrong_days_are_named_and_kept(model: str, query: dict[str, str], message: str) -> None:
    make_tenant()
    text = page(superuser(), address(model), **query)
    assert message in text
    for value in query.values():
        assert f'value="{value}"' in text
    assert "Nothing found." in text


def test_it_filters_clicks_by_kind_and_verdict() -> None:
    workspace = make_workspace()
    clicks = [
        ClickInput("vcard", ULID(), clicked_at=NOON),
        ClickInput("other", ULID(), clicked_at=NOON, verdict="bot", reason="mail-scanner"),
    ]
    record_all(workspace, clicks)
    staff = superuser()
    assert [click.kind for click in listed(staff, address("clickrecord"), kind="vcard")] == ["vcard"]
    assert [click.reason for click in listed(staff, address("clickrecord"), verdict="bot")] == ["mail-scanner"]
    assert listed(staff, address("clickrecord"), kind="vcard", verdict="bot") == []
    for name in ("kind", "verdict"):
        assert staff.get(address("clickrecord"), {name: "none"}).headers["Location"] == f"{address('clickrecord')}?e=1"


def test_it_searches_clicks_by_what_an_index_finds() -> None:
    make_tenant("Acme")
    globex = make_tenant("Globex")
    staff = superuser()
    by_id = (str(globex.clickrecord.id), str(globex.clickrecord.id).lower())
    for term in (*by_id, globex.campaign.public_id, globex.workspaceuser.public_id, "ADA@globex.example"):
        query = {"workspace": globex.workspace.pk, "q": term}
        assert listed(staff, address("clickrecord"), **query) == [globex.clickrecord], term
        assert listed(staff, address("clickrecord"), q=term) == []
    assert listed(staff, address("clickrecord"), workspace=globex.workspace.pk, q="Ada") == []


def test_filters_stay_when_others_are_added_and_pages_begin_anew() -> None:
    tenant = make_tenant()
    response = superuser().get(
        address("clickrecord"), {"workspace": tenant.workspace.pk, "verdict": "human", "q": "ada@acme.example"}
    )
    links = [choice["query_string"] for number in (1, 2) for choice in _choices(response, number)]
    assert all(f"workspace={tenant.workspace.pk}" in link and "verdict=human" in link for link in links)
    text = response.content.decode()
    search = text[text.index('id="changelist-search"') :].split("</form>")[0]
    assert ('name="verdict" value="human"' in search, search.count('name="q"')) == (True, 1)
    days = text[text.index('class="stats-days"') :].split("</form>")[0]
    assert 'name="q" value="ada@acme.example"' in days


def test_it_filters_tool_calls() -> None:
    tenant = make_tenant()
    other = make_tenant("Globex")
    calls = [
        make_call(tenant.workspace, outcome="rate_limited", called_at=NOON + timedelta(hours=1)),
        make_call(
            tenant.workspace, tool="stats_get_workspace_overview", surface="mcp", called_at=NOON + timedelta(days=1)
        ),
    ]
    staff, url = superuser(), address("toolcall")
    assert listed(staff, url) == [*reversed(calls), other.toolcall, tenant.toolcall]
    assert listed(staff, url, workspace=tenant.workspace.pk) == [*reversed(calls), tenant.toolcall]
    assert listed(staff, url, outcome="rate_limited") == [calls[0]]
    assert listed(staff, url, tool="stats_get_workspace_overview") == [calls[1]]
    assert listed(staff, url, surface="mcp") == [calls[1]]
    assert listed(staff, url, **{"from": "2026-03-11", "to": "2026-03-11"}) == [calls[1]]
    assert listed(staff, url, q="acme program") == [tenant.toolcall]
    assert staff.get(url, {"outcome": "fine"}).headers["Location"] == f"{url}?e=1"


@pytest.mark.parametrize("chosen", [True, False])
def test_it_pages_through_tool_calls_each_once(chosen: bool) -> None:
    workspace = make_workspace()
    ToolCall.objects.bulk_create(
        ToolCall(workspace=workspace, tool="t", surface="rest", outcome="ok", duration_ms=1, called_at=NOON)
        for _ in range(60)
    )
    pages_of_calls = pages(
        superuser(), f"{address('toolcall')}?workspace={workspace.pk}" if chosen else address("toolcall")
    )
    assert [len(rows) for rows in pages_of_calls] == [50, 10]
    assert [row for rows in pages_of_calls for row in rows] == list(ToolCall.objects.order_by("-pk"))


def test_a_tool_call_shows_what_was_asked() -> None:
    tenant = make_tenant()
    text = html.unescape(page(superuser(), address("toolcall", "change", tenant.toolcall)))
    for shown in ('{"userPublicId": "usr_x"}', "curl/8", "Acme program", "stats_get_user_metrics"):
        assert shown in text


def _more_of_everything(workspace: Workspace) -> None:
    users = [make_user(workspace) for _ in range(12)]
    campaigns = [make_campaign(workspace, name=f"No. {number}") for number in range(12)]
    for campaign in campaigns:
        assign(campaign, *users)
    aliases = [make_alias(user) for user in users]
    for number, (campaign, user) in enumerate(zip(campaigns, users, strict=True)):
        values = {"kind": "campaign", "campaign": campaign, "user": user}
        TrackedLink.objects.create(token=f"more{number}", workspace=workspace, fingerprint=f"more{number}", **values)
        key = ApiKey.objects.create(workspace=workspace, name="More", public_part=str(number), digest=bytes([number]))
        make_call(workspace, key)
    rows = zip(campaigns, users, aliases, strict=True)
    record_all(workspace, [ClickInput("campaign", ULID(), *row, clicked_at=NOON) for row in rows])
    assert CampaignAssignment.objects.count() > 100


@pytest.mark.parametrize("model", MODELS)
def test_a_page_asks_the_same_number_of_queries_however_many_rows_there_are(model: str) -> None:
    tenant = make_tenant()
    make_tenant("Globex")
    staff = superuser()
    urls = [address(model), address(model, "change", getattr(tenant, model))]
    numbers = []
    for _round in range(2):
        numbers.append([_queries(staff, url) for url in urls])
        _more_of_everything(tenant.workspace) if _round == 0 else None
    assert numbers[0] == numbers[1]
    assert max(numbers[1]) <= 8


def _queries(staff: Client, url: str) -> int:
    page(staff, url)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page(staff, url)
    return len(queries)


@pytest.mark.parametrize("model", ["clickrecord", "toolcall"])
def test_clicks_and_tool_calls_are_never_counted(model: str) -> None:
    make_tenant()
    with CaptureQueriesContext(connection) as queries:
        page(superuser(), address(model))
    table = {"clickrecord": "stats_app_click", "toolcall": "stats_app_toolcall"}[model]
    assert not [query["sql"] for query in queries if "COUNT(" in query["sql"] and table in query["sql"]]


@pytest.mark.parametrize("model", MODELS)
def test_an_address_looks_into_no_column_that_no_filter_names(model: str) -> None:
    tenant = make_tenant()
    staff = superuser()
    columns = [field.attname for field in getattr(tenant, model)._meta.concrete_fields]
    for column in columns:
        for lookup, value in (("startswith", "a"), ("exact", "\0"), ("year", "0"), ("in", "1"), ("isnull", "x")):
            response = staff.get(address(model), {f"{column}__{lookup}": value})
            assert response.status_code in (302, 400), (column, lookup)


@pytest.mark.parametrize("value", ["", "x", "\0", "-1", "9" * 30, "1.5", "٣"])
def test_a_filter_with_a_value_that_is_none_leads_back_to_the_list(value: str) -> None:
    make_tenant()
    staff = superuser()
    filters = {
        "clickrecord": ["workspace", "campaign__id__exact", "user__id__exact", "kind", "verdict", "from", "to"],
        "toolcall": ["workspace", "tool", "outcome", "surface", "from", "to"],
        "campaign": ["workspace", "status", "is_paused__exact"],
        "workspaceuser": ["workspace", "is_active__exact"],
        "campaignassignment": ["workspace", "campaign__id__exact", "user__id__exact"],
        "alias": ["user__id__exact"],
        "apikey": ["state"],
    }
    for model, names in filters.items():
        for name in names:
            response = staff.get(address(model), {name: value}, follow=True)
            assert response.status_code == 200, (model, name)


def test_a_copy_of_the_site_takes_all_that_is_registered() -> None:
    """Some packages register everything again with an admin site of their own when the project starts."""
    copy = admin.AdminSite("copy")
    for model, model_admin in admin.site._registry.items():
        copy.register(model, type(model_admin))
    assert {model._meta.model_name for model in copy._registry} >= set(MODELS)


def test_two_workspaces_may_have_clicks_with_the_same_id() -> None:
    ulid = ULID()
    clicks = []
    for name in ("Acme", "Globex"):
        workspace = make_workspace(name=name)
        record_all(workspace, [ClickInput("other", ulid, clicked_at=NOON)])
        clicks.append(ClickRecord.objects.get(workspace=workspace))
    staff = superuser()
    for click in clicks:
        assert [row.workspace for row in listed(staff, address("clickrecord"), workspace=click.workspace_id)] == [
            click.workspace
        ]
        assert click.workspace.name in page(staff, address("clickrecord", "change", click))


def test_the_workspace_stands_in_no_row_once_one_is_chosen() -> None:
    tenant = make_tenant()
    staff = superuser()
    for model in ("campaign", "workspaceuser", "alias", "campaignassignment", "trackedlink", "apikey", "toolcall"):
        for query, shown in (({}, True), ({"workspace": tenant.workspace.pk}, False)):
            columns = staff.get(address(model), query).context["cl"].list_display
            assert ("workspace" in columns) is shown, model
