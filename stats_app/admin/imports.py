"""Import in the admin: a user uploads a file, sees a preview of the changes, and confirms it.

The page with the preview contains the items, signed for the login, and a digest of the preview. Nothing is stored on
the server. If the data has changed before the confirmation, so that the import would change other things, nothing is
saved, and a new preview is shown.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import router, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stats_app.admin.scope import ScopedAdmin
from stats_app.directory import CREATED, UPDATED, Change, DirectoryItem, DirectoryResult, file_fields, read_items
from stats_app.errors import FieldError, WorkspaceGone
from stats_app.imports import Source, WrongFile, format_of
from stats_app.models import Workspace
from stats_app.staff import workspaces_for

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 10_000
"""The most rows of a file. The commands import more."""
MAX_SIGNED = 2_000_000
"""The most characters of the items in the page. Django refuses forms of 2.5 MiB."""
MAX_AGE = 3600
_TOO_LARGE = gettext_lazy("The file is too large: import it with the command import_users or import_campaigns.")
_SALT = "stats_app.admin.import"

LABELS = {
    "externalId": gettext_lazy("external id"),
    "email": gettext_lazy("e-mail"),
    "displayName": gettext_lazy("name"),
    "name": gettext_lazy("name"),
    "isActive": gettext_lazy("active"),
    "aliases": gettext_lazy("aliases"),
    "targetUrl": gettext_lazy("target address"),
    "startDate": gettext_lazy("starts on"),
    "endDate": gettext_lazy("ends on"),
    "isPaused": gettext_lazy("paused"),
    "assignedUsers": gettext_lazy("assigned users"),
}
_COLUMNS = LABELS | {"line": gettext_lazy("line"), "publicId": gettext_lazy("public id")}
# What is wrong with a row, by the code of its error. The API's own sentence, which is English, stands beside it.
_PROBLEMS = {
    "required": gettext_lazy("is missing, and a new row needs it"),
    "invalid": gettext_lazy("is not valid"),
    "unknown": gettext_lazy("is not a column of this import"),
    "repeated": gettext_lazy("is given more than once, in this row or in an earlier one"),
    "out_of_range": gettext_lazy("must be a date from 2000-01-01 to 2099-12-31"),
    "too_long": gettext_lazy("has too many characters"),
    "not_found": gettext_lazy("is not in this workspace"),
    "not_allowed": gettext_lazy("is taken, or belonged to a person who was erased"),
}
_TEXT = gettext_lazy("must be visible text without control characters")
_DATE = gettext_lazy("must be a date such as 2026-03-31, and the end not before the start")
_FLAG = gettext_lazy("must be true or false, yes or no, 1 or 0")
# What a column must have, for the code `invalid`.
_RULES = {
    "line": gettext_lazy(
        "cannot be read: it must be in UTF-8, with as many cells as the first row or, in JSON lines, one object"
    ),
    "publicId": gettext_lazy("must be a public id, as the admin shows them"),
    "externalId": _TEXT,
    "email": gettext_lazy("must be an e-mail address"),
    "displayName": _TEXT,
    "name": _TEXT,
    "isActive": _FLAG,
    "aliases": gettext_lazy("must be e-mail addresses"),
    "targetUrl": gettext_lazy("must be a whole http or https address"),
    "startDate": _DATE,
    "endDate": _DATE,
    "isPaused": _FLAG,
    "assignedUsers": gettext_lazy("must be e-mail addresses or public ids of users"),
}
# The permissions that a column needs besides those for the rows, because it also changes another model.
_FURTHER = {
    "aliases": ("stats_app.add_alias", "stats_app.delete_alias"),
    "assignedUsers": ("stats_app.add_campaignassignment", "stats_app.delete_campaignassignment"),
}

if TYPE_CHECKING:
    _Base = ScopedAdmin
else:
    _Base = object


class ImportForm(forms.Form):
    workspace = forms.ModelChoiceField(Workspace.objects.none(), label=gettext_lazy("workspace"))
    file = forms.FileField(
        label=gettext_lazy("file"), help_text=gettext_lazy("CSV or JSON lines, at most 5 MiB and 10,000 rows.")
    )
    maps = forms.CharField(
        label=gettext_lazy("columns of another system"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60}),
        help_text=gettext_lazy("One per line, such as Email Address [Required]=email."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise ValidationError(_TOO_LARGE)
        return file


class Row(NamedTuple):
    """A row of the file: the number of its line, and its item or its error, with the file's column names."""

    line: int
    item: Any


