"""What every admin of ours shares: staff meet only the rows of the workspaces that they may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.db import router, transaction
from django.db.models import ForeignKey, ProtectedError, Q, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

# For Django's own words, which are no business of our catalogs.
from django.utils.translation import gettext as django_text

from stats_app.admin import deletion
from stats_app.admin.paging import CAP, CappedPaginator, KeyedChangeList, ListedChangeList
from stats_app.errors import WrongValue
from stats_app.staff import sees_all, workspaces_for
from stats_app.words import search_words

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class ScopedAdmin(_ModelAdmin):
    """Rows of the workspaces that the login may see; all others do not exist, in lists, forms and autocompletes.

    `workspace_path` leads from the model to its workspace. Lists never count beyond a cap.
    """

    workspace_path = "workspace"
    # What a row keeps once it is made, since other rows rely on it.
    fixed_fields: tuple[str, ...] = ()

    paginator = CappedPaginator
    # Drawing a row costs more than finding it.
    list_per_page = 20
    list_max_show_all = 20
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = {"all": ["stats_app/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request)
        if sees_all(request.user):
            return queryset
        return queryset.filter(**{f"{self.workspace_path}__in": workspaces_for(request.user).values("pk")})

    @admin.display(description=mark_safe('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: Any) -> SafeString:
        """Django's own, in the same words, without a template for each: that was a fifth of what a list costs."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            str(obj.pk),
            format_html(django_text("Select this object for an action - {}"), str(obj)),
        )

    def listed(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the list with what only the list shows. Counts stand here, as subqueries: they are run for the
        rows of one page, and not for forms and autocompletes."""
        return queryset

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the rule of all searches. Nothing is found by what cannot be searched for; the list says why."""
        try:
            words = search_words(search_term)
        except WrongValue:
            return queryset.none(), False
        return (self.searched(request, queryset, words) if words else queryset), False

    def searched(self, request: HttpRequest, queryset: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
        """The rows with all the words. Django shows the search field for `search_fields`; what it does is here."""
        for word in words:
            queryset = queryset.filter(self.having(word))
        return queryset

    def having(self, word: str) -> Q:
        """The condition that a row has the word in what its list is searched by."""
        raise NotImplementedError

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = self.fixed_fields if obj is not None else ()
        return [*super().get_readonly_fields(request, obj), *fixed]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        # Django limits what the widget offers, but would take any row that is posted.
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if related is not None:
            kwargs.setdefault("queryset", related.get_queryset(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Writes what was changed and nothing else: the rest may have moved since the row was read."""
        if not change:
            obj.save()
            return
        columns = {field.name for field in self.opts.concrete_fields}
        changed = [name for name in form.changed_data if name in columns]
        if changed:
            obj.save(update_fields=changed)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What deleting would take along, in numbers: Django's own way reads every row, and there may be millions."""
        return deletion.preview(self.model, [obj.pk for obj in objs], request.user)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ProtectedError:
            self._say_protected(request)
            return HttpResponseRedirect(self.address("change", object_id))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> Any:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        try:
            # One transaction: when an action fails, its entries in the log of the admin go, too.
            with transaction.atomic(using=router.db_for_write(self.model)):
                return super().changelist_view(request, extra_context)
        except ProtectedError:
            self._say_protected(request)
            return HttpResponseRedirect(request.get_full_path())

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        if request.POST.get("select_across") == "1" and queryset.order_by().values("pk")[:CAP].count() >= CAP:
            message = _("These are too many for one action. Narrow the list by a search or a filter first.")
            self.message_user(request, message, messages.ERROR)
            return None
        return super().response_action(request, queryset, *args, **kwargs)

    def address(self, name: str, *args: Any) -> str:
        """The address of one of this model's pages: `changelist`, `add`, `change`, `delete`, `history`, or our own."""
        return reverse(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args, current_app=self.admin_site.name
        )

    def _say_protected(self, request: HttpRequest) -> None:
        message = _("It was not deleted: clicks are counted for it, and counts never change afterwards.")
        self.message_user(request, message, messages.ERROR)


class ReadOnlyAdmin(ScopedAdmin):
    """Rows that only the product itself writes."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Django takes the permission to change for one to view, and asks the method above about it.
        opts = self.opts
        return any(request.user.has_perm(f"{opts.app_label}.{act}_{opts.model_name}") for act in ("view", "change"))


class KeyedAdmin(ReadOnlyAdmin):
    """Rows without end, newest first, paged from row to row."""

    change_list_template = "admin/stats_app/keyed_change_list.html"

    def keys(self, request: HttpRequest) -> tuple[str, ...]:
        """The columns that the list is ordered by, descending; together unique, and served by an index."""
        raise NotImplementedError

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeyedChangeList
