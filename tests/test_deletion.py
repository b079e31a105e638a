"""Deleting campaigns, people, aliases and links: clicks stay right, and those of other tenants are not read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from ulid import ULID

from stats_app.ingest import ClickInput
from stats_app.links import LinkInput, create_links
from stats_app.models import Click, TrackedLink, Workspace
from stats_app.rollups import check
from tests.factories import assign, make_alias, make_campaign, make_user, make_workspace, record

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TARGET = "https://www.example.com/"


def make_link(workspace: Workspace, **values: Any) -> TrackedLink:
    [link] = create_links(workspace, [LinkInput("other", TARGET, **values)]).links
    assert link is not None
    return link


@pytest.fixture
def rows() -> dict[str, models.Model]:
    """A row of each model that may be deleted, in a workspace beside another one with clicks."""
    other = make_workspace(name="Globex")
    someone = make_user(other)
    record(other, ClickInput("other", ULID(), user=someone, alias=make_alias(someone), link=make_link(other)))
    workspace = make_workspace()
    user, campaign = make_user(workspace), make_campaign(workspace)
    assign(campaign, user)
    make_link(workspace, user=user)
    return {
        "user": user,
        "campaign": campaign,
        "alias": make_alias(make_user(workspace)),
        "link": make_link(workspace),
    }


@pytest.mark.parametrize("name", ["user", "campaign", "alias", "link"])
def test_every_statement_on_clicks_and_counts_names_the_workspace(rows: dict[str, models.Model], name: str) -> None:
    row = rows[name]
    with CaptureQueriesContext(connection) as queries:
        row.delete()
    tables = ("stats_app_click", "stats_app_rollup")
    texts = [query["sql"] or "" for query in queries]
    statements = [text for text in texts if any(f'"{table}"' in text for table in tables)]
    assert all('"workspace_id" IN (' in statement or '"workspace_id" = ' in statement for statement in statements)
    assert not type(row)._default_manager.filter(pk=row.pk).exists()
    [click] = Click.objects.all()
    assert None not in (click.user, click.alias, click.link)


def test_an_alias_and_a_link_go_out_of_their_clicks() -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    alias, link = make_alias(user), make_link(workspace, user=user)
    record(workspace, ClickInput("other", ULID(), user=user, alias=alias, link=link, clicked_at=NOON))
    record(workspace, ClickInput("other", ULID(), user=user, alias=make_alias(user), clicked_at=NOON))
    alias.delete()
    link.delete()
    references = [(click.user, click.alias is None, click.link) for click in Click.objects.order_by("id")]
    assert references == [(user, True, None), (user, False, None)]
    assert list(check(workspace)) == []


def test_the_links_of_a_person_whose_clicks_count_for_nobody_go_with_the_person() -> None:
    workspace = make_workspace()
    user = make_user(workspace)
    link = make_link(workspace, user=user)
    # Like the clicks of a person who opted out.
    record(workspace, ClickInput("other", ULID(), link=link, clicked_at=NOON))
    user.delete()
    [click] = Click.objects.all()
    assert click.link is None
    assert not TrackedLink.objects.exists()
    assert list(check(workspace)) == []


@pytest.mark.parametrize("name", ["user", "campaign"])
def test_what_has_clicks_stays(rows: dict[str, models.Model], name: str) -> None:
    row: Any = rows[name]
    kind = "campaign" if name == "campaign" else "other"
    record(row.workspace, ClickInput(kind, ULID(), **{name: row}, clicked_at=NOON))
    with pytest.raises(models.ProtectedError):
        row.delete()
    Click.objects.filter(workspace=row.workspace).delete()
    with pytest.raises(models.ProtectedError):
        type(row)._default_manager.filter(pk=row.pk).delete()
