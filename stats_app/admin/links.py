"""Tracked links in the admin. They can be made and switched off and on, but not changed: sent mails use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import router
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from stats_app import links
from stats_app.admin.campaigns import of_campaign
from stats_app.admin.filters import KindFilter, WorkspaceFilter
from stats_app.admin.forms import ModelForm
from stats_app.admin.people import of_user
from stats_app.admin.scope import ScopedAdmin, staff_page
from stats_app.admin.words import KIND_WORDS
from stats_app.known_links import forget_links
from stats_app.links import LinkInput, create_links
from stats_app.models import TrackedLink

ASKED_FOR = ("workspace", "kind", "campaign", "target_url", "user", "alias")


class LinkForm(ModelForm):
    def clean(self) -> dict[str, Any] | None:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        user, alias = values.get("user"), values.get("alias")
        if user is not None and alias is not None and alias.user_id != user.pk:
            self.add_error("alias", ValidationError(_("This alias belongs to another user."), code="invalid"))
        return values


@admin.register(TrackedLink)
class TrackedLinkAdmin(ScopedAdmin):
    """Makes links by `create_links`, as the API does: the same arguments give the existing link."""

    form = LinkForm
    fields = ("token", "whole_address", "workspace", "kind_word", "campaign", "target", "user", "alias", "is_active")
    readonly_fields = ("created_at",)
    fixed_fields = (*fields[:-1], *ASKED_FOR)
    autocomplete_fields = ("workspace", "campaign", "user", "alias")
    related_filters = ("campaign__id__exact", "user__id__exact")
    list_display = ("token", "workspace", "kind_word", "target", "campaign", "user", "is_active")
    list_select_related = ("workspace", "campaign", "user")
    list_filter = (WorkspaceFilter, KindFilter, "is_active")
    # Needed so that Django shows the search field. `matching` implements the search.
    search_fields = ("token",)
    search_help_text = gettext_lazy("By token or whole address, campaign, or the user's name or e-mail.")
    sortable_by = ()
    ordering = ("-id",)
    actions = ("switch_off", "switch_on")

    class Media:
        js = [forms.Script("stats_app/copy.js", defer=True)]

    def matching(self, word: str) -> Q:
        token = word.rstrip("/").rpartition("/")[2]
        return Q(token=token) | of_campaign(word) | of_user(word)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return [*ASKED_FOR]
        fields = super().get_fields(request, obj)
        return [*self.fields, "created_at", *fields[len(self.fields) :]]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            words = [("", "---------"), *KIND_WORDS.items()]
            return forms.ChoiceField(label=capfirst(db_field.verbose_name), choices=words)
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        link = super().get_object(request, object_id, from_field)
        if link is not None:
            link.address = links.address(link.token, request.build_absolute_uri)
        return link

    def pages_about(self, request: HttpRequest, row: TrackedLink) -> Iterator[tuple[str, str | None]]:
        workspace = row.workspace.public_id
        if row.user is not None:
            yield _("The user's figures and links"), staff_page(request, "user", workspace, row.user.public_id)
        if row.campaign is not None:
            yield _("The campaign's figures"), staff_page(request, "campaign", workspace, row.campaign.public_id)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            forget_links([obj.token], using=router.db_for_write(TrackedLink))
            return
        asked = LinkInput(obj.kind, obj.target_url, obj.campaign, obj.user, obj.alias)
        obj.result = create_links(obj.workspace, [asked])
        [link] = obj.result.links
        if link is not None:
            obj.pk, obj.token, obj.is_active = link.pk, link.token, link.is_active

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_addition(request, obj, message) if obj.result.created else None

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if obj.result.created:
            return super().response_add(request, obj, post_url_continue)
        if obj.result.rejected:
            # A row that the form refers to was deleted after the form was validated.
            self.message_user(request, obj.result.rejected[0].message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        text = _("This link already exists: here it is.") if obj.is_active else _(
            "This link already exists, and is switched off."
        )  # fmt: skip
        self.message_user(request, text, messages.WARNING)
        return HttpResponseRedirect(self.address("change", obj.pk))

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """Redirects to the link's page, where its address can be copied."""
        may_look = self.has_view_or_change_permission(request, obj)
        return HttpResponseRedirect(self.address("change", obj.pk) if may_look else self.address("add"))

    @admin.action(description=gettext_lazy("Switch off selected tracked links"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[TrackedLink]) -> None:
        number = self._switch(request, queryset, on=False)
        text = ngettext(
            "%(number)d tracked link was switched off: it leads nowhere now.",
            "%(number)d tracked links were switched off: they lead nowhere now.",
            number,
        )
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Switch on selected tracked links"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[TrackedLink]) -> None:
        number = self._switch(request, queryset, on=True)
        text = ngettext(
            "%(number)d tracked link was switched on.", "%(number)d tracked links were switched on.", number
        )
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    def _switch(self, request: HttpRequest, queryset: QuerySet[TrackedLink], *, on: bool) -> int:
        switched = links.switch(queryset, on=on)
        message = [{"changed": {"fields": [str(TrackedLink._meta.get_field("is_active").verbose_name)]}}]
        LogEntry.objects.log_actions(request.user.pk, switched, CHANGE, message)  # type: ignore[arg-type]  # the stubs want a query set; any iterable will do
        return len(switched)

    @admin.display(description=gettext_lazy("kind"))
    def kind_word(self, link: TrackedLink) -> str:
        return str(KIND_WORDS[link.kind])

    @admin.display(description=gettext_lazy("target address"))
    def target(self, link: TrackedLink) -> str:
        # Text and not a link, so that staff do not follow it by mistake.
        return link.target_url or _("the campaign's current target")

    @admin.display(description=gettext_lazy("address to copy"))
    def whole_address(self, link: Any) -> str | SafeString:
        if link.address is None:
            return _("This site does not serve tracked links.")
        return format_html(
            '<span class="stats-copy"><code id="stats-address-{0}">{1}</code>'
            ' <button type="button" class="button" hidden data-copy="stats-address-{0}" data-copied="{3}"'
            ' aria-describedby="stats-address-{0}">{2}</button></span>',
            link.token, link.address, _("Copy"), _("Copied"),
        )  # fmt: skip
