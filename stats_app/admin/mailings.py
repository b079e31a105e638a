"""Mailings in the admin: their workspace, interval and addresses, and a preview of the mail before saving."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stats_app.admin.filters import WorkspaceFilter
from stats_app.admin.forms import ModelForm, ShownField
from stats_app.admin.scope import ScopedAdmin
from stats_app.emails import is_email
from stats_app.errors import UnknownZone
from stats_app.letters import contents
from stats_app.mailings import last_period, start_anew
from stats_app.models import Mailing, MailingAddress
from stats_app.staff import unknown_zone_message
from stats_app.subscriptions import change_addresses
from stats_app.words import fold

MAX_ADDRESSES = 500
PREVIEW = "_preview"
# The mail has inline styles; nothing may be loaded.
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _next_attempt(address: MailingAddress) -> str:
    if address.waits_until is None:
        return ""
    time = formats.date_format(timezone.localtime(address.waits_until), "DATETIME_FORMAT")
    return " · " + _("next attempt: %(time)s") % {"time": time}


# Letters that domains tell apart since IDNA 2008, and that older software and folding replace or drop.
_AMBIGUOUS = re.compile("[ßẞς\u200c\u200d]")


class MailingForm(ModelForm):
    emails = forms.CharField(
        label=gettext_lazy("Addresses"),
        widget=forms.Textarea(attrs={"rows": 6, "cols": 60}),
        required=False,
        help_text=gettext_lazy(
            "One per line. The first mail to a new address is about the current period, once it is over."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gone: set[str] = set()
        self.present: list[str] = []
        if self.instance.pk:
            rows = self.instance.addresses.order_by("pk").values_list("email", "unsubscribed_at")
            self.gone = {email for email, unsubscribed_at in rows if unsubscribed_at is not None}
            self.present = [email for email, unsubscribed_at in rows if unsubscribed_at is None]
            self.initial["emails"] = "\n".join(self.present)

    def clean_emails(self) -> list[str]:
        """Also sets `added` and `removed`: others may have changed the addresses since the form was shown."""
        entered = self._entered()
        shown = cast(ShownField, self["emails"]).shown()
        before = self.present if shown is None else shown.split()
        self.added = [email for email in entered if email not in before]
        self.removed = [email for email in before if email not in entered]
        for email in self.gone.intersection(self.added):
            raise ValidationError(_("%(value)s has unsubscribed and cannot be added again."), params={"value": email})
        if len({*self.present, *self.added}.difference(self.removed)) > MAX_ADDRESSES:
            raise ValidationError(_("Enter at most %(most)s addresses."), params={"most": MAX_ADDRESSES})
        return entered

    def _entered(self) -> list[str]:
        """The addresses in the field. Raises ValidationError for what cannot get mails."""
        texts = [text for text in re.split(r"[\s,;]+", self.cleaned_data["emails"]) if text]
        for text in texts:
            # Folding would make another domain of these, and so do mail servers, each by its own rule.
            if _AMBIGUOUS.search(text.rpartition("@")[2]):
                raise ValidationError(
                    _("“%(value)s”: write the domain in its ASCII form, which begins with xn--."),
                    params={"value": text},
                )
        emails = list(dict.fromkeys(map(fold, texts)))
        for email in emails:
            if not is_email(email):
                raise ValidationError(_("“%(value)s” is not an e-mail address."), params={"value": email})
            if not email.rpartition("@")[0].isascii():
                raise ValidationError(
                    _("“%(value)s” cannot get mails: many mail servers take only ASCII letters before the @."),
                    params={"value": email},
                )
        return emails

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        workspace = cleaned.get("workspace") or (self.instance.workspace if self.instance.pk else None)
        if workspace is not None:
            try:
                workspace.today(timezone.now())
            except UnknownZone as error:
                raise ValidationError(unknown_zone_message(error)) from None
        return cleaned


@admin.register(Mailing)
class MailingAdmin(ScopedAdmin):
    form = MailingForm
    fields = ("workspace", "every", "language", "emails", "is_active")
    fixed_fields = ("workspace", "troubles", "unsubscribed")
    autocomplete_fields = ("workspace",)
    list_display = ("workspace_name", "workspace", "every", "language", "address_count", "failing", "is_active")
    list_select_related = ("workspace",)
    list_filter = (WorkspaceFilter, "is_active")
    search_fields = ("workspace__name",)
    search_help_text = gettext_lazy("By workspace.")
    sortable_by = ()
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        current = Q(addresses__unsubscribed_at=None)
        counted: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                address_count=Count("addresses", filter=current),
                failing_count=Count("addresses", filter=current & Q(addresses__failures__gt=0)),
            )
        )
        return counted

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = super().get_fields(request, obj)
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            fields = [name for name in fields if name != "emails"]
        return fields if obj is None else [*fields, "troubles", "unsubscribed"]

    @admin.display(description=gettext_lazy("mailing"))
    def workspace_name(self, mailing: Mailing) -> str:
        return str(mailing.workspace)

    @admin.display(description=gettext_lazy("addresses"))
    def address_count(self, mailing: Any) -> int:
        return int(mailing.address_count)

    @admin.display(description=gettext_lazy("failing"))
    def failing(self, mailing: Any) -> int:
        return int(mailing.failing_count)

    @admin.display(description=gettext_lazy("not delivered"))
    def troubles(self, mailing: Mailing) -> SafeString:
        """The addresses that could not be sent to, their errors, and when one that is refused permanently is tried
        again."""
        rows = mailing.addresses.filter(failures__gt=0, unsubscribed_at=None).order_by("pk")[:50]
        return format_html_join(
            "", "{} ({}×): {}{}<br>", ((row.email, row.failures, row.error, _next_attempt(row)) for row in rows)
        )

    @admin.display(description=gettext_lazy("unsubscribed"))
    def unsubscribed(self, mailing: Mailing) -> SafeString:
        rows = mailing.addresses.filter(unsubscribed_at__isnull=False).order_by("pk")[:50]
        return format_html_join("", "{}<br>", ((row.email,) for row in rows))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        now = timezone.now()
        if form.instance.is_active and {"is_active", "every"} & set(form.changed_data):
            start_anew(form.instance, now)
        change_addresses(form.instance, form.added, form.removed, now)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method == "POST" and PREVIEW in request.POST:
            preview = self._preview(request, object_id)
            if preview is not None:
                return preview
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _preview(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """The mail for the values of the form; None if the form is invalid, and then its page shows the errors."""
        row = None if object_id is None else self.get_object(request, object_id)
        may = self.has_add_permission(request) if object_id is None else self.has_change_permission(request, row)
        if not may or (object_id is not None and row is None):
            return None
        form = self.get_form(request, row, change=row is not None)(request.POST, instance=row)
        if not form.is_valid():
            return None
        now = timezone.now()
        made = contents(form.instance, last_period(form.instance, now), now)
        letter = made.to("#")
        if request.POST[PREVIEW] == "txt":
            text = f"{letter.subject}\n\n{letter.text}"
            return HttpResponse(text, content_type="text/plain; charset=utf-8")
        return HttpResponse(letter.html, headers={"Content-Security-Policy": PREVIEW_POLICY})
