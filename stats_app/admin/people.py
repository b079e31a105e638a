"""Workspace users and their aliases in the admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import router
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stats_app import person_figures
from stats_app.admin.assigning import PERMISSION, CampaignForm, assign
from stats_app.admin.clicks import clicks_of
from stats_app.admin.filters import WorkspaceFilter
from stats_app.admin.imports import ImportAdmin
from stats_app.admin.scope import ScopedAdmin, of_related, staff_page
from stats_app.directory import NewUser, save_users
from stats_app.known_links import forget_links
from stats_app.models import Alias, Campaign, CampaignAssignment, TrackedLink, WorkspaceUser
from stats_app.models.people import named
from stats_app.sql.words import holds

# The names of what Django's list posts to say which rows are selected.
_SELECTION = (ACTION_CHECKBOX_NAME, "select_across")


def of_user(word: str) -> Q:
    """The condition that the row's user has the word in the name or e-mail."""
    return of_related("user", WorkspaceUser.objects.all(), named(word))


@admin.register(WorkspaceUser)
class WorkspaceUserAdmin(ImportAdmin, ScopedAdmin):
    import_declaration = NewUser
    import_save = save_users
    actions = ("assign",)
    fields = (
        "workspace",
        "public_id",
        "external_id",
        "email",
        "display_name",
        "is_active",
        "is_opted_out",
        "created_at",
        "erased_at",
    )
    readonly_fields = ("public_id", "created_at", "erased_at")
    fixed_fields = ("workspace",)
    autocomplete_fields = ("workspace",)
    list_display = ("name", "email", "workspace", "is_active", "alias_count", "created_at")
    list_select_related = ("workspace",)
    list_filter = (WorkspaceFilter, "is_active", "is_opted_out")
    search_fields = ("email", "display_name")
    search_help_text = gettext_lazy("By name, e-mail or public id.")
    sortable_by = ("name", "email")
    ordering = ("-id",)

    def matching(self, word: str) -> Q:
        return super().matching(word) | Q(public_id=word.lower())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuses to change an erased person's row, because a name or an e-mail would undo the erasure."""
        is_erased = obj is not None and obj.erased_at is not None
        return not is_erased and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuses all deletions if figures of persons are withheld. Only users without clicks can be deleted, so a
        refusal would show that a user has clicks."""
        return person_figures.are_all_shown() and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_opted_out" in form.changed_data:
            forget_links([*obj.links.values_list("token", flat=True)], using=router.db_for_write(TrackedLink))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        users: Any = super().get_queryset(request)
        counted: QuerySet[Any] = users.with_alias_count()
        return counted

    def pages_about(self, request: HttpRequest, row: WorkspaceUser) -> Iterator[tuple[str, str | None]]:
        workspace = row.workspace
        yield _("Figures"), staff_page(request, "user", workspace.public_id, row.public_id)
        if person_figures.are_all_shown() and request.user.has_perm("stats_app.view_click"):
            yield _("Clicks"), clicks_of(self, workspace, user__id__exact=row.pk)
        yield _("Campaigns"), self.list_of(CampaignAssignment, request, user__id__exact=row.pk)
        yield _("Aliases"), self.list_of(Alias, request, user__id__exact=row.pk)
        yield _("Add an alias"), self.form_for(Alias, request, workspace=workspace.pk, user=row.pk)
        yield _("Tracked links"), self.list_of(TrackedLink, request, user__id__exact=row.pk)
        values = {"workspace": workspace.pk, "user": row.pk}
        yield _("Make a tracked link"), self.form_for(TrackedLink, request, **values)

    def has_assign_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    @admin.action(description=gettext_lazy("Assign selected users to a campaign"), permissions=["assign"])
    def assign(self, request: HttpRequest, queryset: QuerySet[WorkspaceUser]) -> HttpResponse | None:
        chosen = dict(queryset.filter(erased_at=None).order_by().values_list("pk", "workspace_id"))
        if len(set(chosen.values())) != 1:
            self.message_user(request, _("Choose users of one workspace."), messages.ERROR)
            return None
        campaigns = Campaign.objects.filter(workspace=next(iter(chosen.values()))).order_by("-created_at", "-pk")
        form = CampaignForm(campaigns, *([request.POST] if "confirmed" in request.POST else []))
        if form.is_valid():
            assign(self, request, form.cleaned_data["campaign"], chosen.keys())
            return None
        # What was posted, once more: with all rows selected it is short, however many these are.
        repeated = [(name, value) for name in _SELECTION for value in request.POST.getlist(name)]
        return self.rendered(
            request,
            "assign.html",
            title=_("Assign to a campaign"),
            number=len(chosen),
            form=form,
            repeated=[("action", "assign"), ("confirmed", "yes"), *repeated],
        )

    @admin.display(description=gettext_lazy("name"), ordering="display_name")
    def name(self, user: WorkspaceUser) -> str:
        return str(user)

    @admin.display(description=gettext_lazy("aliases"))
    def alias_count(self, user: Any) -> int:
        return int(user.alias_count)


@admin.register(Alias)
class AliasAdmin(ScopedAdmin):
    fields = ("workspace", "user", "email")
    fixed_fields = ("workspace",)
    autocomplete_fields = ("workspace", "user")
    list_display = ("email", "user", "workspace")
    list_select_related = ("user", "workspace")
    list_filter = (WorkspaceFilter,)
    related_filters = ("user__id__exact",)
    search_fields = ("email", "user__email", "user__display_name")
    search_help_text = gettext_lazy("By alias, or by the user's name or e-mail.")
    sortable_by = ("email",)
    ordering = ("-id",)

    def matching(self, word: str) -> Q:
        return Q(holds("email", word)) | of_user(word)
