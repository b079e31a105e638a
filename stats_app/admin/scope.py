"""The base classes of the admin: staff see only the rows of the workspaces that they may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_permission_codename
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, router, transaction
from django.db.models import CASCADE, DateTimeField, ForeignKey, Model, ProtectedError, Q, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stats_app.admin.filters import WorkspaceFilter
from stats_app.admin.forms import ModelForm
from stats_app.admin.paging import KeyedChangeList, NamedChangeList
from stats_app.database_errors import RETRY_AFTER_SECONDS, kind_of
from stats_app.errors import WrongValue
from stats_app.models.deletion import ClickedQuerySet
from stats_app.models.fields import is_row_number
from stats_app.models.people import few
from stats_app.models.workspaces import WorkspaceOf
from stats_app.outages import with_outage_page
from stats_app.sql.words import holds
from stats_app.staff import sees_all, workspaces_for
from stats_app.words import search_words

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

MAX_NAMED = 50
"""The most rows that the confirmation of a deletion names."""


class RowSelect(AutocompleteSelect):
    """Ignores values that are not primary keys. Django's own widget raises an error for them."""

    def optgroups(self, name: str, value: Sequence[Any], attr: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [one for one in value if self._can_be(one)], attr)

    def _can_be(self, value: Any) -> bool:
        try:
            self.field.target_field.clean(value, None)
        except ValidationError:
            return False
        return True


