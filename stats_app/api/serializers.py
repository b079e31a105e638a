"""The items of the lists: what a row looks like as JSON, and its declaration for the OpenAPI document."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from rest_framework import serializers

from stats_app import public_ids
from stats_app.answers import DateText, TimeText, count, public_id
from stats_app.dimensions import KINDS, VERDICTS
from stats_app.errors import FIELD_CODES
from stats_app.models import Campaign, Click, WorkspaceUser
from stats_app.models.campaigns import STATUSES
from stats_app.parameters import Field
from stats_app.periods import format_time

Json = dict[str, Any]


def campaign_json(campaign: Campaign, today: date) -> Json:
    """`campaign.user_count` is the number of assigned users; `today` is the workspace's."""
    return {
        "publicId": campaign.public_id,
        "name": campaign.name,
        "status": campaign.status(today),
        "startDate": campaign.starts_on and campaign.starts_on.isoformat(),
        "endDate": campaign.ends_on and campaign.ends_on.isoformat(),
        "targetUrl": campaign.target_url,
        "assignedUsers": campaign.user_count,  # type: ignore[attr-defined]  # annotated by the view
        "createdAt": format_time(campaign.created_at),
    }


def user_json(user: WorkspaceUser) -> Json:
    """`user.alias_count` is the number of aliases."""
    return {
        "publicId": user.public_id,
        "displayName": user.display_name,
        "email": user.email,
        "isActive": user.is_active,
        "aliases": user.alias_count,  # type: ignore[attr-defined]  # annotated by the view
        "createdAt": format_time(user.created_at),
    }


def click_json(click: Click) -> Json:
    """`click.campaign_public_id` and `click.user_public_id` are those of its campaign and user, or None."""
    return {
        "id": str(click.id).lower(),
        "kind": click.kind,
        # With the fraction of the second: what is listed here can be sent again as it is.
        "clickedAt": click.clicked_at.astimezone(UTC).isoformat(),
        "campaignPublicId": click.campaign_public_id,  # type: ignore[attr-defined]  # annotated by the view
        "userPublicId": click.user_public_id,  # type: ignore[attr-defined]  # annotated by the view
        "verdict": click.verdict,
        "reason": click.reason,
    }


class CampaignItem(serializers.Serializer[Any]):
    publicId = public_id(public_ids.CAMPAIGN, "The campaign.")  # JSON names are camelCase
    name = serializers.CharField()
    status = serializers.ChoiceField(STATUSES, help_text="As of today in the workspace's time zone.")
    startDate = DateText(allow_null=True, help_text="First day, or null.")
    endDate = DateText(allow_null=True, help_text="Last day, included, or null.")
    targetUrl = serializers.CharField(allow_blank=True)
    assignedUsers = count("Users assigned now.")
    createdAt = TimeText()


class UserItem(serializers.Serializer[Any]):
    publicId = public_id(public_ids.USER, "The user.")
    displayName = serializers.CharField(allow_blank=True)
    email = serializers.CharField()
    isActive = serializers.BooleanField()
    aliases = count("Further e-mail addresses attached now.")
    createdAt = TimeText()


class ClickItem(serializers.Serializer[Any]):
    id = serializers.RegexField(public_ids.pattern(), help_text="The click's ULID, in lowercase.")
    kind = serializers.ChoiceField(list(KINDS))
    clickedAt = TimeText()
    campaignPublicId = serializers.RegexField(public_ids.pattern(public_ids.CAMPAIGN), allow_null=True)
    userPublicId = serializers.RegexField(public_ids.pattern(public_ids.USER), allow_null=True)
    verdict = serializers.ChoiceField(list(VERDICTS), help_text="Only human clicks are counted.")
    reason = serializers.CharField(allow_blank=True, help_text="Why it is not human; empty for human.")


def _next_page() -> Field:
    return serializers.URLField(allow_null=True, help_text="The page after this one; null on the last.")


def _previous_page() -> Field:
    return serializers.URLField(allow_null=True, help_text="The page before this one; null on the first.")


class CampaignPage(serializers.Serializer[Any]):
    results = CampaignItem(many=True)
    next = _next_page()
    previous = _previous_page()
    count = count("Campaigns on all pages.")


class UserPage(serializers.Serializer[Any]):
    results = UserItem(many=True)
    next = _next_page()
    previous = _previous_page()
    count = count("Users on all pages.")


class ClickPage(serializers.Serializer[Any]):
    results = ClickItem(many=True)
    next = _next_page()
    previous = _previous_page()


class RejectedItem(serializers.Serializer[Any]):
    index = count("The position of the wrong click, from 0.")
    field = serializers.CharField(help_text="The wrong field; the first one when several are wrong.")
    code = serializers.ChoiceField(FIELD_CODES, help_text="What is wrong with it.")
    message = serializers.CharField(help_text="A sentence with the rule and the value.")


class IngestAnswer(serializers.Serializer[Any]):
    accepted = count("Clicks that are new and stored.")
    duplicates = count("Clicks whose id was there before.")
    rejected = RejectedItem(many=True, help_text="Clicks that are wrong; the right ones around them are stored.")
