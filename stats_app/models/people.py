"""The people whose signatures carry links, and their addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stats_app import dimensions, locks, public_ids
from stats_app.models.deletion import ClickedModel, ClickedQuerySet
from stats_app.models.fields import ExternalIdField, FoldedEmailField, NameField
from stats_app.models.workspaces import OfOneWorkspace, Workspace
from stats_app.sql.words import Alphabetical, holds

ERASED_DOMAIN = "erased.invalid"
"""The domain of the e-mails of erased users. It can never exist (RFC 2606)."""

# The most keys to list in one statement. Django needs as much time for each as for a cell of a page.
KEYS_AT_ONCE = 500


def number_of(rows: models.QuerySet[Any], parent: str) -> Coalesce:
    """A subquery for the number of `rows`, which an OuterRef already restricts to one parent."""
    counted = rows.order_by().values(parent).annotate(number=models.Count("*")).values("number")
    return Coalesce(models.Subquery(counted), 0)


def few(rows: models.QuerySet[Any], column: str = "pk") -> list[int] | None:
    """The values of a column of numbers, or None if there are more than `KEYS_AT_ONCE`."""
    values = list(rows.order_by().values_list(column, flat=True)[: KEYS_AT_ONCE + 1])
    return values if len(values) <= KEYS_AT_ONCE else None


def named(word: str, user: str = "") -> Q:
    """The condition that a user's name or e-mail contains the word. `user` is the look-up path to the user, such as
    `user__`."""
    return Q(holds(f"{user}display_name", word)) | Q(holds(f"{user}email", word))


class AddressedQuerySet(ClickedQuerySet):
    """Rows with an e-mail that no other user or alias of the workspace has: see `Address`."""

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> list[Any]:
        self._for_write = True
        with transaction.atomic(using=self.db):
            made: list[Any] = super().bulk_create(objs, batch_size, ignore_conflicts, update_conflicts, *args, **kwargs)
            rows = self._stored(made) if ignore_conflicts or update_conflicts else made
            keep_addresses(self.model, self.db, rows)
        return made

    def _stored(self, rows: Sequence[Any]) -> Iterable[Any]:
        """The stored rows with the keys or the e-mails of these. After a conflict, the stored row may have another
        e-mail, and Django may not know its key."""
        everything = self.model._base_manager.using(self.db)
        found: dict[int, Any] = {}
        for start in range(0, len(rows), KEYS_AT_ONCE):
            some = rows[start : start + KEYS_AT_ONCE]
            known = Q(pk__in=[row.pk for row in some if row.pk]) | Q(email__in=[row.email for row in some])
            workspaces = {row.workspace_id for row in some}
            found |= {row.pk: row for row in everything.filter(known, workspace__in=workspaces)}
        return found.values()

    def update(self, **values: Any) -> int:
        if not values.keys() & ADDRESS_FIELDS:
            return super().update(**values)
        self._for_write = True
        # Read before the transaction, because on SQLite the transaction has to begin with a write.
        keys = list(self.values_list("pk", flat=True))
        rows = self.filter(pk__in=keys)
        with transaction.atomic(using=self.db):
            touched = super(AddressedQuerySet, rows).update(**values)
            keep_addresses(self.model, self.db, self.model._base_manager.using(self.db).filter(pk__in=keys))
        return touched

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark against calls from templates


class AliasQuerySet(AddressedQuerySet):
    def delete(self) -> tuple[int, dict[str, int]]:
        """On PostgreSQL, locks only the aliases (`_take_out_of_clicks`) and not their workspaces: setting the
        references of clicks to NULL reads all clicks of the workspace, and no other clicks should wait for that."""
        self._for_write = True  # so that `db` is the database for writing
        if not locks.can_lock_aliases(self.db):
            return super().delete()
        keys = list(self.order_by().values_list("pk", flat=True))
        aliases = self.model._default_manager.using(self.db).filter(pk__in=keys)
        deleted: tuple[int, dict[str, int]] = locks.tried_again(aliases._delete_unclicked, using=self.db)
        return deleted

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark against calls from templates
    delete.queryset_only = True  # type: ignore[attr-defined]  # Django's mark: not offered on managers


class Addressed(ClickedModel):
    """A row with an e-mail of the workspace."""

    objects: ClassVar[Any] = AddressedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(
        self,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Saves the row and its `Address` in one transaction."""
        using = using or router.db_for_write(type(self), instance=self)
        fields = None if update_fields is None else frozenset(update_fields)
        with transaction.atomic(using=using):
            super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=fields)
            if fields is None or ADDRESS_FIELDS & fields:
                keep_addresses(type(self), using, [self])

    save.alters_data = True  # type: ignore[attr-defined]  # Django's mark against calls from templates


class WorkspaceUserQuerySet(AddressedQuerySet):
    def with_alias_count(self) -> WorkspaceUserQuerySet:
        """Adds `alias_count`, by a subquery that runs only for the rows of a page. A join would group all users."""
        counted: WorkspaceUserQuerySet = self.annotate(
            alias_count=number_of(Alias.objects.filter(user=OuterRef("pk")), "user")
        )
        return counted

    def named(self, word: str) -> WorkspaceUserQuerySet:
        """The users whose name or e-mail contains the word."""
        return self.filter(named(word))

    def known_as(self, words: Iterable[str], workspace: int) -> WorkspaceUserQuerySet:
        """The users of the workspace whose name, e-mail or aliases contain each of the words.

        For each word, an extra query reads the users with a matching alias. If they are few, the condition lists their
        keys, because with an OR and a subquery the database could not use its indexes. If they are many, a scan is as
        fast.
        """
        users = self.filter(workspace=workspace)
        for word in words:
            aliases = Alias.objects.filter(holds("email", word), workspace=workspace)
            holders = few(aliases, "user")
            held = Q(pk__in=holders) if holders is not None else Q(Exists(aliases.filter(user=OuterRef("pk"))))
            users = users.filter(named(word) | held)
        return users


