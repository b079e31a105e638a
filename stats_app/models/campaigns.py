"""Campaigns, who carries them, and the links that lead to them."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, OuterRef, Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app import dimensions, public_ids
from stats_app.models.deletion import ClickedModel, ClickedQuerySet
from stats_app.models.people import WorkspaceUser, number_of
from stats_app.models.workspaces import Workspace

COMPLETED = "completed"
PLANNED = "planned"
PAUSED = "paused"
RUNNING = "running"
STATUSES = (PLANNED, RUNNING, PAUSED, COMPLETED)

TARGET_URL_LENGTH = 2000
validate_target_url = URLValidator(schemes=["http", "https"], message=_("Enter an http or https address."))


def campaign_status(starts_on: date | None, ends_on: date | None, is_paused: bool, today: date) -> str:
    """The status on the local date `today`: the first that holds of completed, planned, paused, running."""
    if ends_on is not None and ends_on < today:
        return COMPLETED
    if starts_on is not None and today < starts_on:
        return PLANNED
    return PAUSED if is_paused else RUNNING


class CampaignQuerySet(ClickedQuerySet):
    def with_user_count(self) -> CampaignQuerySet:
        """Adds `user_count`, the number of assigned users."""
        assignments = CampaignAssignment.objects.filter(campaign=OuterRef("pk"))
        counted: CampaignQuerySet = self.annotate(user_count=number_of(assignments, "campaign"))
        return counted

    def with_status(self, status: str, today: date) -> CampaignQuerySet:
        """The campaigns whose `campaign_status` on `today` is `status`."""
        completed = Q(ends_on__isnull=False, ends_on__lt=today)
        planned = ~completed & Q(starts_on__isnull=False, starts_on__gt=today)
        begun = ~completed & ~Q(starts_on__isnull=False, starts_on__gt=today)
        return self.filter(
            {
                COMPLETED: completed,
                PLANNED: planned,
                PAUSED: begun & Q(is_paused=True),
                RUNNING: begun & Q(is_paused=False),
            }[status]
        )


class Campaign(ClickedModel):
    """A banner in the signatures of the users assigned to it."""

    rollup_dimension = dimensions.CAMPAIGN_DAYS

    public_id = public_ids.PublicIdField(_("public id"), default=public_ids.new_campaign_id)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, db_index=False, related_name="campaigns", verbose_name=_("workspace")
    )
    name = models.CharField(_("name"), max_length=200)
    target_url = models.CharField(_("target address"), max_length=TARGET_URL_LENGTH, validators=[validate_target_url])
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True, help_text=_("The last day, included."))
    is_paused = models.BooleanField(_("paused"), default=False)
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    assigned_users = models.ManyToManyField(
        WorkspaceUser, through="CampaignAssignment", related_name="campaigns", verbose_name=_("assigned users")
    )

    objects: ClassVar[Any] = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["workspace", "created_at"], name="stats_campaign_created")]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="stats_campaign_dates_in_order",
                violation_error_message=_("The last day is before the first."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def status(self, today: date) -> str:
        return campaign_status(self.starts_on, self.ends_on, self.is_paused, today)


class CampaignAssignment(models.Model):
    """A user whose signature carries a campaign."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, db_index=False, related_name="assignments", verbose_name=_("campaign")
    )
    user = models.ForeignKey(WorkspaceUser, models.CASCADE, related_name="assignments", verbose_name=_("user"))
    assigned_at = models.DateTimeField(_("assigned at"), default=now, editable=False)

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "user"],
                name="stats_assignment_unique",
                violation_error_message=_("This user is already assigned to this campaign."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign} – {self.user}"

    def clean(self) -> None:
        if self.campaign_id and self.user_id and self.campaign.workspace_id != self.user.workspace_id:
            raise ValidationError({"user": _("This user belongs to another workspace than the campaign.")})
