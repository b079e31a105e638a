"""Exporting everything that is stored about one person as JSON, for the person's right to access and portability."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import router

from stats_app import admin_log
from stats_app.dimensions import KINDS, REASON_DAYS, USER_DAYS
from stats_app.exports import pages, said
from stats_app.identities import Identity, addresses_of, calls_that_name
from stats_app.models import Click, Reason, RecentVisit, Rollup, TrackedLink, WorkspaceUser
from stats_app.periods import format_time
from stats_app.sql.counting import COLUMNS

_INDENT = "  "


def export_user(user: WorkspaceUser, *, now: datetime) -> Iterator[str]:
    """One JSON object, as parts of a text. Memory does not grow with the number of clicks.

    `counts` and `excludedCounts` are by local day, including days whose clicks are pruned. `recentVisits` are the
    clicks that are still compared with new ones. `mailings` are those that are sent to an
    e-mail of the person, with what was sent. `toolCalls` are the rows of the audit log that contain the person's
    name, e-mail or id, and `adminLog` those of the log of Django's admin about the person's rows. Entries about
    deleted rows are left out, because they may be about a namesake. PERSON_FIGURES is not applied, because the export
    is for the person.
    """
    lists: dict[str, Iterable[dict[str, Any]]] = {
        "aliases": ({"email": alias.email} for alias in user.aliases.order_by("email")),
        "campaigns": _campaigns(user),
        "links": map(_link, user.links.select_related("campaign", "alias").order_by("pk")),
        "counts": _counts(user),
        "excludedCounts": _excluded_counts(user),
        "clicks": _clicks(user),
        "recentVisits": _recent_visits(user),
        "mailings": _mailings(user),
        "toolCalls": _calls(user),
        "adminLog": _admin_log(user),
    }
    head = {"exportedAt": format_time(now), "workspace": _workspace(user), "user": _profile(user)}
    yield "{\n" + "".join(f"{_INDENT}{json.dumps(name)}: {_text(value)},\n" for name, value in head.items())
    for place, (name, items) in enumerate(lists.items()):
        yield from _list(name, items)
        yield ",\n" if place < len(lists) - 1 else "\n}\n"


def _list(name: str, items: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield f"{_INDENT}{json.dumps(name)}: ["
    before = "\n"
    for item in items:
        yield f"{before}{_INDENT * 2}{_text(item)}"
        before = ",\n"
    yield "]" if before == "\n" else f"\n{_INDENT}]"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_time(time)


def _workspace(user: WorkspaceUser) -> dict[str, Any]:
    workspace = user.workspace
    return {"publicId": workspace.public_id, "name": workspace.name, "timezone": workspace.timezone}


def _profile(user: WorkspaceUser) -> dict[str, Any]:
    return {
        "publicId": user.public_id,
        "externalId": user.external_id,
        "email": user.email,
        "displayName": user.display_name,
        "isActive": user.is_active,
        "isOptedOut": user.is_opted_out,
        "createdAt": _time(user.created_at),
        "erasedAt": _time(user.erased_at),
    }


def _campaigns(user: WorkspaceUser) -> Iterator[dict[str, Any]]:
    for assignment in user.assignments.select_related("campaign").order_by("pk"):
        campaign = assignment.campaign
        assigned_at = _time(assignment.assigned_at)
        yield {"publicId": campaign.public_id, "name": campaign.name, "assignedAt": assigned_at}


def _link(link: TrackedLink) -> dict[str, Any]:
    return {
        "token": link.token,
        "kind": link.kind,
        "targetUrl": link.target_url,
        "campaignPublicId": None if link.campaign is None else link.campaign.public_id,
        "alias": None if link.alias is None else link.alias.email,
        "isActive": link.is_active,
        "createdAt": _time(link.created_at),
    }


def _counts(user: WorkspaceUser) -> Iterator[dict[str, Any]]:
    for _key, day, *numbers in _stored_counts(user, USER_DAYS, [user.pk]):
        yield {"date": str(day), **_by_kind(numbers)}


def _excluded_counts(user: WorkspaceUser) -> Iterator[dict[str, Any]]:
    reasons = Reason.objects.filter(workspace=user.workspace_id, dimension=USER_DAYS, key=user.pk).in_bulk()
    for key, day, *numbers in _stored_counts(user, REASON_DAYS, [*reasons]):
        why = reasons[key]
        yield {"date": str(day), "verdict": why.verdict, "reason": why.text, **_by_kind(numbers)}


def _stored_counts(user: WorkspaceUser, dimension: int, keys: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    rows = Rollup.objects.filter(workspace=user.workspace_id, dimension=dimension, key__in=keys)
    yield from rows.order_by("day", "key").values_list("key", "day", *COLUMNS)


def _by_kind(numbers: Sequence[int]) -> dict[str, int]:
    return {f"{kind}Clicks": number for kind, number in zip(KINDS, numbers, strict=True)}


def _recent_visits(user: WorkspaceUser) -> Iterator[dict[str, Any]]:
    visits = RecentVisit.objects.filter(workspace=user.workspace_id, signature=user.pk).order_by("pk")
    for visit in visits:
        yield {"clickId": str(visit.click).lower(), "visitedAt": _time(visit.visited_at), "reason": visit.reason}


def _clicks(user: WorkspaceUser) -> Iterator[dict[str, Any]]:
    clicks = Click.objects.filter(workspace=user.workspace_id, user=user.pk)
    for page in pages(user.workspace, clicks, with_people=True):
        yield from map(said, page)


def _mailings(user: WorkspaceUser) -> Iterator[dict[str, Any]]:
    using = router.db_for_read(WorkspaceUser, instance=user)
    addresses = addresses_of(Identity.of(user), user.workspace_id, using=using)
    for address in addresses.select_related("mailing").prefetch_related("deliveries"):
        yield {
            "email": address.email,
            "every": address.mailing.every,
            "language": address.mailing.language,
            "sendsFrom": str(address.sends_from),
            "unsubscribedAt": _time(address.unsubscribed_at),
            "error": address.error,
            "deliveries": [
                {"from": str(one.first_day), "to": str(one.last_day), "sentAt": _time(one.sent_at)}
                for one in address.deliveries.all()
            ],
        }


def _calls(user: WorkspaceUser) -> Iterator[dict[str, Any]]:
    using = router.db_for_read(WorkspaceUser, instance=user)
    identity = Identity.of(user)
    for call in calls_that_name(identity, user.workspace_id, using=using, public_id=user.public_id):
        yield {
            "calledAt": _time(call.called_at),
            "tool": call.tool,
            "surface": call.surface,
            "client": call.client,
            "arguments": call.arguments,
            "outcome": call.outcome,
        }


def _admin_log(user: WorkspaceUser) -> Iterator[dict[str, Any]]:
    using = router.db_for_read(WorkspaceUser, instance=user)
    people = WorkspaceUser.objects.using(using).filter(pk=user.pk)
    rows = [people, user.aliases.using(using).all(), user.assignments.using(using).all()]
    for at, name, change in admin_log.changes(admin_log.entries_about(rows)):
        yield {"at": _time(at), "about": name, "change": change}
