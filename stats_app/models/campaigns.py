"""Campaigns, who carries them, and the links that lead to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Value, When
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app import dimensions, public_ids, targets
from stats_app.models.deletion import ClickedModel, ClickedQuerySet
from stats_app.models.fields import ExternalIdField, NameField
from stats_app.models.people import WorkspaceUser, number_of, refuse_erased
from stats_app.models.workspaces import OfOneWorkspace, Workspace, WorkspaceOf
from stats_app.sql.words import holds

COMPLETED = "completed"
PLANNED = "planned"
PAUSED = "paused"
RUNNING = "running"
STATUSES = (PLANNED, RUNNING, PAUSED, COMPLETED)


def validate_target_url(address: str) -> None:
    """Refuses everything but a full http or https address that all browsers read in the same way, and long ones."""
    if not targets.is_target(address):
        raise ValidationError(_("Enter an http or https address."), code="invalid", params={"value": address})
    if (length := targets.sent_length(address)) > targets.MAX_LENGTH:
        raise ValidationError(
            _(
                "Enter a shorter address: as it is sent, with é as %%C3%%A9, it has %(length)d characters, "
                "and at most %(limit)d are allowed."
            ),
            code="too_long",
            params={"length": length, "limit": targets.MAX_LENGTH},
        )


def leads_to_the_web(column: str) -> Q:
    """The database's condition for targets: http, https or empty. It excludes `javascript:`, which would run code."""
    return Q(**{column: ""}) | Q(**{f"{column}__istartswith": "http://"}) | Q(**{f"{column}__istartswith": "https://"})


def campaign_status(starts_on: date | None, ends_on: date | None, is_paused: bool, today: date) -> str:
    """The status on the local date `today`: the first of completed, planned, paused and running that applies."""
    if ends_on is not None and ends_on < today:
        return COMPLETED
    if starts_on is not None and today < starts_on:
        return PLANNED
    return PAUSED if is_paused else RUNNING


def _has_status(today: date) -> dict[str, Q]:
    """The condition of each status."""
    completed = Q(ends_on__isnull=False, ends_on__lt=today)
    planned = ~completed & Q(starts_on__isnull=False, starts_on__gt=today)
    begun = ~completed & ~Q(starts_on__isnull=False, starts_on__gt=today)
    return {
        PLANNED: planned,
        RUNNING: begun & Q(is_paused=False),
        PAUSED: begun & Q(is_paused=True),
        COMPLETED: completed,
    }


def status_place(today: date) -> Case:
    """The position of a campaign's status in `STATUSES`, to sort by."""
    whens = [When(condition, then=Value(STATUSES.index(status))) for status, condition in _has_status(today).items()]
    return Case(*whens, output_field=models.IntegerField())


class CampaignQuerySet(ClickedQuerySet):
    def with_user_count(self) -> CampaignQuerySet:
        """Adds `user_count`, the number of assigned users."""
        assignments = CampaignAssignment.objects.filter(campaign=OuterRef("pk"))
        counted: CampaignQuerySet = self.annotate(user_count=number_of(assignments, "campaign"))
        return counted

    def with_status(self, status: str, today: date) -> CampaignQuerySet:
        """The campaigns whose `campaign_status` on `today` is `status`."""
        return self.filter(_has_status(today)[status])

    def named(self, words: Iterable[str]) -> CampaignQuerySet:
        """The campaigns with all the words in the name."""
        campaigns = self
        for word in words:
            campaigns = campaigns.filter(holds("name", word))
        return campaigns


class Campaign(ClickedModel):
    """A banner in the signatures of the users assigned to it."""

    rollup_dimension = dimensions.CAMPAIGN_DAYS
    named_by_clicks = (("link", "TrackedLink", "campaign"),)

    public_id = public_ids.PublicIdField(_("public id"), default=public_ids.new_campaign_id)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, db_index=False, related_name="campaigns", verbose_name=_("workspace")
    )
    external_id = ExternalIdField(_("external id"), help_text=_("The key of the directory that it comes from, if any."))
    name = NameField(_("name"))
    target_url = models.CharField(_("target address"), max_length=targets.MAX_LENGTH, validators=[validate_target_url])
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
            models.CheckConstraint(condition=~Q(name=""), name="stats_campaign_has_a_name"),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="stats_campaign_dates_in_order",
                violation_error_message=_("The last day is before the first."),
            ),
            models.CheckConstraint(
                condition=leads_to_the_web("target_url"),
                name="stats_campaign_target_leads_to_the_web",
                violation_error_message=_("Enter an http or https address."),
            ),
            models.UniqueConstraint(
                fields=["workspace", "external_id"],
                name="stats_campaign_external_id_unique",
                violation_error_message=_("Another campaign of this workspace has this external id."),
            ),
            # Foreign keys of workspace and campaign refer to it.
            models.UniqueConstraint(fields=["workspace", "id"], name="stats_campaign_of_workspace"),
        ]

    def __str__(self) -> str:
        return self.name

    def status(self, today: date) -> str:
        return campaign_status(self.starts_on, self.ends_on, self.is_paused, today)


class CampaignAssignmentQuerySet(models.QuerySet[Any]):
    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Reads the campaigns of all rows at once, because each row takes its workspace from its campaign. Also called
        by `assigned_users.add()`."""
        self._for_write = True
        objs = list(objs)
        campaigns = models.Prefetch("campaign", Campaign.objects.using(self.db))
        models.prefetch_related_objects([row for row in objs if row.campaign_id is not None], campaigns)
        made: list[Any] = super().bulk_create(objs, *args, **kwargs)
        return made


class CampaignAssignment(models.Model):
    """A user whose signature carries a campaign. Campaign and user are of the same workspace."""

    workspace = WorkspaceOf(
        Workspace,
        models.CASCADE,
        of="campaign",
        db_index=False,
        editable=False,
        related_name="+",
        verbose_name=_("workspace"),
    )
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, db_index=False, related_name="assignments", verbose_name=_("campaign")
    )
    user = models.ForeignKey(WorkspaceUser, models.CASCADE, related_name="assignments", verbose_name=_("user"))
    assigned_at = models.DateTimeField(_("assigned at"), default=now, editable=False)

    objects: ClassVar[Any] = CampaignAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ["id"]
        # For deleting a workspace: our code and the database look its rows up.
        indexes = [models.Index(fields=["workspace"], name="stats_assignment_workspace")]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "user"],
                name="stats_assignment_unique",
                violation_error_message=_("This user is already assigned to this campaign."),
            ),
            OfOneWorkspace(field="campaign", name="stats_assignment_campaign_of_workspace"),
            OfOneWorkspace(field="user", name="stats_assignment_user_of_workspace"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} – {self.user}"

    def clean(self) -> None:
        if self.campaign_id:
            self.workspace_id = self.campaign.workspace_id  # the constraints need it
        if self.user_id:
            refuse_erased(self.user)
