"""DRF serializers for the items of lists, and for the answers to new clicks, links, users and campaigns."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from ulid import ULID

from stats_app import links, public_ids
from stats_app.answers import DateText, EmailText, ExactTimeText, TimeText, count, public_id
from stats_app.dimensions import KINDS, VERDICTS
from stats_app.errors import FIELD_CODES
from stats_app.models import Campaign, Click, TrackedLink, WorkspaceUser
from stats_app.models.campaigns import STATUSES
from stats_app.parameters import Field


@extend_schema_field({"type": "string", "enum": list(STATUSES)})
class StatusText(Field):
    """A campaign's status on the day `today` in the serializer's context."""

    def to_representation(self, campaign: Campaign) -> str:
        return campaign.status(self.context["today"])


@extend_schema_field({"type": "string", "pattern": public_ids.pattern()})
class UlidText(Field):
    """A ULID in lowercase, as public ids are."""

    def to_representation(self, ulid: ULID) -> str:
        return str(ulid).lower()


class CampaignSerializer(serializers.Serializer[Campaign]):
    publicId = public_id(public_ids.CAMPAIGN, "The campaign.", source="public_id")  # JSON names are camelCase
    name = serializers.CharField()
    status = StatusText(source="*", help_text="As of today in the workspace's time zone.")
    startDate = DateText(source="starts_on", allow_null=True, help_text="First day, or null.")
    endDate = DateText(source="ends_on", allow_null=True, help_text="Last day, included, or null.")
    targetUrl = serializers.CharField(source="target_url", allow_blank=True)
    assignedUsers = count("Users assigned now.", source="user_count")
    createdAt = TimeText(source="created_at")


class UserSerializer(serializers.Serializer[WorkspaceUser]):
    publicId = public_id(public_ids.USER, "The user.", source="public_id")
    displayName = serializers.CharField(source="display_name", allow_blank=True)
    email = serializers.CharField()
    isActive = serializers.BooleanField(source="is_active")
    aliases = count("Further e-mail addresses attached now.", source="alias_count")
    createdAt = TimeText(source="created_at")


class ClickSerializer(serializers.Serializer[Click]):
    id = UlidText(help_text="The click's ULID, in lowercase.")
    kind = serializers.ChoiceField(list(KINDS))
    clickedAt = ExactTimeText(source="clicked_at", help_text="In a form that can be sent as clickedAt again.")
    campaignPublicId = public_id(
        public_ids.CAMPAIGN, "The campaign; null for other kinds.", source="campaign_public_id", allow_null=True
    )
    userPublicId = public_id(
        public_ids.USER,
        "Whose signature it was; null if unknown or not shown.",
        source="user_public_id",
        allow_null=True,
    )
    verdict = serializers.ChoiceField(list(VERDICTS), help_text="Only human clicks are counted.")
    reason = serializers.CharField(allow_blank=True, help_text="Why it is not human; empty for human.")


@extend_schema_field({"type": ["string", "null"], "format": "uri"})
class LinkAddress(Field):
    """The full URL of a link, made by `absolute` in the serializer's context."""

    def to_representation(self, token: str) -> str | None:
        return links.address(token, self.context["absolute"])


class LinkSerializer(serializers.Serializer[TrackedLink]):
    token = serializers.CharField(help_text="The last part of the address.")
    url = LinkAddress(
        source="token",
        help_text="The address to put into a signature; null if this server does not serve tracked links.",
    )
    kind = serializers.ChoiceField(list(KINDS), help_text="The kind of click that following the link counts as.")
    targetUrl = serializers.CharField(
        source="target_url", allow_blank=True, help_text="Where it leads; empty for the campaign's current target."
    )
    campaignPublicId = public_id(
        public_ids.CAMPAIGN, "The campaign; null for other kinds.", source="campaign.public_id", allow_null=True
    )
    userPublicId = public_id(
        public_ids.USER, "Whose signature it is for, or null.", source="user.public_id", allow_null=True
    )
    alias = EmailText(
        source="alias.email", allow_null=True, help_text="The alias that the signature is sent from, or null."
    )
    isActive = serializers.BooleanField(source="is_active", help_text="A link that is switched off answers 404.")
    createdAt = TimeText(source="created_at")


class RejectedItem(serializers.Serializer[Any]):
    index = count("The position of the wrong item, from 0.")
    field = serializers.CharField(help_text="The wrong field; the first one when several are wrong.")
    code = serializers.ChoiceField(FIELD_CODES, help_text="What is wrong with it.")
    message = serializers.CharField(help_text="A sentence with the rule and the value.")


class IngestAnswer(serializers.Serializer[Any]):
    accepted = count("Clicks that are new and stored.")
    duplicates = count("Clicks whose id was already stored.")
    rejected = RejectedItem(many=True, help_text="Wrong clicks; the valid ones around them are stored.")


class MadeLink(LinkSerializer):
    def get_fields(self) -> dict[str, Field]:
        return {"index": count("The position of the item, from 0."), **super().get_fields()}


class LinksAnswer(serializers.Serializer[Any]):
    created = count("Links that are new.")
    unchanged = count("Items whose link already existed; one that is switched off stays off.")
    rejected = RejectedItem(many=True, help_text="Wrong items; the links of the valid ones are made.")
    results = MadeLink(many=True, help_text="The link of each item that is not rejected, in the order of the items.")


class SavedUser(serializers.Serializer[Any]):
    index = count("The position of the item, from 0.")
    publicId = public_id(public_ids.USER, "The user that was saved.")


class SavedCampaign(serializers.Serializer[Any]):
    index = count("The position of the item, from 0.")
    publicId = public_id(public_ids.CAMPAIGN, "The campaign that was saved.")


class _DirectoryAnswer(serializers.Serializer[Any]):
    created = count("Items that are new.")
    updated = count("Items that changed.")
    unchanged = count("Items that were already stored as sent.")
    rejected = RejectedItem(many=True, help_text="Wrong items; the valid ones around them are saved.")


class UsersAnswer(_DirectoryAnswer):
    results = SavedUser(many=True, help_text="The valid items, in their order.")


class CampaignsAnswer(_DirectoryAnswer):
    results = SavedCampaign(many=True, help_text="The valid items, in their order.")