@dataclass(frozen=True)
class Upload:
    """The uploaded items, as the page with the preview contains them."""

    workspace: int
    rows: list[Row]

    def signed(self, request: HttpRequest, model: str, digest: str) -> str:
        rows = [[row.line, _packed(row.item)] for row in self.rows]
        return signing.dumps([str(request.user.pk), model, self.workspace, digest, rows], salt=_SALT, compress=True)

    @classmethod
    def of(cls, text: str, request: HttpRequest, model: str) -> tuple[Upload, str]:
        """The upload and the digest of its preview. Raises BadSignature, also for the upload of another login."""
        user, name, workspace, digest, rows = signing.loads(text, salt=_SALT, max_age=MAX_AGE)
        if (user, name) != (str(request.user.pk), model):
            raise signing.BadSignature
        return cls(workspace, [Row(line, _unpacked(item)) for line, item in rows]), digest


def _packed(item: Any) -> Any:
    return [item.field, item.code, item.message] if isinstance(item, FieldError) else item


def _unpacked(item: Any) -> Any:
    return FieldError(*item) if isinstance(item, list) else item


class ImportAdmin(_Base):
    """Adds **Import** to the list of a model."""

    change_list_template = "admin/stats_app/importable_change_list.html"
    import_declaration: ClassVar[type[DirectoryItem]]
    import_save: ClassVar[Callable[..., DirectoryResult]]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_import"
        return [path("import/", self.admin_site.admin_view(self.import_view), name=name), *super().get_urls()]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        more: dict[str, Any] = {"import_url": self.address("import") if self.has_import_permission(request) else None}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "confirmed" in request.POST:
            return self._confirmed(request)
        form = self._import_form(request)
        if request.method == "POST" and form.is_valid():
            try:
                upload = self._uploaded(request, form)
            except WrongFile as error:
                message = format_html('{} <span lang="en">{}</span>', _("The file cannot be imported:"), str(error))
                form.add_error("file", message)
            except ValidationError as error:
                form.add_error("file", error)
            else:
                return self._shown(request, upload)
        return self._import_page(request, form=form)

    def _import_form(self, request: HttpRequest) -> ImportForm:
        form = ImportForm(
            request.POST or None, request.FILES or None, initial={"workspace": request.GET.get("workspace")}
        )
        cast("forms.ModelChoiceField[Workspace]", form.fields["workspace"]).queryset = self._workspaces(request)
        return form

    def _workspaces(self, request: HttpRequest) -> Any:
        return workspaces_for(request.user)

    def _uploaded(self, request: HttpRequest, form: ImportForm) -> Upload:
        """The items of the uploaded file. Raises WrongFile, whose texts are English, and ValidationError."""
        file = form.cleaned_data["file"]
        maps = [line.strip() for line in form.cleaned_data["maps"].splitlines() if line.strip()]
        items = read_items(Source(io.BytesIO(file.read())), self.import_declaration, format_of(file.name), maps)
        rows = []
        for number, _raw, item in items:
            rows.append(Row(number, item))
            if len(rows) > MAX_ROWS:
                raise ValidationError(
                    _("The file has too many rows: import it with the command import_users or import_campaigns.")
                )
        self._check_further_permissions(request, [row.item for row in rows])
        return Upload(form.cleaned_data["workspace"].pk, rows)

    def _check_further_permissions(self, request: HttpRequest, items: Iterable[Any]) -> None:
        for name, permissions in _FURTHER.items():
            if not request.user.has_perms(permissions) and any(isinstance(one, dict) and name in one for one in items):
                label = LABELS[name]
                raise ValidationError(
                    _("You do not have permission to change what the file has in “%(column)s”.") % {"column": label}
                )

    def _save(self, upload: Upload, *, dry_run: bool) -> DirectoryResult:
        workspace = Workspace(pk=upload.workspace)
        return type(self).import_save(workspace, [row.item for row in upload.rows], dry_run=dry_run)

    def _shown(self, request: HttpRequest, upload: Upload) -> HttpResponse:
        result = self._save(upload, dry_run=True)
        signed = upload.signed(request, self.model.__name__, digest_of(result))
        if len(signed) > MAX_SIGNED:
            self.message_user(request, _TOO_LARGE, messages.ERROR)
            return HttpResponseRedirect(self.address("import"))
        rows = upload.rows
        made = [(rows[one.index], one.name) for one in result.results if one.outcome == CREATED]
        changed = [(rows[one.index], one) for one in result.results if one.outcome == UPDATED]
        rejected = [(rows[one.index], one) for one in result.rejected]
        return self._import_page(
            request,
            result=result,
            signed=signed,
            workspace=self._workspaces(request).get(pk=upload.workspace),
            made=[(row.line, name, _values(row.item)) for row, name in made],
            changed=[(row.line, one, _in_words(one.changes)) for row, one in changed],
            rejected=[(row.line, *_problem(one.field, one.code), one.message) for row, one in rejected],
        )

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        try:
            upload, digest = Upload.of(request.POST["confirmed"], request, self.model.__name__)
        except signing.BadSignature:
            self.message_user(request, _("This page is out of date. Upload the file again."), messages.ERROR)
            return HttpResponseRedirect(self.address("import"))
        workspace = self._workspaces(request).filter(pk=upload.workspace).first()
        if workspace is None:
            raise PermissionDenied
        self._check_still_permitted(request, upload)
        try:
            with transaction.atomic(using=router.db_for_write(self.model)):
                result = self._save(upload, dry_run=False)
                if digest_of(result) != digest:
                    raise _ChangedMeanwhile
                numbers = {
                    "created": result.created,
                    "updated": result.updated,
                    "unchanged": result.unchanged,
                    "rejected": len(result.rejected),
                }
                self._log_import(request, workspace, numbers)
        except _ChangedMeanwhile:
            message = _("Nothing was saved: something has changed meanwhile. This is what the file would change now.")
            self.message_user(request, message, messages.WARNING)
            return self._shown(request, upload)
        except WorkspaceGone:
            self.message_user(request, _("The workspace was deleted meanwhile."), messages.ERROR)
            return HttpResponseRedirect(self.address("changelist"))
        message = _(
            "Imported: %(created)s created, %(updated)s changed, %(unchanged)s unchanged, %(rejected)s rejected."
        )
        self.message_user(request, message % numbers, messages.SUCCESS)
        return HttpResponseRedirect(self.address("changelist"))

    def _log_import(self, request: HttpRequest, workspace: Workspace, numbers: dict[str, int]) -> None:
        """Adds a single entry to the history of the workspace. It names nobody, because it would outlast an erasure."""
        message = _(
            "Imported %(rows)s: %(created)s created, %(updated)s changed, %(unchanged)s unchanged, "
            "%(rejected)s rejected."
        )
        self.log_change(request, workspace, message % {"rows": self.opts.verbose_name_plural, **numbers})

    def _check_still_permitted(self, request: HttpRequest, upload: Upload) -> None:
        try:
            self._check_further_permissions(request, [row.item for row in upload.rows])
        except ValidationError:
            raise PermissionDenied from None

    def _import_page(self, request: HttpRequest, **context: Any) -> TemplateResponse:
        names = ", ".join(file_fields(self.import_declaration).names)
        return self.rendered(request, "import.html", title=_("Import"), columns=names, **context)


