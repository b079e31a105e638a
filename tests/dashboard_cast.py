"""Helpers for the tests of the staff pages: addresses, and the contents of a page read from its HTML."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from django.urls import reverse

from stats_app.models import Campaign, Workspace, WorkspaceUser

NOW = datetime(2026, 3, 28, 18, 25, tzinfo=UTC)


def at(day: str, time: str = "12:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{time}+00:00")


def address(shown: Workspace | Campaign | WorkspaceUser) -> str:
    """The page of a workspace, campaign or user."""
    if isinstance(shown, Workspace):
        return reverse("stats_dashboard:workspace", args=[shown.public_id])
    kind = "campaign" if isinstance(shown, Campaign) else "user"
    return reverse(f"stats_dashboard:{kind}", args=[shown.workspace.public_id, shown.public_id])


def list_address(workspace: Workspace, page: str) -> str:
    """The page of all `campaigns` or `users`."""
    return reverse(f"stats_dashboard:{page}", args=[workspace.public_id])


def list_rows(page: str) -> list[list[str]]:
    """The cells of the body of a list."""
    if "<tbody>" not in page:
        return []
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    return [[text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in body.split("<tr>")[1:]]


def show(client: Client, url: str, **query: Any) -> str:
    """The HTML of a page. Fails unless the status is 200."""
    response = client.get(url, {name.rstrip("_"): value for name, value in query.items()})
    assert response.status_code == 200, (url, response.status_code)
    return response.content.decode()


def figures(page: str) -> dict[str, str]:
    """The large numbers, by their labels."""
    figures = re.findall(r'<dt>(.*?)</dt>\s*<dd class="stats-number">(.*?)</dd>', page)
    return {html.unescape(name): html.unescape(number) for name, number in figures}


def changes(page: str) -> list[str]:
    """The changes of the large numbers, as they are read out."""
    figures = page[page.index("<dl") : page.index("</dl>")]
    return [text(change) for change in re.findall(r'<span class="stats-(?:change|before)[^"]*">(?:.*?)</dd>', figures)]


def text(fragment: str) -> str:
    """The readable text: without tags, and with single spaces. Tags for text direction do not separate words."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", re.sub("</?bdi[^>]*>", "", fragment))).split())


def table(page: str, section: str) -> list[list[str]]:
    """The cells of the body of the table in a section, by the section's id."""
    body = page[page.index(f'id="{section}-title"') :]
    body = body[body.index("<tbody>") : body.index("</tbody>")]
    return [
        [text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def csv_lines(response: Any) -> list[dict[str, str]]:
    """The rows of a CSV download, by the names of its columns."""
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
