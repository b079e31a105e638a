"""Hashes of the e-mails and external ids of erased people, to keep these people from being added again."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stats_app.models.workspaces import Workspace


class ErasureSalt(models.Model):
    """The random key of one workspace for hashing identifiers, so that hashes of two workspaces cannot be compared."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="+")
    salt = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return str(self.workspace_id)


class ErasedIdentifier(models.Model):
    """The keyed hash of an e-mail or external id of an erased person. Written and read by `stats_app.erasures`."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, db_index=False, related_name="+")
    digest = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField(_("erased at"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "digest"], name="stats_erased_identifier_unique")]

    def __str__(self) -> str:
        return bytes(self.digest).hex()
