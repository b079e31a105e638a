"""Links that are followed while the database is away: which are known, for how long, and that they name nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stats_app import known_links, links
from stats_app.models import Alias, Campaign, Click, TrackedLink, Workspace, WorkspaceUser
from stats_app.rollups import check
from tests.admin_cast import address, superuser
from tests.factories import make_alias, make_campaign, make_user, make_workspace
from tests.test_commands import run
from tests.test_redirect import NOON, TARGET, breaking, follow, link_of

pytestmark = pytest.mark.django_db

Commits = Callable[..., Any]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture(autouse=True)
def _nothing_cached() -> None:
    cache.clear()


@pytest.fixture
def campaign(workspace: Workspace) -> Campaign:
    return make_campaign(workspace)


@pytest.fixture
def ada(workspace: Workspace) -> WorkspaceUser:
    return make_user(workspace, email="ada@example.com")


@pytest.fixture
def link(workspace: Workspace, campaign: Campaign, ada: WorkspaceUser) -> TrackedLink:
    return link_of(workspace, "campaign", TARGET, campaign, ada, make_alias(ada, email="lovelace@example.com"))


@pytest.fixture
def card(workspace: Workspace, ada: WorkspaceUser) -> TrackedLink:
    """A link that is deleted when the person is erased."""
    return link_of(workspace, "vcard", f"{TARGET}ada", user=ada)


def status_in_an_outage(link: TrackedLink, hours: float = 1) -> int:
    with breaking("stats_app_"):
        return follow(link, at=NOON + timedelta(hours=hours)).status_code


@pytest.mark.parametrize("value", ["x", 1, [1, 2, 3], ("x",)])
def test_a_wrong_value_in_the_cache_is_ignored(link: TrackedLink, value: object) -> None:
    cache.set(f"{known_links._CACHE_PREFIX}{link.token}", value)
    assert status_in_an_outage(link) == 503


def switch_off_by_action(link: TrackedLink) -> None:
    superuser().post(address("trackedlink"), {"action": "switch_off", "_selected_action": [link.pk]})


def switch_off_by_form(link: TrackedLink) -> None:
    superuser().post(address("trackedlink", "change", link), {})


def erase(link: TrackedLink) -> None:
    assert link.user is not None
    run("erase_user", link.user.public_id)


WAYS = [switch_off_by_action, switch_off_by_form, erase]


@pytest.mark.parametrize("way", WAYS)
def test_what_this_process_takes_away_is_forgotten_at_once(
    card: TrackedLink, way: Callable[[TrackedLink], None], django_capture_on_commit_callbacks: Commits
) -> None:
    follow(card)
    assert status_in_an_outage(card) == 302
    with django_capture_on_commit_callbacks(execute=True):
        way(card)
    assert status_in_an_outage(card) == 503


@pytest.mark.parametrize("way", WAYS)
def test_what_another_process_took_away_is_forgotten_with_the_first_404(
    card: TrackedLink, way: Callable[[TrackedLink], None]
) -> None:
    follow(card)
    way(card)  # no commit here, so this process does not notice
    assert follow(card).status_code == 404
    assert status_in_an_outage(card) == 503


def test_a_switched_off_link_is_forgotten_also_if_only_the_cache_knew_it(link: TrackedLink) -> None:
    follow(link)
    known_links._known.clear()
    links.switch(TrackedLink.objects.all(), on=False)
    assert follow(link).status_code == 404
    assert status_in_an_outage(link) == 503


def test_what_is_rolled_back_forgets_nothing(card: TrackedLink, django_capture_on_commit_callbacks: Commits) -> None:
    follow(card)
    assert card.user is not None
    with django_capture_on_commit_callbacks(execute=True):
        run("erase_user", card.user.public_id, "--dry-run")
    assert status_in_an_outage(card) == 302


def test_an_unknown_token_does_not_cost_a_call_of_the_cache(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **values: Any) -> None:
        raise AssertionError("The cache was called.")

    for name in ("get", "set", "delete", "delete_many"):
        monkeypatch.setattr(cache, name, fail, raising=False)
    with CaptureQueriesContext(connection) as queries:
        assert follow("nothing").status_code == 404
    assert len(queries) == 1


@pytest.mark.parametrize("shared", [False, True])
def test_a_link_is_known_for_a_day_after_it_was_followed(link: TrackedLink, shared: bool) -> None:
    follow(link)
    if shared:
        known_links._known.clear()
    assert status_in_an_outage(link, hours=23.9) == 302
    assert status_in_an_outage(link, hours=24.1) == 503


@pytest.mark.parametrize("shared", [False, True])
def test_a_link_that_is_followed_again_is_known_for_another_day(link: TrackedLink, shared: bool) -> None:
    for hour in (0, 12):
        follow(link, at=NOON + timedelta(hours=hour))
    if shared:
        known_links._known.clear()
    assert status_in_an_outage(link, hours=30) == 302


def test_what_is_known_names_nobody(link: TrackedLink, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: dict[str, Any] = {}
    monkeypatch.setattr(cache, "set", lambda key, value, seconds: stored.update({key: value}), raising=False)
    follow(link)
    text = f"{known_links._known} {stored}"
    assert link.token in text
    assert link.user is not None
    assert [name for name in (link.user.public_id, "example.com>", "lovelace", "ada@") if name in text] == []


# --- the log of lost clicks


def lost_line(link: TrackedLink, lost: Any) -> dict[str, Any]:
    with breaking("stats_app_"):
        assert follow(link, at=NOON + timedelta(hours=1)).status_code == 302
    line: dict[str, Any] = lost()[-1]
    return line


def imported(workspace: Workspace, line: dict[str, Any], tmp_path: Path) -> str:
    file = tmp_path / "lost.jsonl"
    file.write_text(json.dumps(line))
    return run("import_clicks", str(file), "--workspace", workspace.public_id)[-1]


def test_a_lost_click_names_the_link_and_not_the_person(link: TrackedLink, campaign: Campaign, lost: Any) -> None:
    follow(link)
    line = lost_line(link, lost)
    assert line.keys() == {"workspacePublicId", "id", "campaignPublicId", "link", "clickedAt", "verdict"}
    assert (line["campaignPublicId"], line["link"]) == (campaign.public_id, link.token)


def opt_out(link: TrackedLink) -> None:
    WorkspaceUser.objects.filter(pk=link.user_id).update(is_opted_out=True)


def move_the_alias(link: TrackedLink) -> None:
    Alias.objects.filter(pk=link.alias_id).update(user=make_user(link.workspace))


def delete_the_alias(link: TrackedLink) -> None:
    Alias.objects.filter(pk=link.alias_id).delete()


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (None, {"user", "alias", "link"}),
        (opt_out, set()),
        (move_the_alias, {"user", "link"}),
        (delete_the_alias, {"user", "link"}),
    ],
)
def test_an_imported_lost_click_counts_for_whoever_the_link_belongs_to_by_then(
    workspace: Workspace,
    link: TrackedLink,
    campaign: Campaign,
    change: Callable[[TrackedLink], None] | None,
    kept: set[str],
    lost: Any,
    tmp_path: Path,
) -> None:
    follow(link)
    Click.objects.all().delete()
    line = lost_line(link, lost)
    if change is not None:
        change(link)
    assert imported(workspace, line, tmp_path) == "accepted 1, duplicates 0, rejected 0."
    click = Click.objects.get()
    assert (click.kind, click.campaign) == ("campaign", campaign)
    values = {"user": link.user, "alias": link.alias, "link": link}
    assert {name: getattr(click, name) for name in values if getattr(click, name) is not None} == {
        name: values[name] for name in kept
    }


def test_an_imported_lost_click_of_an_erased_person_counts_for_nobody(
    workspace: Workspace,
    ada: WorkspaceUser,
    card: TrackedLink,
    campaign: Campaign,
    lost: Any,
    tmp_path: Path,
) -> None:
    banner = link_of(workspace, "campaign", "", campaign, ada)  # leads on without the person
    for link in (banner, card):
        follow(link)
    Click.objects.all().delete()
    run("erase_user", ada.public_id)  # no commit here, so this process does not notice
    results = [imported(workspace, lost_line(link, lost), tmp_path) for link in (banner, card)]
    assert results == ["accepted 1, duplicates 0, rejected 0.", "accepted 0, duplicates 0, rejected 1."]
    click = Click.objects.get()
    assert (click.campaign, click.user, click.alias, click.link) == (campaign, None, None, banner)


def test_a_lost_click_of_a_person_who_opted_out_in_the_admin_has_no_link(
    link: TrackedLink,
    ada: WorkspaceUser,
    lost: Any,
    django_capture_on_commit_callbacks: Commits,
) -> None:
    follow(link)
    with django_capture_on_commit_callbacks(execute=True):
        values = {"email": ada.email, "display_name": ada.display_name, "is_active": "on", "is_opted_out": "on"}
        superuser().post(address("workspaceuser", "change", ada), values)
    assert status_in_an_outage(link) == 503
    follow(link)
    line = lost_line(link, lost)
    assert line.keys() == {"workspacePublicId", "id", "kind", "campaignPublicId", "clickedAt", "verdict"}


def test_a_lost_click_counts_once_if_its_log_is_imported_again(
    workspace: Workspace,
    link: TrackedLink,
    lost: Any,
    tmp_path: Path,
) -> None:
    follow(link)
    line = lost_line(link, lost)
    imported(workspace, line, tmp_path)
    assert imported(workspace, line, tmp_path) == "accepted 0, duplicates 1, rejected 0."
    assert [*check(workspace)] == []


def test_a_log_of_several_workspaces_is_imported_for_each_of_them(
    workspace: Workspace, card: TrackedLink, lost: Any, tmp_path: Path
) -> None:
    other = make_workspace()
    cards = [card, link_of(other, "vcard", "https://vcard.example/", None, make_user(other))]
    for link in cards:
        opt_out(link)  # so that the lines name no link, which would tell the workspaces apart
        follow(link)
    Click.objects.all().delete()
    for link in cards:
        assert status_in_an_outage(link) == 302
    log = tmp_path / "lost.jsonl"
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lost()))
    for one in (workspace, other):
        results = run("import_clicks", str(log), "--workspace", one.public_id)
        assert results[-1] == "accepted 1, duplicates 0, rejected 0, skipped 1."
        assert Click.objects.filter(workspace=one).count() == 1
