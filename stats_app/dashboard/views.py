"""The staff pages. Each view fetches its object, reads the period and shows one report, as a page or as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.debug import sensitive_variables

from stats_app import public_ids, reports, sharing, subscriptions
from stats_app.dashboard.access import get_workspace, staff_form, staff_page
from stats_app.dashboard.error_pages import error_page
from stats_app.dashboard.open_page import Hidden, open_page
from stats_app.dashboard.share_form import ShareForm
from stats_app.errors import WrongValue
from stats_app.models import Campaign, SharedReport, Workspace, WorkspaceUser
from stats_app.periods import Period
from stats_app.spreadsheets import Row, csv_parts, language_separator
from stats_app.sql.words import Alphabetical
from stats_app.staff import workspaces_for
from stats_app.words import search_words

PAGE_SIZE = 50
MAY_SHARE = "stats_app.add_sharedreport"

Answer = TypeVar("Answer", bound=HttpResponseBase)


@staff_page
def workspaces(request: HttpRequest) -> HttpResponse:
    """The workspaces that this person may see, with the clicks of this month. Redirects to it if there is only one."""
    visible = workspaces_for(request.user)
    if not request.GET and (only := _only(visible)):
        return redirect("stats_dashboard:workspace", only.public_id)
    search, wrong_search = request.GET.get("q", "").strip(), ""
    matching = visible.order_by(Alphabetical("name"), "pk")
    try:
        matching = matching.named(search_words(search))
    except WrongValue as error:
        matching, wrong_search = matching.none(), error.message
    now = timezone.now()
    if request.GET.get("format") == "csv":
        if wrong_search:
            return HttpResponse(wrong_search, status=400, content_type="text/plain; charset=utf-8")
        return _csv_response(reports.workspace_rows(reports.workspace_lines(list(matching), now)), "workspaces")
    page = Paginator(matching, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "lines": reports.workspace_lines(list(page.object_list), now),
        "page": page,
        "search": search,
        "wrong_search": wrong_search,
        "request": request,
    }
    return render(request, "stats_app/dashboard/workspaces.html", context)


def _only(visible: QuerySet[Workspace]) -> Workspace | None:
    first = visible.order_by("pk")[:2]
    return first[0] if len(first) == 1 else None


@staff_page
def workspace(request: HttpRequest, workspace_id: str) -> HttpResponse:
    """The overview of a workspace."""
    shown = get_workspace(request, workspace_id)
    now = timezone.now()
    context = reports.overview_context(shown, request.GET.dict(), now)
    context |= {"workspace": shown} | _share_context(request, shown, None, now)
    return _answer(request, "stats_app/dashboard/workspace.html", context, shown.name)


@staff_page
def campaigns(request: HttpRequest, workspace_id: str) -> HttpResponseBase:
    """The campaigns of a workspace."""
    return _list(request, workspace_id, "campaigns")


@staff_page
def users(request: HttpRequest, workspace_id: str) -> HttpResponseBase:
    """The users of a workspace."""
    return _list(request, workspace_id, "users")


def _list(request: HttpRequest, workspace_id: str, page: str) -> HttpResponseBase:
    """A page of a list, or all its rows as streamed CSV."""
    shown = get_workspace(request, workspace_id)
    asked = reports.LISTS[page](shown, request.GET.dict(), timezone.now())
    form = asked.form
    if form.is_valid() and not form.is_settled:
        return HttpResponseRedirect(f"?{form.settled}")
    if request.GET.get("format") == "csv":
        if asked.errors:
            return _refused_file(asked.errors)
        return _streamed_csv(asked.csv_rows(), _file_name(f"{shown.name} {page}", form.question.period))
    report = asked.report() if form.is_valid() else None
    context = {"workspace": shown, "asked": asked, "form": form, "report": report, "request": request}
    return render(request, "stats_app/dashboard/list.html", context)


@staff_page
def campaign(request: HttpRequest, workspace_id: str, campaign_id: str) -> HttpResponse:
    """One campaign."""
    shown = get_workspace(request, workspace_id)
    campaign = _one(Campaign.objects.filter(workspace=shown.pk), public_ids.CAMPAIGN, campaign_id)
    now = timezone.now()
    context = reports.campaign_context(shown, campaign, request.GET.dict(), now)
    context |= {"workspace": shown, "campaign": campaign} | _share_context(request, shown, campaign, now)
    return _answer(request, "stats_app/dashboard/campaign.html", context, campaign.name)


@staff_page
def user(request: HttpRequest, workspace_id: str, user_id: str) -> HttpResponse:
    """One workspace user. Templates use the name `person`, because `user` is the login there."""
    shown = get_workspace(request, workspace_id)
    person = _one(WorkspaceUser.objects.filter(workspace=shown.pk), public_ids.USER, user_id)
    context = reports.user_context(shown, person, request.GET.dict(), timezone.now())
    signature = reports.signature_links(shown, person, request.GET.dict(), request.build_absolute_uri)
    context |= {"workspace": shown, "person": person, "signature": signature}
    return _answer(request, "stats_app/dashboard/user.html", context, str(person))


@staff_form
@sensitive_variables("secret")
def share(request: HttpRequest, workspace_id: str, campaign_id: str | None = None) -> HttpResponse:
    """Makes a link to a page, and shows its address, which cannot be shown again."""
    if not request.user.has_perm(MAY_SHARE):
        return error_page(request, 403, _("This page is for staff who may share reports."))
    shown, now = get_workspace(request, workspace_id), timezone.now()
    campaign = None
    if campaign_id is not None:
        campaign = _one(Campaign.objects.filter(workspace=shown.pk), public_ids.CAMPAIGN, campaign_id)
    context = _share_context(request, shown, campaign, now)
    context |= {"workspace": shown, "campaign": campaign, "request": request, "back": _address(shown, campaign)}
    form = context["share_form"]
    if request.method == "POST" and form.is_valid():
        maker = request.user.get_username()
        try:
            report, secret = sharing.share(shown, campaign, **form.cleaned_data, maker=maker, now=now)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            address = reverse("stats_dashboard:shared", args=[secret])
            context |= {"shared": report, "secret_address": request.build_absolute_uri(address)}
            context["list_address"] = _list_of_shared(request, shown)
    return render(request, "stats_app/dashboard/share.html", context)


def _share_context(
    request: HttpRequest, workspace: Workspace, campaign: Campaign | None, now: datetime
) -> dict[str, Any]:
    """The form for sharing a page, if this person may share."""
    if not request.user.has_perm(MAY_SHARE):
        return {}
    data = request.POST if request.method == "POST" else None
    return {
        "share_form": ShareForm(data, workspace.today(now), campaign),
        "share_address": f"{_address(workspace, campaign)}share/",
    }


def _address(workspace: Workspace, campaign: Campaign | None) -> str:
    if campaign is None:
        return reverse("stats_dashboard:workspace", args=[workspace.public_id])
    return reverse("stats_dashboard:campaign", args=[workspace.public_id, campaign.public_id])


def _list_of_shared(request: HttpRequest, workspace: Workspace) -> str | None:
    """The address of the list of shared reports; None without permission, and if the host has no admin."""
    if not request.user.has_perm("stats_app.view_sharedreport"):
        return None
    try:
        return f"{reverse('admin:stats_app_sharedreport_changelist')}?workspace={workspace.pk}"
    except NoReverseMatch:
        return None


@open_page("GET", "HEAD")
def shared(request: HttpRequest, hidden: Hidden) -> HttpResponse:
    """The page of a shared report."""
    now = timezone.now()
    report = sharing.find_shared(hidden.value.removesuffix("/"), now)
    if report is None:
        raise Http404
    response = _shared_answer(request, report, now)
    if request.method == "GET" and response.status_code == 200 and "csv" not in response.headers["Content-Type"]:
        sharing.note_opening(report, now)
    return response


def _shared_answer(request: HttpRequest, report: SharedReport, now: datetime) -> HttpResponse:
    workspace, campaign, query = report.workspace, report.campaign, request.GET.dict()
    audience = reports.Audience(is_shared=True, names_people=report.names_people)
    if campaign is None:
        context = reports.overview_context(workspace, query, now, audience) | {"workspace": workspace}
        return _answer(request, "stats_app/dashboard/workspace.html", context, workspace.name)
    context = reports.campaign_context(workspace, campaign, query, now, audience)
    context |= {"workspace": workspace, "campaign": campaign}
    return _answer(request, "stats_app/dashboard/campaign.html", context, campaign.name)


@open_page("GET", "HEAD", "POST")
def unsubscribe(request: HttpRequest, hidden: Hidden) -> HttpResponse:
    """Unsubscribing from a mailing. Mail programs post here directly (RFC 8058); people confirm once."""
    address = subscriptions.find_address(hidden.value)
    if address is None:
        raise Http404
    if request.method == "POST":
        subscriptions.unsubscribe(address, timezone.now())
    with override(address.mailing.language):
        context = {"address": address, "workspace": address.mailing.workspace, "is_shared": True}
        return HttpResponse(render_to_string("stats_app/dashboard/unsubscribe.html", context))


def _one(rows: QuerySet[Any], prefix: str, public_id: str) -> Any:
    row = rows.filter(public_id=public_id).first() if public_ids.is_public_id(public_id, prefix) else None
    if row is None:
        raise Http404
    return row


def _answer(request: HttpRequest, template: str, context: dict[str, Any], name: str) -> HttpResponse:
    """A page, or its figures as CSV. If the period is wrong or the figures are withheld, the page shows a message; in
    place of a file the answer is 400 or 403."""
    report, form = context["report"], context["form"]
    if form.is_valid() and not form.is_settled:
        return HttpResponseRedirect(f"?{form.settled}")
    if request.GET.get("format") != "csv":
        return render(request, template, context | {"request": request})
    if report is None and context.get("withheld"):
        return HttpResponse(context["withheld"], status=403, content_type="text/plain; charset=utf-8")
    if report is None:
        return _refused_file(form.errors)
    return _csv_response(reports.csv_rows(report, request.GET.get("table", "")), _file_name(name, report.period))


def _refused_file(errors: Mapping[str, Iterable[str]]) -> HttpResponse:
    """The errors in the address, in place of a file."""
    lines = [f"{name}: {message}" for name, messages in errors.items() for message in messages]
    return HttpResponse("\n".join(lines), status=400, content_type="text/plain; charset=utf-8")


def _csv_response(rows: Sequence[Row], name: str) -> HttpResponse:
    """A download `name.csv`, for spreadsheets in the reader's language."""
    content = "".join(csv_parts(rows, language_separator()))
    return _as_file(HttpResponse(content.encode()), name)


def _streamed_csv(rows: Iterable[Row], name: str) -> StreamingHttpResponse:
    """As `_csv_response`, for rows that are read while they are sent."""
    parts = csv_parts(rows, language_separator())
    return _as_file(StreamingHttpResponse(part.encode() for part in parts), name)


def _as_file(response: Answer, name: str) -> Answer:
    response["Content-Type"] = "text/csv; charset=utf-8"
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _file_name(name: str, period: Period) -> str:
    """A name such as `acme-2026-03-01-2026-03-31`, safe for file systems and headers."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-")
    return f"{plain[:60] or 'clicks'}-{period.start}-{period.end}"
