"""Making tracked links: each set of arguments gives one link, set-based, and wrong items are named."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stats_app.errors import FieldError
from stats_app.ingest import Rejection
from stats_app.links import LinkInput, create_links
from stats_app.models import TrackedLink, Workspace
from tests.factories import make_alias, make_campaign, make_user, make_workspace

pytestmark = pytest.mark.django_db

TARGET = "https://www.example.com/"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def test_it_makes_a_link_of_each_kind(workspace: Workspace) -> None:
    campaign, user = make_campaign(workspace), make_user(workspace)
    alias = make_alias(user)
    result = create_links(
        workspace,
        [
            LinkInput("campaign", campaign=campaign.public_id, user=user.public_id),
            LinkInput("campaign", "https://www.example.com/spring", campaign, user),
            LinkInput("vcard", TARGET, alias=alias.email),
            LinkInput("other", TARGET),
        ],
    )
    assert (result.created, result.unchanged, result.rejected) == (4, 0, [])
    links = [(link.kind, link.target_url, link.campaign, link.user, link.alias) for link in result.links if link]
    assert links == [
        ("campaign", "", campaign, user, None),
        ("campaign", "https://www.example.com/spring", campaign, user, None),
        ("vcard", TARGET, None, user, alias),
        ("other", TARGET, None, None, None),
    ]
    assert len({link.token for link in result.links if link}) == 4
    assert all(len(link.token) == 11 and link.token.isalnum() for link in result.links if link)


def test_the_same_arguments_give_the_same_link(workspace: Workspace) -> None:
    campaign = make_campaign(workspace)
    inputs = [LinkInput("campaign", campaign=campaign), LinkInput("other", TARGET), LinkInput("other", TARGET)]
    first, second = create_links(workspace, inputs), create_links(workspace, inputs[::-1])
    assert (first.created, first.unchanged) == (2, 1)
    assert (second.created, second.unchanged) == (0, 3)
    assert second.links == first.links[::-1]
    elsewhere = create_links(make_workspace(name="Globex"), inputs[1:])
    assert elsewhere.links[0] not in first.links
    assert TrackedLink.objects.count() == 3


def test_a_link_that_is_switched_off_stays_off_when_it_is_asked_for_again(workspace: Workspace) -> None:
    create_links(workspace, [LinkInput("other", TARGET)])
    TrackedLink.objects.update(is_active=False)
    [link] = create_links(workspace, [LinkInput("other", TARGET)]).links
    assert link is not None
    assert not link.is_active


def test_wrong_items_are_named_and_the_right_ones_around_them_are_made(workspace: Workspace) -> None:
    stranger = make_campaign(make_workspace(name="Globex"))
    campaign, user, other = make_campaign(workspace), make_user(workspace), make_user(workspace)
    alias = make_alias(other)
    gone = make_user(workspace)
    gone_id = gone.public_id
    gone.delete()
    wrong = [
        (LinkInput(None), "kind", "required"),
        (LinkInput("banner"), "kind", "invalid"),
        (LinkInput(["campaign"]), "kind", "invalid"),
        (LinkInput("campaign"), "campaign", "required"),
        (LinkInput("campaign", campaign=stranger), "campaign", "not_found"),
        (LinkInput("campaign", campaign=stranger.public_id), "campaign", "not_found"),
        (LinkInput("campaign", campaign="x\0"), "campaign", "invalid"),
        (LinkInput("campaign", campaign=[1]), "campaign", "invalid"),
        (LinkInput("other", TARGET, campaign=campaign), "campaign", "not_allowed"),
        (LinkInput("other", TARGET, user=gone_id), "user", "not_found"),
        (LinkInput("other", TARGET, user=alias), "user", "invalid"),
        (LinkInput("other", TARGET, user=user, alias=alias.email), "alias", "invalid"),
        (LinkInput("other", TARGET, alias="nobody@example.com"), "alias", "not_found"),
        (LinkInput("other", TARGET, alias="nobody"), "alias", "invalid"),
        (LinkInput("other"), "target_url", "required"),
        (LinkInput("vcard", None), "target_url", "required"),
        (LinkInput("other", 7), "target_url", "invalid"),
        (LinkInput("other", "javascript:alert(1)"), "target_url", "invalid"),
        (LinkInput("other", TARGET + "x" * 2000), "target_url", "too_long"),
        (FieldError("kind", "unknown", "kind x."), "kind", "unknown"),
    ]
    result = create_links(workspace, [LinkInput("other", TARGET), *(item for item, _field, _code in wrong)])
    assert [(rejection.index, rejection.field, rejection.code) for rejection in result.rejected] == [
        (index, field, code) for index, (_item, field, code) in enumerate(wrong, 1)
    ]
    assert (result.created, len(result.links), result.links[1:]) == (1, 21, [None] * 20)
    assert all(rejection.message.startswith(rejection.field) for rejection in result.rejected)
    assert isinstance(result.rejected[0], Rejection)


def test_a_thousand_links_take_a_handful_of_queries(workspace: Workspace) -> None:
    users = [make_user(workspace) for _ in range(10)]
    inputs = [LinkInput("other", f"{TARGET}{number}", user=users[number % 10]) for number in range(1_000)]
    with CaptureQueriesContext(connection) as queries:
        assert create_links(workspace, inputs).created == 1_000
    assert len(queries) <= 25


def test_no_workspace_no_links(workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).delete()
    with pytest.raises(LookupError):
        create_links(workspace, [LinkInput("other", TARGET)])
