"""API keys, their scopes, and the times of their last calls."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app.models.fields import NameField
from stats_app.models.workspaces import Workspace

STATS_READ = "stats:read"
CLICKS_READ = "clicks:read"
CLICKS_WRITE = "clicks:write"
LINKS_READ = "links:read"
LINKS_WRITE = "links:write"
DIRECTORY_WRITE = "directory:write"
SCOPES = (STATS_READ, CLICKS_READ, CLICKS_WRITE, LINKS_READ, LINKS_WRITE, DIRECTORY_WRITE)


def default_scopes() -> list[str]:
    return [STATS_READ]


def validate_scopes(scopes: object) -> None:
    """Refuses anything but a list of known scopes."""
    if not isinstance(scopes, list) or not scopes or any(scope not in SCOPES for scope in scopes):
        raise ValidationError(
            _("Give one or more of: %(scopes)s."), code="invalid", params={"scopes": ", ".join(SCOPES)}
        )


class ApiKey(models.Model):
    """An API key. Only a digest of its secret is stored, so that a copy of the table gives no access.

    `public_part` is a part of the secret that is safe to show, so that staff can tell keys apart.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_keys", verbose_name=_("workspace"))
    name = NameField(_("name"))
    public_part = models.CharField(_("public part"), max_length=16, editable=False)
    digest = models.BinaryField(_("digest"), max_length=32, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=default_scopes, validators=[validate_scopes])
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_part})"


class CallWindow(models.Model):
    """The times of the last calls of an API key to one tool or group of calls (`name`), oldest first, as a JSON list of
    microseconds.

    On PostgreSQL the table is UNLOGGED, because it is written at each call. A crash of the server empties it, which
    loses at most a minute of counting.
    """

    pk = models.CompositePrimaryKey("api_key_id", "name")
    api_key = models.ForeignKey(ApiKey, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    name = models.CharField(max_length=64)
    passed = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.api_key_id}:{self.name}"
