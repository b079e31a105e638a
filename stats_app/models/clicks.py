"""Clicks, their stored counts, and tracked links."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app import targets
from stats_app.dimensions import CAMPAIGN, HUMAN, KINDS, VERDICTS
from stats_app.models.campaigns import Campaign, leads_to_the_web, validate_target_url
from stats_app.models.deletion import ClickedModel
from stats_app.models.fields import CodeField, UlidField
from stats_app.models.people import Alias, WorkspaceUser, refuse_erased
from stats_app.models.workspaces import OfOneWorkspace, Workspace

REASON_LENGTH = 40

_CAMPAIGN_MATCHES_KIND = Q(kind=CAMPAIGN, campaign__isnull=False) | (~Q(kind=CAMPAIGN) & Q(campaign__isnull=True))


class TrackedLink(ClickedModel):
    """A link in a signature that counts a click when it is followed. `fingerprint` makes creating it idempotent."""

    named_by_clicks = (("link", "TrackedLink", "pk"),)

    token = models.CharField(_("token"), max_length=32, editable=False)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, db_index=False, related_name="links", verbose_name=_("workspace")
    )
    kind = CodeField(_("kind"), codes=KINDS)
    target_url = models.CharField(
        _("target address"),
        max_length=targets.MAX_LENGTH,
        blank=True,
        validators=[validate_target_url],
        help_text=_("Empty for a campaign link: the campaign's current target."),
    )
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, blank=True, related_name="links", verbose_name=_("campaign")
    )
    user = models.ForeignKey(
        WorkspaceUser, models.CASCADE, null=True, blank=True, related_name="links", verbose_name=_("user")
    )
    alias = models.ForeignKey(
        Alias, models.SET_NULL, null=True, blank=True, related_name="links", verbose_name=_("alias")
    )
    fingerprint = models.CharField(_("fingerprint"), max_length=64, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)

    class Meta:
        verbose_name = _("tracked link")
        verbose_name_plural = _("tracked links")
        ordering = ["-id"]
        # For the lists, newest first, because the links of a workspace are not stored next to each other.
        indexes = [models.Index(fields=["workspace", "id"], name="stats_link_number")]
        constraints = [
            # Not unique=True: Django adds a second index for LIKE to such a column.
            models.UniqueConstraint(fields=["token"], name="stats_link_token_unique"),
            models.UniqueConstraint(fields=["workspace", "fingerprint"], name="stats_link_fingerprint_unique"),
            models.CheckConstraint(
                condition=_CAMPAIGN_MATCHES_KIND,
                name="stats_link_campaign_matches_kind",
                violation_error_message=_("A campaign link has a campaign, the other kinds have none."),
            ),
            models.CheckConstraint(
                condition=Q(kind=CAMPAIGN) | ~Q(target_url=""),
                name="stats_link_has_a_target",
                violation_error_message=_("Only a campaign link can do without a target address."),
            ),
            models.CheckConstraint(
                condition=leads_to_the_web("target_url"),
                name="stats_link_target_leads_to_the_web",
                violation_error_message=_("Enter an http or https address."),
            ),
            OfOneWorkspace(field="campaign", name="stats_link_campaign_of_workspace"),
            OfOneWorkspace(field="user", name="stats_link_user_of_workspace"),
            OfOneWorkspace(field="alias", name="stats_link_alias_of_workspace"),
        ]

    def __str__(self) -> str:
        return self.token

    def clean(self) -> None:
        if self.user is not None:
            refuse_erased(self.user)


class Click(models.Model):
    """A click on a link, stored once for each `id` of a workspace. Only `stats_app.ingest` adds clicks.

    - The widest fields come first, so that a row needs no padding.
    - The foreign keys have no database constraints, because three deferred constraints halve the rate of inserts.
      `record_clicks` checks each reference under the workspace's lock. They have no indexes of their own either.
    - `stats_app.models.deletion` updates clicks when rows are deleted, because Django would search the clicks of all
      tenants.
    - `utc_day` is the date of `clicked_at` in UTC. An index on it takes a quarter of the space of one on `clicked_at`,
      because it has few distinct values.
    """

    pk = models.CompositePrimaryKey("workspace_id", "id")
    clicked_at = models.DateTimeField(_("clicked at"))
    id = UlidField(_("id"))
    utc_day = models.DateField(_("day (UTC)"))
    workspace = models.ForeignKey(
        Workspace,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="clicks",
        verbose_name=_("workspace"),
    )
    campaign = models.ForeignKey(
        Campaign,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="clicks",
        verbose_name=_("campaign"),
    )
    user = models.ForeignKey(
        WorkspaceUser,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="clicks",
        verbose_name=_("user"),
    )
    alias = models.ForeignKey(
        Alias,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="clicks",
        verbose_name=_("alias"),
    )
    link = models.ForeignKey(
        TrackedLink,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="clicks",
        verbose_name=_("link"),
    )
    kind = CodeField(_("kind"), codes=KINDS)
    verdict = CodeField(_("verdict"), codes=VERDICTS, default=HUMAN)
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True, default="")
    visitor = models.BinaryField(_("visitor"), max_length=16, null=True)
    # The sum of the bits of the matching rules on trial (`stats_app.verdicts`); NULL if none matches.
    shadow = models.SmallIntegerField(null=True)

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        ordering = ["-clicked_at", "-id"]
        indexes = [
            models.Index(fields=["workspace", "utc_day"], name="stats_click_day"),
            models.Index(
                fields=["campaign", "utc_day"], condition=Q(campaign__isnull=False), name="stats_click_campaign_day"
            ),
            models.Index(fields=["user"], condition=Q(user__isnull=False), name="stats_click_user"),
            # Clicks that are not counted are rare. With this index they are found without reading all others.
            models.Index(fields=["workspace", "utc_day"], condition=~Q(verdict=HUMAN), name="stats_click_excluded"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=_CAMPAIGN_MATCHES_KIND,
                name="stats_click_campaign_matches_kind",
            ),
            models.CheckConstraint(
                condition=~Q(verdict=HUMAN) | Q(reason=""), name="stats_click_human_needs_no_reason"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id).lower()


class Reason(models.Model):
    """A reason for not counting clicks of a workspace, campaign or user. Rollups refer to it by its primary key.

    `dimension` and `key` say whose reason it is, as in the rollups. Reasons stay when clicks are pruned, because the
    counts by reason stay, too.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, db_index=False, related_name="reasons")
    dimension = models.SmallIntegerField()
    key = models.IntegerField()
    verdict = CodeField(codes=VERDICTS)
    text = models.CharField(max_length=REASON_LENGTH, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "dimension", "key", "verdict", "text"], name="stats_reason_unique"
            )
        ]

    def __str__(self) -> str:
        return self.text


class Rollup(models.Model):
    """Stored counts of clicks: a row for each key of a dimension and local day.

    Answers read them through `stats_app.store`; only `ingest`, `verdict_changes` and `rollups` change them.

    `key` is 0 if the dimension has no key, because NULL in a unique key would allow two rows for the same day. The sum
    of a calendar year has the first day of the year as its day.
    """

    pk = models.CompositePrimaryKey("workspace_id", "dimension", "key", "day")
    workspace = models.ForeignKey(
        Workspace, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="rollups"
    )
    key = models.IntegerField()
    day = models.DateField()
    campaign_clicks = models.IntegerField()
    vcard_clicks = models.IntegerField()
    other_clicks = models.IntegerField()
    dimension = models.SmallIntegerField()

    def __str__(self) -> str:
        return f"{self.dimension}:{self.key}:{self.day}"


class ImportKey(models.Model):
    """The random key of one workspace for the ids of imported rows. Nobody who sees an id can find out by it what the
    row said, such as whose click it was."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="+")
    key = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return str(self.workspace_id)
