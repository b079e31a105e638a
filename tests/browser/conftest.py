"""A browser with a logged-in member of staff, on a running server with demo data. Every page is watched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from stats_app import demo
from stats_app.models import Workspace

# Playwright runs an event loop in this thread, and Django refuses synchronous queries in one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile || ""}`);
});
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Install Chromium (on Debian: apt install chromium)."
    with sync_playwright() as playwright:
        # The sandbox of Chromium does not run as root.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    """The larger workspace of the demo, and a member of staff who may see it."""
    User.objects.create_superuser("ada", password="analytical")
    return demo.seed(3_000, 1, now(), lambda done: None)[0]


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, live_server: Any, workspace: Workspace, request: Any) -> Iterator[OpenPage]:
    """Makes a logged-in page in a new context, whose options the test gives.

    Fails afterwards if a page has violated the policy, sent a request to another host, or had an error.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(path: str = "/stats/", **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(10 * 60_000)  # only to end a test that hangs; long enough for any machine
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("console", lambda message: note(message.type, message.text, page.url))
        page.on("response", lambda answer: note_missing(answer.status, answer.request.resource_type, answer.url))
        page.on("request", lambda asked: is_own(asked.url) or faults.append(f"request: {asked.url}"))
        page.goto("/stats/")
        page.fill("[name=username]", "ada")
        page.fill("[name=password]", "analytical")
        page.click("[type=submit]")
        page.goto(path)
        return page

    def note(kind: str, text: str, url: str) -> None:
        # Files that cannot be loaded are recorded from their responses.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            faults.append(f"{kind}: {text} at {url}")

    def note_missing(status: int, resource: str, url: str) -> None:
        # Chromium asks for an icon on pages that name none, such as the admin's login.
        if status >= 400 and resource != "document" and not url.endswith("/favicon.ico"):
            faults.append(f"{status}: {url}")

    def is_own(url: str) -> bool:
        return urlsplit(url).scheme in ("data", "blob") or url.startswith(live_server.url)

    yield open_page
    for context in contexts:
        for page in context.pages:
            # Without JavaScript the page cannot be evaluated, and the policy cannot be violated.
            faults += page.evaluate("window.violations || []")
        context.close()
    assert faults == []