class _ChangedMeanwhile(Exception):
    pass


def digest_of(result: DirectoryResult) -> str:
    """The digest of a preview. Ids of new rows are left out, because they differ each time."""
    saved = [
        (one.index, one.outcome, one.name, one.changes, "" if one.outcome == CREATED else one.public_id)
        for one in result.results
    ]
    wrong = [(one.index, one.field, one.code) for one in result.rejected]
    return hashlib.sha256(repr((saved, wrong)).encode()).hexdigest()


def _problem(field: str, code: str) -> tuple[Any, Any]:
    """The column and what is wrong with it, in the language of the page."""
    if code == "unknown":
        return field, _PROBLEMS[code]
    rule = _RULES.get(field) if code == "invalid" else None
    return _COLUMNS.get(field, field), rule or _PROBLEMS.get(code, "")


def _in_words(changes: Iterable[Change]) -> list[tuple[Any, Change]]:
    """For each changed field its label in the forms, and the change with both values as texts."""
    return [(LABELS[one.field], Change(one.field, _word(one.before), _word(one.after))) for one in changes]


def _values(item: dict[str, Any]) -> list[tuple[Any, Any]]:
    """For each field with a value its label in the forms, and the value."""
    values = ((name, ", ".join(value) if isinstance(value, list) else value) for name, value in item.items())
    return [(LABELS[name], _word(value)) for name, value in values if name in LABELS and value not in ("", None)]


def _word(value: Any) -> Any:
    return {True: _("yes"), False: _("no")}[value] if isinstance(value, bool) else value
