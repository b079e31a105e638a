"""The tools' answers, declared as DRF serializers for the OpenAPI document and MCP's output schemas.

The serializers only describe. `stats_app.queries` builds the answers as plain dictionaries, and the tests validate
every answer against these declarations.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from stats_app import public_ids
from stats_app.dimensions import KINDS
from stats_app.models.campaigns import STATUSES
from stats_app.parameters import Field
from stats_app.periods import format_time

Count = serializers.IntegerField


@extend_schema_field({"type": "string", "format": "date"})
class DateText(Field):
    """A local date as Y-m-d."""

    def to_representation(self, day: date) -> str:
        return day.isoformat()


@extend_schema_field({"type": "string", "format": "idn-email"})
class EmailText(Field):
    """An e-mail. Not DRF's field, whose format `email` has only ASCII letters before the @."""

    def to_representation(self, email: str) -> str:
        return email


@extend_schema_field({"type": "string", "format": "date-time"})
class TimeText(Field):
    """RFC 3339 in UTC, in whole seconds."""

    def to_representation(self, time: datetime) -> str:
        return format_time(time)


@extend_schema_field({"type": "string", "format": "date-time"})
class ExactTimeText(Field):
    """RFC 3339 in UTC, with the fraction of the second."""

    def to_representation(self, time: datetime) -> str:
        return time.astimezone(UTC).isoformat()


@extend_schema_field({"type": "null"})
class Nothing(Field):
    """Always null."""


def public_id(prefix: str, help_text: str, **more: Any) -> Field:
    return serializers.RegexField(public_ids.pattern(prefix), help_text=help_text, **more)


def count(help_text: str, **more: Any) -> Field:
    return serializers.IntegerField(min_value=0, help_text=help_text, **more)


class PeriodAnswer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Field]:
        return {
            "from": DateText(help_text="First day, included, in the workspace's time zone."),
            "to": DateText(help_text="Last day, included."),
        }


class WorkspaceAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()


class TotalsAnswer(serializers.Serializer[Any]):
    campaignClicks = count("Clicks on campaign banners.")  # JSON names are camelCase
    vcardClicks = count("Clicks on vCards.")
    totalClicks = count("Clicks of all three kinds: campaign, vCard and other.")


class SeriesAnswer(serializers.Serializer[Any]):
    publicId = public_id(public_ids.CAMPAIGN, "The campaign.")
    name = serializers.CharField()
    data = serializers.ListField(  # type: ignore[assignment]  # DRF's own `data` is an attribute of instances
        child=Count(min_value=0), help_text="Clicks for each of labels.current."
    )


class DatasetsAnswer(serializers.Serializer[Any]):
    current = serializers.ListField(child=Count(min_value=0), help_text="Clicks of all kinds for each bucket.")
    previous = serializers.ListField(child=Count(min_value=0), help_text="The same for the previous period.")
    campaigns = SeriesAnswer(many=True, help_text="The 10 campaigns with the most clicks, most first.")


class LabelsAnswer(serializers.Serializer[Any]):
    current = serializers.ListField(
        child=serializers.CharField(), help_text="2026-03-01 for a day, 2026-W09 for an ISO week, 2026-03 for a month."
    )
    previous = serializers.ListField(child=serializers.CharField(), help_text="The previous period's buckets.")


class ChartAnswer(serializers.Serializer[Any]):
    datasets = DatasetsAnswer()
    labels = LabelsAnswer()


class BreakdownAnswer(serializers.Serializer[Any]):
    chart = ChartAnswer(required=False, help_text="Absent with breakdown=none.")


class SignalAnswer(serializers.Serializer[Any]):
    type = serializers.ChoiceField([f"{kind}_clicks" for kind in KINDS])
    count = Count(min_value=1)


class OverviewAnswer(serializers.Serializer[Any]):
    workspace = WorkspaceAnswer()
    period = PeriodAnswer()
    totals = TotalsAnswer()
    breakdown = BreakdownAnswer()
    signals = SignalAnswer(many=True, help_text="Each kind with clicks, in the order campaign, vCard, other.")
    generatedAt = TimeText()


class BestDayAnswer(serializers.Serializer[Any]):
    date = DateText()
    clicks = Count(min_value=1)


class CampaignAnswer(serializers.Serializer[Any]):
    publicId = public_id(public_ids.CAMPAIGN, "The campaign.")
    name = serializers.CharField()
    status = serializers.ChoiceField(STATUSES, help_text="As of today in the workspace's time zone.")


class CampaignMetricsAnswer(serializers.Serializer[Any]):
    clicks = count("Clicks on this campaign.")
    shareOfCampaignClicks = serializers.FloatField(
        allow_null=True,
        min_value=0,
        max_value=1,
        help_text="Of all campaign clicks of the workspace in the period, to 4 places; null when there are none.",
    )
    bestDay = BestDayAnswer(
        allow_null=True, help_text="The earliest of the days with the most clicks; null when there are no clicks."
    )
    assignedUsers = count("Users assigned now, active or not, whatever the period.")


class CampaignPerformanceAnswer(serializers.Serializer[Any]):
    campaign = CampaignAnswer()
    period = PeriodAnswer()
    metrics = CampaignMetricsAnswer()
    trend = Nothing(help_text="Always null.")
    generatedAt = TimeText()


class UserAnswer(serializers.Serializer[Any]):
    publicId = public_id(public_ids.USER, "The user.")
    displayName = serializers.CharField(allow_blank=True)


class UserMetricsOfAnswer(serializers.Serializer[Any]):
    campaignClicks = count("Clicks on campaign banners.")
    vcardClicks = count("Clicks on the vCard.")
    otherClicks = count("Clicks on other links.")
    totalClicks = count("All of them.")
    campaignAssignments = count("Campaigns assigned now, whatever the period.")
    aliases = count("Further e-mail addresses attached now.")


class UserMetricsAnswer(serializers.Serializer[Any]):
    user = UserAnswer()
    period = PeriodAnswer()
    metrics = UserMetricsOfAnswer()
    generatedAt = TimeText()


class FoundCampaign(CampaignAnswer):
    startDate = DateText(allow_null=True, help_text="First day, or null.")
    endDate = DateText(allow_null=True, help_text="Last day, included, or null.")


class FoundCampaignsAnswer(serializers.Serializer[Any]):
    campaigns = FoundCampaign(many=True, help_text="Newest first; empty when none match.")


class FoundUser(UserAnswer):
    email = serializers.CharField()


class FoundUsersAnswer(serializers.Serializer[Any]):
    users = FoundUser(many=True, help_text="By name; empty when none match.")