class ScopedAdmin(_ModelAdmin):
    """Shows only rows of the workspaces that the login may see, in lists, forms and autocompletes.

    `workspace_path` is the look-up path from the model to its workspace. `fixed_fields` cannot be changed after a row
    was added, because other rows rely on them. `related_filters` are additional look-ups that an address may use.
    """

    workspace_path = "workspace"
    fixed_fields: tuple[str, ...] = ()
    related_filters: tuple[str, ...] = ()

    form = ModelForm
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = {"all": ["stats_app/admin.css"]}

    @property
    def urls(self) -> list[URLPattern]:
        """The URLs of `get_urls`. While the database cannot be reached, their views show a page of the admin. They are
        wrapped here, because Django reads the login from the database before it calls any of our methods."""
        patterns: list[URLPattern] = super().urls
        for pattern in patterns:
            pattern.callback = with_outage_page(pattern.callback, self._outage_page)
        return patterns

    def _outage_page(self) -> HttpResponse:
        site = {"site_title": self.admin_site.site_title, "site_header": self.admin_site.site_header}
        page = render_to_string("admin/stats_app/outage.html", site)
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request)
        if sees_all(request.user):
            return queryset
        return queryset.filter(**{f"{self.workspace_path}__in": workspaces_for(request.user).values("pk")})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The initial values of the form, from the address. Texts are parsed into times for the fields that hold times,
        because Django's widget raises an error for a text."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        for name in {field.name for field in self.opts.fields if isinstance(field, DateTimeField)} & initial.keys():
            try:
                initial[name] = forms.DateTimeField().clean(initial[name])
            except ValidationError:
                del initial[name]
        return initial

    def get_related_filters(self) -> tuple[str, ...]:
        return self.related_filters

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allows only the look-ups of the filters and `related_filters`.

        Django would allow look-ups of every column of the model, so that somebody could find out an API key's digest
        letter by letter.
        """
        return lookup in self.get_related_filters() or any(lookup in _parameters(one) for one in self.list_filter)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Leaves out the column of the workspace if one is chosen, because it would be the same in every row."""
        columns = tuple(str(column) for column in super().get_list_display(request))
        if WorkspaceFilter.parameter_name in request.GET:
            return tuple(column for column in columns if column != "workspace")
        return columns

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NamedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that contain every word. No rows for an invalid search; the list shows the error."""
        try:
            words = search_words(search_term)
        except WrongValue:
            return queryset.none(), False
        for word in words:
            queryset = queryset.filter(self.matching(word))
        return queryset, False

    def matching(self, word: str) -> Q:
        """The condition for rows that contain a word, by default in one of `search_fields`."""
        condition = Q()
        for name in self.search_fields:
            condition |= Q(holds(name, word))
        return condition

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = self.fixed_fields if obj is not None else ()
        return [*super().get_readonly_fields(request, obj), *fixed, "see_also"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = [*super().get_fields(request, obj)]
        return [*fields, "see_also"] if getattr(obj, "pages_about", None) else fields

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        # Django limits only the choices that the widget shows; a field accepts every row of its queryset.
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if related is not None:
            kwargs.setdefault("queryset", related.get_queryset(request))
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", RowSelect(db_field, self.admin_site, using=kwargs.get("using")))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Saves only the changed fields, because others may have been changed since the row was read."""
        if not change:
            obj.save()
            return
        names = {*form.changed_data}
        # The workspace is copied from the row that a foreign key refers to, so it is saved with that key.
        changed = [
            column.name
            for column in self.opts.concrete_fields
            if column.name in names or (isinstance(column, WorkspaceOf) and column.of in names)
        ]
        if changed:
            obj.save(update_fields=changed)

    def pages_about(self, request: HttpRequest, row: Any) -> Iterator[tuple[str, str | None]]:
        """The text and the address of each page about a row. The address is None if the login may not open the page, or
        the host does not include it."""
        return iter(())

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row, with links to the pages about it, to show in the form: not every theme shows buttons above it."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.pages_about = [(text, url) for text, url in self.pages_about(request, row) if url]
        return row

    @admin.display(description=gettext_lazy("see also"))
    def see_also(self, row: Any) -> SafeString:
        return format_html_join(" · ", '<a href="{1}">{0}</a>', row.pages_about)

    def list_of(self, model: type[Model], request: HttpRequest, **query: Any) -> str | None:
        """The address of the filtered list of another model; None if the login may not view it."""
        return self._page_of(model, "changelist", "view", request, query)

    def form_for(self, model: type[Model], request: HttpRequest, **values: Any) -> str | None:
        """The address of the form that adds a row of another model; None if the login may not add one."""
        return self._page_of(model, "add", "add", request, values)

    def _page_of(
        self, model: type[Model], page: str, act: str, request: HttpRequest, query: dict[str, Any]
    ) -> str | None:
        opts = model._meta
        may = request.user.has_perm(f"{opts.app_label}.{act}_{opts.model_name}")
        return self.page_of(model, page, query) if may else None

    def page_of(self, model: type[Model], page: str, query: dict[str, Any]) -> str | None:
        """The address of a page of another model; None if the host has unregistered the model."""
        if not self._lists(model):
            return None
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        return f"{reverse(name, current_app=self.admin_site.name)}?{urlencode(query)}"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What would be deleted, mostly as numbers. Django's own method would read every row, of which there may be
        millions.

        Returns what Django's method returns: the names of the rows, the number of each kind, the missing permissions,
        and the protected rows.
        """
        rows = self.model._default_manager.filter(pk__in=[obj.pk for obj in objs])
        name = capfirst(str(self.opts.verbose_name))
        names = [f"{name}: {row}" for row in rows[:MAX_NAMED]]
        if len(objs) > MAX_NAMED:
            names.append(_("… and %(number)s more") % {"number": len(objs) - MAX_NAMED})
        taken = {self.model: rows} | {model: some for model, some in _taken_along(rows) if self._lists(model)}
        counts = {model: number for model, taken_rows in taken.items() if (number := taken_rows.count())}
        lacking = {str(model._meta.verbose_name) for model in counts if not _may_delete(model, request.user)}
        clicked = rows.clicked()[:MAX_NAMED] if isinstance(rows, ClickedQuerySet) else ()
        return (
            names,
            {str(model._meta.verbose_name_plural): number for model, number in counts.items()},
            lacking,
            [_("clicks of “%(name)s”: make it inactive or pause it instead") % {"name": row} for row in clicked],
        )

    def _lists(self, model: type[Model]) -> bool:
        """Whether the admin has a list of the model."""
        return model in self.admin_site._registry

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DatabaseError as error:
            # Django's own error, which has no cause, says that the row was deleted.
            is_conflict = isinstance(error, IntegrityError) or error.__cause__ is None
            if kind_of(error) is not None or not is_conflict:
                raise
            text = _("Nothing was saved: somebody else has just changed a row that this one conflicts with. Try again.")
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ProtectedError:
            self._say_protected(request)
            return HttpResponseRedirect(self.address("change", object_id))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> Any:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        # What cannot be the number of a row is left out: databases raise errors for it.
        selected = [key for key in request.POST.getlist(ACTION_CHECKBOX_NAME) if is_row_number(key)]
        posted = request.POST.copy()
        posted.setlist(ACTION_CHECKBOX_NAME, selected)
        request.POST = posted  # type: ignore[assignment]  # Django reads it like the original
        try:
            # One transaction, so that the admin's log entries are rolled back if an action fails.
            with transaction.atomic(using=router.db_for_write(self.model)):
                return super().changelist_view(request, extra_context)
        except ProtectedError:
            self._say_protected(request)
            return HttpResponseRedirect(request.get_full_path())

    def rendered(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """A page of our own inside the admin; `template` is below `admin/stats_app/`."""
        request.current_app = self.admin_site.name
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"admin/stats_app/{template}", shared | context)

    def address(self, name: str, *args: Any) -> str:
        """The address of one of this model's pages: `changelist`, `add`, `change`, `delete`, `history` or our own."""
        return reverse(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args, current_app=self.admin_site.name
        )

    def _say_protected(self, request: HttpRequest) -> None:
        message = _(
            "It was not deleted: clicks are counted for it, and counts never change afterwards. "
            "Make it inactive or pause it instead."
        )
        self.message_user(request, message, messages.ERROR)