class WorkspaceUser(Addressed):
    """A person whose e-mail signature has links. Not a login."""

    rollup_dimension = dimensions.USER_DAYS
    named_by_clicks = (("alias", "Alias", "user"), ("link", "TrackedLink", "user"))

    public_id = public_ids.PublicIdField(_("public id"), default=public_ids.new_user_id)
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, db_index=False, related_name="users", verbose_name=_("workspace")
    )
    external_id = ExternalIdField(_("external id"), help_text=_("The key of the directory that it comes from, if any."))
    email = FoldedEmailField(_("e-mail"))
    display_name = NameField(_("name"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_opted_out = models.BooleanField(
        _("opted out"),
        default=False,
        help_text=_("Their links redirect and count for the workspace and the campaign, never for the person."),
    )
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    erased_at = models.DateTimeField(
        _("erased at"),
        null=True,
        editable=False,
        help_text=_("When everything that tells who the person is was deleted. The counts stay."),
    )

    objects: ClassVar[Any] = WorkspaceUserQuerySet.as_manager()

    class Meta:
        verbose_name = _("workspace user")
        verbose_name_plural = _("workspace users")
        ordering = [Alphabetical("display_name"), "id"]
        indexes = [
            models.Index(fields=["workspace", "created_at"], name="stats_user_created"),
            models.Index(fields=["email", "id"], name="stats_user_email"),
            # There are mostly few inactive users. Without this index all users would be read to find them.
            models.Index(fields=["workspace", "created_at"], condition=Q(is_active=False), name="stats_user_inactive"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                name="stats_user_email_unique",
                violation_error_message=_("Another user of this workspace has this e-mail."),
            ),
            models.UniqueConstraint(
                fields=["workspace", "external_id"],
                name="stats_user_external_id_unique",
                violation_error_message=_("Another user of this workspace has this external id."),
            ),
            # Foreign keys of workspace and user refer to it.
            models.UniqueConstraint(fields=["workspace", "id"], name="stats_user_of_workspace"),
            # A form that is saved during an erasure must not put the person back.
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(
                    display_name="",
                    external_id__isnull=True,
                    email__endswith=f"@{ERASED_DOMAIN}",
                    is_active=False,
                    is_opted_out=True,
                ),
                name="stats_user_erased_is_nameless",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email

    def clean(self) -> None:
        if Alias.objects.filter(workspace=self.workspace_id, email=self.email).exists():
            raise ValidationError({"email": _("This e-mail is an alias in this workspace.")})


def refuse_erased(user: WorkspaceUser) -> None:
    """Raises ValidationError for a user who was erased, to whom nothing can be given any more."""
    if user.erased_at is not None:
        raise ValidationError({"user": _("This user was erased.")})


class Alias(Addressed):
    """A further e-mail address of a workspace user."""

    named_by_clicks = (("alias", "Alias", "pk"),)

    objects: ClassVar[Any] = AliasQuerySet.as_manager()

    workspace = models.ForeignKey(
        Workspace, models.CASCADE, db_index=False, related_name="aliases", verbose_name=_("workspace")
    )
    user = models.ForeignKey(WorkspaceUser, models.CASCADE, related_name="aliases", verbose_name=_("user"))
    email = FoldedEmailField(_("e-mail"))

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["email", "id"]
        indexes = [models.Index(fields=["email", "id"], name="stats_alias_email")]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                name="stats_alias_email_unique",
                violation_error_message=_("This e-mail is already an alias in this workspace."),
            ),
            models.UniqueConstraint(fields=["workspace", "id"], name="stats_alias_of_workspace"),
            OfOneWorkspace(field="user", name="stats_alias_user_of_workspace"),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        if self.user_id:
            refuse_erased(self.user)
        if WorkspaceUser.objects.filter(workspace=self.workspace_id, email=self.email).exists():
            raise ValidationError({"email": _("This is a user's own e-mail in this workspace.")})


class Address(models.Model):
    """An e-mail in a workspace, and its user or alias. Saving a user or an alias writes it.

    Its unique key ensures that an alias is never a user's own e-mail, even if both are saved at the same time.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, db_index=False, related_name="+")
    email = FoldedEmailField()
    user = models.OneToOneField(WorkspaceUser, models.CASCADE, null=True, related_name="+")
    alias = models.OneToOneField(Alias, models.CASCADE, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email"], name="stats_address_unique"),
            models.CheckConstraint(
                condition=Q(user__isnull=False, alias__isnull=True) | Q(user__isnull=True, alias__isnull=False),
                name="stats_address_has_one_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.email


ADDRESS_FIELDS = frozenset({"workspace", "workspace_id", "email"})
_OWNERS: dict[type[models.Model], str] = {WorkspaceUser: "user", Alias: "alias"}


def keep_addresses(model: type[models.Model], using: str, rows: Iterable[Any]) -> None:
    """Stores the `Address` of each of these users or aliases. Raises IntegrityError if another one has the e-mail."""
    owner = _OWNERS[model]
    Address.objects.using(using).bulk_create(
        [Address(workspace_id=row.workspace_id, email=row.email, **{f"{owner}_id": row.pk}) for row in rows],
        update_conflicts=True,
        unique_fields=[owner],
        update_fields=["workspace", "email"],
    )
