"""API keys in the admin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.debug import sensitive_variables

from stats_app.admin.filters import WorkspaceFilter
from stats_app.admin.forms import ModelForm
from stats_app.admin.scope import ScopedAdmin
from stats_app.errors import Refused
from stats_app.keys import ROTATION_GRACE, create_key, is_good, revoke_key, rotate_key
from stats_app.models import SCOPES, ApiKey
from stats_app.models.api_keys import default_scopes

MAX_GRACE_HOURS = 30 * 24

SCOPE_WORDS = {
    "stats:read": gettext_lazy("read figures, campaigns and users"),
    "clicks:read": gettext_lazy("read clicks"),
    "clicks:write": gettext_lazy("send clicks"),
    "links:read": gettext_lazy("read tracked links"),
    "links:write": gettext_lazy("make tracked links"),
    "directory:write": gettext_lazy("save users and campaigns"),
}


@dataclass(frozen=True, slots=True, repr=False)
class NewKey:
    """A new key with its secret, for the only page that shows the secret."""

    key: ApiKey
    secret: str


def _scope_choices() -> list[tuple[str, str]]:
    return [(scope, f"{scope} ({SCOPE_WORDS[scope]})") for scope in SCOPES]


class ApiKeyForm(ModelForm):
    scopes = forms.MultipleChoiceField(
        label=capfirst(gettext_lazy("scopes")),
        choices=_scope_choices,
        widget=forms.CheckboxSelectMultiple,
        initial=default_scopes,
    )

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if "expires_at" in self.changed_data and expires_at is not None and expires_at <= timezone.now():
            raise ValidationError(_("This time has passed. To end a key at once, revoke it."))
        return expires_at


class RotationForm(forms.Form):
    grace = forms.IntegerField(
        label=gettext_lazy("Hours for which the old keys stay valid"),
        min_value=0,
        max_value=MAX_GRACE_HOURS,
        initial=int(ROTATION_GRACE / timedelta(hours=1)),
        help_text=gettext_lazy("Time to put the new secrets in place. A key that expires earlier keeps its expiry."),
    )


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("active", pgettext("API key", "active")), ("expired", _("expired")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        expired = Q(expires_at__isnull=False, expires_at__lte=timezone.now())
        states = {
            "active": Q(revoked_at=None) & ~expired,
            "expired": Q(revoked_at=None) & expired,
            "revoked": Q(revoked_at__isnull=False),
        }
        return queryset.filter(states.get(self.value() or "", Q()))


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedAdmin):
    """Keys can be made, rotated and revoked, but not deleted, because the audit log refers to them.

    A secret is only shown in the response to the request that made it. It is never in a message or a session, because
    both are stored.
    """

    form = ApiKeyForm
    fields = ("workspace", "name", "scopes", "expires_at")
    fixed_fields = ("workspace", "public_part", "state", "created_at", "revoked_at", "last_used_at")
    autocomplete_fields = ("workspace",)
    list_display = ("name", "workspace", "public_part", "scope_list", "state", "expires_at", "last_used_at")
    list_select_related = ("workspace",)
    list_filter = (WorkspaceFilter, StateFilter)
    search_fields = ("name", "public_part", "workspace__name")
    search_help_text = gettext_lazy("By name, public part or workspace.")
    sortable_by = ("name", "expires_at", "last_used_at")
    ordering = ("-id",)
    actions = ("rotate", "revoke")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        # Before the fields that `ScopedAdmin` adds.
        return fields if obj is None else [*self.fields, *self.fixed_fields[1:], *fields[len(self.fields) :]]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request) and self.has_add_permission(request)

    @admin.display(description=gettext_lazy("scopes"))
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description=gettext_lazy("state"))
    def state(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return _("revoked")
        return pgettext("API key", "active") if is_good(key, timezone.now()) else _("expired")

    def pages_about(self, request: HttpRequest, row: ApiKey) -> Iterator[tuple[str, str | None]]:
        if is_good(row, timezone.now()) and self.has_rotate_permission(request):
            yield _("Rotate"), self.address("rotate", row.pk)
        if row.revoked_at is None and self.has_revoke_permission(request):
            yield _("Revoke"), self.address("revoke", row.pk)

    def get_urls(self) -> list[URLPattern]:
        ours = [
            path(f"<int:pk>/{act}/", self.admin_site.admin_view(view), name=f"stats_app_apikey_{act}")
            for act, view in (("rotate", self.rotate_view), ("revoke", self.revoke_view))
        ]
        return [*ours, *super().get_urls()]

    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for confirmation before one key is rotated. The form is posted to the action."""
        if not self.has_rotate_permission(request):
            raise PermissionDenied
        return self._asked_first(request, pk, "rotate", _("Rotate API keys"), {"form": RotationForm()})

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for confirmation before one key is revoked. The form is posted to the action."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        return self._asked_first(request, pk, "revoke", _("Revoke API keys"), {})

    def _asked_first(
        self, request: HttpRequest, pk: int, action: str, title: str, more: Mapping[str, Any]
    ) -> TemplateResponse:
        keys = self.get_queryset(request).filter(pk=pk)
        if not keys:
            raise Http404
        return self._confirmation(request, keys, action, title, more)

    @sensitive_variables("secret")
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        key, secret = create_key(obj.workspace, obj.name, obj.scopes, obj.expires_at)
        obj.pk, obj.public_part = key.pk, key.public_part
        obj.new_key = NewKey(key, secret)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._secrets_page(request, [obj.new_key])

    @admin.action(description=gettext_lazy("Rotate selected API keys"), permissions=["rotate"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse:
        """Asks how long the old keys stay valid; then makes the new ones and shows their secrets."""
        form = RotationForm(request.POST if "confirmed" in request.POST else None)
        if form.is_valid():
            made = self._rotated(request, queryset, timedelta(hours=form.cleaned_data["grace"]))
            if made:
                return self._secrets_page(request, made)
            form = RotationForm()
        return self._confirmation(request, queryset, "rotate", _("Rotate API keys"), {"form": form})

    @admin.action(description=gettext_lazy("Revoke selected API keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Asks for confirmation, because it cannot be undone; then revokes."""
        if "confirmed" not in request.POST:
            return self._confirmation(request, queryset, "revoke", _("Revoke API keys"), {})
        now = timezone.now()
        revoked = [key for key in queryset if revoke_key(key, now)]
        for key in revoked:
            self.log_change(request, key, _("Revoked."))
        message = ngettext("%(number)d API key was revoked.", "%(number)d API keys were revoked.", len(revoked))
        self.message_user(request, message % {"number": len(revoked)}, messages.SUCCESS)
        return None

    @sensitive_variables("made", "secret")
    def _rotated(self, request: HttpRequest, queryset: QuerySet[ApiKey], grace: timedelta) -> list[NewKey]:
        now, made = timezone.now(), []
        for old in queryset.order_by("pk"):
            try:
                key, secret = rotate_key(old, now, grace)
            except Refused:
                message = _("%(key)s is revoked or expired and cannot be rotated. Make a new key.")
                self.message_user(request, message % {"key": old}, messages.ERROR)
                continue
            made.append(NewKey(key, secret))
            self.log_addition(request, key, _("Made to replace %(key)s.") % {"key": old})
            self.log_change(request, old, _("Replaced by %(key)s.") % {"key": key})
        return made

    def _confirmation(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], action: str, title: str, more: Mapping[str, Any]
    ) -> TemplateResponse:
        context = {"title": title, "action": action, "keys": queryset, "checkbox_name": ACTION_CHECKBOX_NAME, **more}
        return self.rendered(request, "apikey/confirmation.html", **context)

    def _secrets_page(self, request: HttpRequest, made: Sequence[NewKey]) -> TemplateResponse:
        title = ngettext("The secret of the new API key", "The secrets of the new API keys", len(made))
        # Browsers do not store the page either, because the admin site marks all its pages as never to be cached.
        return self.rendered(request, "apikey/secrets.html", title=title, made=made)