def of_related(relation: str, rows: QuerySet[Any], condition: Q) -> Q:
    """The condition that the related row fulfils `condition`; `rows` are all rows of its model.

    If few rows fulfil it, or few do not, it lists the keys of these rows, because a subquery would be run twice: for
    the list and for its count. It never uses a join, because the database would then sort all rows.
    """
    matching = few(rows.filter(condition))
    if matching is not None:
        return Q(**{f"{relation}__in": matching})
    others = few(rows.exclude(condition))
    if others is not None:
        return Q(**{f"{relation}__isnull": False}) & ~Q(**{f"{relation}__in": others})
    return Q(**{f"{relation}__in": rows.filter(condition).values("pk")})


def staff_page(request: HttpRequest, name: str, *args: str) -> str | None:
    """The address of a staff page; None if the host does not include them, or the login may not see them."""
    if not request.user.has_perm("stats_app.view_workspace"):
        return None
    try:
        return reverse(f"stats_dashboard:{name}", args=args)
    except NoReverseMatch:
        return None


def _parameters(list_filter: Any) -> tuple[str, ...]:
    """The parameters of a filter in the address of a list."""
    if isinstance(list_filter, str):
        return (f"{list_filter}__exact",)
    return getattr(list_filter, "parameters", ()) or (list_filter.parameter_name,)


def _taken_along(rows: QuerySet[Any]) -> Iterator[tuple[type[Model], QuerySet[Any]]]:
    """The related rows that would be deleted, too, by model."""
    for relation in rows.model._meta.get_fields(include_hidden=True):
        if getattr(relation, "on_delete", None) is CASCADE and relation.auto_created:
            model = relation.related_model
            yield model, model._default_manager.filter(**{f"{relation.field.name}__in": rows.order_by().values("pk")})


def _may_delete(model: type[Model], user: Any) -> bool:
    opts = model._meta
    return bool(user.has_perm(f"{opts.app_label}.{get_permission_codename('delete', opts)}"))


class ReadOnlyAdmin(ScopedAdmin):
    """Rows that cannot be added, changed or deleted in the admin."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Whoever may change rows may view them. Django's own method asks `has_change_permission`, which is False here.
        opts = self.opts
        return any(request.user.has_perm(f"{opts.app_label}.{act}_{opts.model_name}") for act in ("view", "change"))


class KeyedAdmin(ReadOnlyAdmin):
    """Long lists, newest first, with keyset pagination. `keys` are the columns to sort by; together they are unique."""

    change_list_template = "admin/stats_app/keyed_change_list.html"
    keys: tuple[str, ...] = ("id",)
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeyedChangeList
