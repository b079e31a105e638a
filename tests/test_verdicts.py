"""Who clicked: each rule by itself, real agents of people and programs, and what hostile programs send."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from stats_app import user_agents, verdicts
from stats_app.dimensions import BOT, HUMAN, SUSPECTED, VERDICTS
from stats_app.models.clicks import REASON_LENGTH
from stats_app.user_agents import MAIL_PROGRAMS, PREVIEWS, SCANNERS, TOOLS, Programs
from stats_app.verdicts import RULES, Judgement, Rule, Visit, judge, judge_agent, reason_text, rule_of

ROWS = list(csv.DictReader((Path(__file__).parent / "data/user_agents.csv").read_text(encoding="utf-8").splitlines()))
WANTED = {"human": HUMAN, "unknown": SUSPECTED, "preview": BOT, "scanner": BOT, "tool": BOT, "crawler": BOT}

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:156.0) Gecko/20100101 Firefox/156.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/27.0"
    " Mobile/15E148 Safari/604.1"
)
A_PERSON = Visit("GET", CHROME, "fr-FR,fr;q=0.9", (), "navigate", is_secure=True)


def chrome(version: int, system: str = "Windows NT 10.0; Win64; x64", more: str = "") -> str:
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36{more}"


def on_android(device: str) -> str:
    return f"Mozilla/5.0 (Linux; {device}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"


def person(**values: object) -> Visit:
    """A visit by a person, but for the values given."""
    return A_PERSON._replace(**values)


def of_agent(user_agent: str | None) -> Visit:
    return person(user_agent=user_agent)


@pytest.fixture(params=[True, False], ids=["with crawlerdetect", "without"])
def crawlerdetect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Runs the test with the package and without it."""
    if not request.param:
        monkeypatch.setitem(sys.modules, "crawlerdetect", None)
    forget()
    yield request.param
    monkeypatch.undo()
    forget()


def forget() -> None:
    user_agents._crawlerdetect.cache_clear()
    # What was judged with other packages installed.
    verdicts._judge.cache_clear()


MATCHING: dict[str, list[tuple[Visit, str]]] = {
    "method": [
        (person(method="HEAD"), "HEAD request, no page was opened"),
        (person(method="OPTIONS"), "OPTIONS request, no page was opened"),
        (person(method="POST"), "POST request, no page was opened"),
        (person(method="get"), "get request, no page was opened"),
        (person(method="VERSION-CONTROL"), "Unusual request, no page was opened"),
        (person(method=""), "Unusual request, no page was opened"),
        (person(method="<script>"), "Unusual request, no page was opened"),
        (person(method="A" * 100), "Unusual request, no page was opened"),
        (person(method="HEAD", user_agent="curl/8.5.0"), "HEAD request, no page was opened"),
    ],
    "prefetch": [
        (person(purposes=("prefetch",)), "fetched ahead by a browser"),
        (person(purposes=("prefetch;prerender",)), "fetched ahead by a browser"),
        (person(purposes=("", "Preview")), "fetched ahead by a browser"),
        (person(purposes=("prefetch;anonymous-client-ip",), user_agent=None), "fetched ahead by a browser"),
    ],
    "ua-empty": [
        (of_agent(None), "no browser named"),
        (of_agent(""), "no browser named"),
        (of_agent("-"), "no browser named"),
        (of_agent(" \t "), "no browser named"),
        (of_agent("x"), "no browser named"),
    ],
    "ua-scanner": [
        (of_agent("Barracuda Sentinel (EE)"), "mail scanner: Barracuda"),
        (of_agent("BARRACUDA SENTINEL (EE)"), "mail scanner: Barracuda"),
        (of_agent(CHROME + " Mimecast"), "mail scanner: Mimecast"),
        (of_agent("Mozilla/5.0 (compatible; oBot/2.3.1; http://example.com/crawler/)"), "mail scanner: IBM X-Force"),
    ],
    "ua-preview": [
        (of_agent("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"), "link preview: Slack"),
        (of_agent("WhatsApp/2.23.20 A"), "link preview: WhatsApp"),
        (of_agent(IPHONE + " facebookexternalhit/1.1 Facebot Twitterbot/1.0"), "link preview: Apple Messages"),
        (of_agent("facebookexternalhit/1.1"), "link preview: Facebook"),
        (of_agent("Microsoft Office Existence Discovery"), "link preview: Microsoft Office"),
    ],
    "ua-tool": [
        (of_agent("curl/8.5.0"), "program: curl"),
        (of_agent("python-requests/2.32"), "program: Python"),
        (of_agent(CHROME.replace("Chrome", "HeadlessChrome")), "program: headless Chrome"),
    ],
    "ua-crawler": [
        (of_agent("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), "crawler"),
        (of_agent("Mozilla/5.0 (compatible; New-Crawler)"), "crawler"),
        (of_agent("Mozilla/5.0 (compatible; something; +https://example.com/)"), "crawler"),
        (of_agent("Acme Spider"), "crawler"),
        (of_agent(on_android("Android 6.0.1; Nexus 5X Build/MMB29P") + " (compatible; Foobot/2.1)"), "crawler"),
        (of_agent(on_android("Android 10; Foobot/1.0")), "crawler"),
        (of_agent(on_android("Android 10; K; Foobot")), "crawler"),
    ],
    "ua-office": [
        (
            of_agent("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.6326; Pro)"),
            "mail program, not a browser",
        ),
        (of_agent("Mozilla/4.0 (compatible; ms-office; MSOffice 16)"), "mail program, not a browser"),
        (of_agent("Mail/3445.4.7 CFNetwork/889.9 Darwin/17.2.0 (x86_64)"), "mail program, not a browser"),
        (of_agent("Mozilla/5.0"), "mail program, not a browser"),
        (
            of_agent("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"),
            "mail program, not a browser",
        ),
    ],
    "ua-not-browser": [
        (of_agent("Acme Reader 3"), "unknown program"),
        (of_agent("\0\0\0"), "unknown program"),
    ],
    "ua-library": [
        (of_agent("Mozilla/5.0 (X11; Linux x86_64) Nikto/2.5.0 (Evasions:None) (Test:Port Check)"), "listed crawler"),
        (of_agent(FIREFOX + " PTST/211202.211915"), "listed crawler"),
    ],
    "chrome-legacy": [
        (of_agent(chrome(99)), "browser years out of date"),
        (of_agent(chrome(57, "Windows NT 6.1")), "browser years out of date"),
        (of_agent(chrome(80, "Macintosh; Intel Mac OS X 10_15_7")), "browser years out of date"),
        (of_agent(chrome(64, more=" Edge/17.17134")), "browser years out of date"),
        (of_agent(chrome(96, more=" Edg/96.0.1054.57")), "browser years out of date"),
    ],
    "explorer-legacy": [
        (of_agent("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)"), "Internet Explorer before version 11"),
        (
            of_agent("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0)"),
            "Internet Explorer before version 11",
        ),
        (
            of_agent("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)"),
            "Internet Explorer before version 11",
        ),
    ],
}
"""For each rule visits that it decides, with the reason."""


@pytest.mark.parametrize(
    ("rule", "visit", "reason"), [(rule, *case) for rule, cases in MATCHING.items() for case in cases]
)
def test_each_rule_decides_with_its_reason(rule: str, visit: Visit, reason: str) -> None:
    [verdict] = [each.verdict for each in RULES if each.id == rule]
    assert judge(visit) == Judgement(verdict, reason, rule, ())


def test_no_rule_is_without_cases() -> None:
    assert list(MATCHING) == [rule.id for rule in RULES if rule.match and not rule.is_shadow]


@pytest.mark.parametrize(
    "visit",
    [
        A_PERSON,
        of_agent(FIREFOX),
        of_agent(IPHONE),
        person(purposes=("navigate",)),
        person(purposes=("",)),
        # Phones whose names contain names of programs.
        of_agent(on_android("Android 6.0; CUBOT MAX")),
        of_agent(on_android("Android 7.1.2; M_bot_tab_71 Build/NHG47K")),
        of_agent(on_android("Android 4.0.4; fr-fr; B BOT 550 Build/JRO03C")),
        of_agent(on_android("Android 8.1.0; XBot Junior Build/O11019; wv")),
        of_agent(on_android("Android 8.1.0; Web Crawler Build/O11019; wv")),
        # Built-in browsers of programs that also fetch previews.
        of_agent(IPHONE + " WhatsApp/2.23.20"),
        of_agent(IPHONE + " Viber/25.1"),
        of_agent(chrome(124, more=" Notion/4.2 Electron/30.0.9")),
        of_agent(on_android("Android 9; STF-L09; wv") + " [Pinterest/Android]"),
        # An old Chromium inside another program.
        of_agent(chrome(51, more=" Mailbird/2.4.30.0/")),
        of_agent(chrome(55, more=" eM Client/8.2.1659.0")),
        of_agent(on_android("Android 10; K").replace("Chrome/120", "Chrome/71")),
        of_agent(chrome(100)),
        # Internet Explorer 11, also in its compatibility view.
        of_agent("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"),
        of_agent("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C)"),
        of_agent("Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18"),
    ],
)
def test_people_are_human(visit: Visit, crawlerdetect: bool) -> None:
    assert judge(visit) == Judgement(HUMAN, "", "")


@pytest.mark.parametrize(
    ("visit", "shadow"),
    [
        (person(accept_language=None), ("no-language",)),
        (person(accept_language=""), ("no-language",)),
        (person(accept_language="*"), ()),
        (person(sec_fetch_mode=None), ("no-fetch-headers",)),
        (person(sec_fetch_mode=None, user_agent=chrome(100)), ("no-fetch-headers",)),
        (person(sec_fetch_mode=None, is_secure=False), ()),
        (person(sec_fetch_mode=None, user_agent=FIREFOX), ()),
        (person(sec_fetch_mode=None, user_agent=IPHONE), ()),
        (person(sec_fetch_mode=None, user_agent=on_android("Android 10; K").replace("/120", "/99")), ()),
        (person(sec_fetch_mode=None, accept_language=None), ("no-language", "no-fetch-headers")),
    ],
)
def test_shadow_rules_are_named_and_change_nothing(visit: Visit, shadow: tuple[str, ...]) -> None:
    assert judge(visit) == Judgement(HUMAN, "", "", shadow)
    assert {rule.id for rule in RULES if rule.is_shadow} >= set(shadow)


def test_shadow_rules_look_at_nobody_whom_another_rule_has_told() -> None:
    assert judge(Visit("GET", chrome(60), is_secure=True)).shadow == ()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("user_agent", [None, "-", CHROME, FIREFOX, "curl/8.5.0", chrome(60), "Acme Reader 3"])
def test_a_log_suspects_nobody_for_headers_that_it_does_not_keep(user_agent: str | None, method: str) -> None:
    assert judge_agent(user_agent, method) == judge(person(user_agent=user_agent, method=method))
    assert judge_agent(user_agent) == judge(person(user_agent=user_agent))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["who"])
def test_real_agents_are_told_by_their_class(row: dict[str, str], crawlerdetect: bool) -> None:
    assert judge_agent(row["user_agent"]).verdict == WANTED[row["class"]]


def test_the_real_agents_come_from_packages_and_are_of_all_classes() -> None:
    assert all(row["source"].startswith(("npm ", "PyPI ")) for row in ROWS)
    assert {row["class"] for row in ROWS} == WANTED.keys()


@pytest.mark.parametrize(
    ("piece", "name", "rule"),
    [
        (piece, name, rule)
        for rule, programs in [
            ("ua-scanner", SCANNERS),
            ("ua-preview", PREVIEWS),
            ("ua-tool", TOOLS),
            ("ua-office", MAIL_PROGRAMS),
        ]
        for piece, name in programs.names.items()
    ],
)
def test_each_piece_of_an_agent_is_found_and_hidden_by_no_other(piece: str, name: str, rule: str) -> None:
    agent = f"{piece[1:]}x" if piece.startswith("^") else f"Mozilla/5.0 (x {piece}x)"
    [reason] = [each.reason for each in RULES if each.id == rule]
    judgement = judge_agent(agent.title())
    assert (judgement.rule, judgement.reason) == (rule, reason % {"name": name})


def test_a_piece_for_the_beginning_counts_nowhere_else() -> None:
    programs = Programs({"^acme": "Acme", "robot/": "Robot"})
    assert [programs.name_of(agent) for agent in ("acme/1", "an acme", "a robot/1", "")] == [
        "Acme",
        None,
        "Robot",
        None,
    ]


LONGEST_NAMES = {
    "ua-scanner": max(SCANNERS.names.values(), key=len),
    "ua-preview": max(PREVIEWS.names.values(), key=len),
    "ua-tool": max(TOOLS.names.values(), key=len),
    "method": "VERSIONCNTRL",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_reason_fits_into_a_click(rule: Rule) -> None:
    assert rule.verdict in VERDICTS.keys() - {HUMAN}
    assert 0 < len(rule.reason % {"name": LONGEST_NAMES.get(rule.id, "")}) <= REASON_LENGTH
    assert ("%(name)s" in rule.reason) == (rule.id in LONGEST_NAMES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_stored_reason_leads_to_its_rule_and_to_words(rule: Rule) -> None:
    stored = rule.reason % {"name": "Acme 1"}
    assert rule_of(stored) == rule
    assert reason_text(stored) == stored
    with translation.override("fr"):
        assert reason_text(stored) == translation.gettext(rule.reason) % {"name": "Acme 1"}
        assert translation.gettext(rule.reason) != rule.reason
        assert translation.gettext(rule.why) != rule.why


@pytest.mark.parametrize("reason", ["", "our own filter", "mail scanner: ", "mail scanner", "crawlers", "%(name)s"])
def test_a_reason_that_is_not_ours_stays_as_it_is(reason: str) -> None:
    assert rule_of(reason) is None
    with translation.override("fr"):
        assert reason_text(reason) == reason


HOSTILE = [
    "<script>alert(1)</script>",
    "Mozilla/5.0 <img src=x onerror=alert(1)>",
    "Mozilla/5.0 %(name)s %s {0} {name}",
    "Mozilla/5.0\r\nSet-Cookie: a=b\n\nGET / HTTP/1.1",
    "Mozilla/5.0 \0\0 curl",
    "Mozilla/5.0 \ud800\udfff\udcff",
    "Mozilla/5.0 " + "İ" * 600,
    *(
        piece * (100_000 // len(piece))
        for piece in (
            *("a", "-", "\0", "\ud800", "(", "x ", "1", ".", " "),
            *("bot", "android 1;", "android 1; a", "chrome/", "Chrome/9", "msie ", "+ htt", "Mozilla/5.0 ("),
            "mozilla/5.0 (macintosh) applewebkit/1 ",
        )
    ),
    *(
        start + "a" * 100_000
        for start in (
            "Mozilla/5.0 ",
            "Mozilla/5.0 (Windows NT ",
            "Mozilla/5.0 (Linux; Android 1; ",
            "Mozilla/5.0 (Macintosh) AppleWebKit/",
        )
    ),
    "mozilla/5.0 (macintosh) applewebkit/" + "1" * 100_000,
    "mozilla/5.0 (linux; android " + "1." * 50_000,
]


@pytest.mark.parametrize("user_agent", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_agents_are_judged_and_leave_nothing_of_theirs(user_agent: str, crawlerdetect: bool) -> None:
    """Rules whose time grows exponentially with the length would never end here."""
    reasons = {rule.reason for rule in RULES}
    for agent in (user_agent, user_agent[:65_536]):
        judgement = judge_agent(agent)
        assert judgement.reason in {"", *reasons}
        assert judgement == judge(person(user_agent=agent))


def test_rules_see_only_the_beginning_of_an_agent() -> None:
    visible = CHROME + " " * (user_agents.AGENT_LENGTH - len(CHROME) - len("Foobot"))
    assert judge_agent(visible + "Foobot").rule == "ua-crawler"
    assert judge_agent(visible + " Foobot").verdict == HUMAN


def test_the_library_gets_short_agents_of_short_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time grows with each character, and with the square of each word."""
    asked: list[str] = []

    class Library:
        def is_crawler(self, agent: str) -> bool:
            asked.append(agent)
            return False

    monkeypatch.setattr(user_agents, "_crawlerdetect", Library)
    for agent in ("mozilla/5.0 " + "a_-9" * 25_000, "mozilla/5.0 " + "x " * 50_000, "a" * 70):
        user_agents.is_listed_crawler(agent)
    assert max(len(agent) for agent in asked) < 300
    assert max(len(word) for agent in asked for word in agent.split()) == 32
    assert asked[2] == f"{'a' * 32} {'a' * 32} {'a' * 6}"


_any_text = st.text(st.characters(exclude_categories=()), max_size=700)
_pieces = st.sampled_from(
    ["Mozilla/5.0 ", "(", ")", "; ", "Android 9; ", "bot", "curl", "Chrome/99", " Safari/1", "MSIE 6."]
)


@given(
    st.builds(
        Visit,
        method=_any_text,
        user_agent=st.none() | _any_text | st.lists(_pieces | _any_text).map("".join),
        accept_language=st.none() | _any_text,
        purposes=st.lists(_any_text, max_size=4).map(tuple),
        sec_fetch_mode=st.none() | _any_text,
        is_secure=st.booleans(),
    )
)
def test_every_visit_is_judged_by_a_rule_or_human(visit: Visit) -> None:
    verdict, reason, rule, shadow = judge(visit)
    if verdict == HUMAN:
        assert (reason, rule) == ("", "")
    else:
        told_by = rule_of(reason)
        assert told_by is not None
        assert (told_by.id, told_by.verdict, told_by.is_shadow) == (rule, verdict, False)
        assert len(reason) <= REASON_LENGTH
    assert set(shadow) <= {each.id for each in RULES if each.is_shadow}
    assert judge(visit) == (verdict, reason, rule, shadow)
