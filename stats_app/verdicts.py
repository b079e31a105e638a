"""Who clicked: a person, a program, or possibly a program. The rules and their reasons.

The first rule that matches, in the order of `RULES`, decides. All functions here are pure: reading and storing clicks
and updating counts is done elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import gettext, gettext_noop

from stats_app import user_agents
from stats_app.dimensions import BOT, HUMAN, SUSPECTED

PURPOSE_HEADERS = ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")

# Less than one in 10,000 visits of people uses an older version. Microsoft's scanners often claim to be one.
_OLDEST_CHROME = 100
_LONGER_THAN_ANY_METHOD = 13


class Visit(NamedTuple):
    """What the request for a link says about the visitor. None means that the header was not sent.

    `purposes` are the values of the PURPOSE_HEADERS that were sent.
    """

    method: str = "GET"
    user_agent: str | None = None
    accept_language: str | None = None
    purposes: tuple[str, ...] = ()
    sec_fetch_mode: str | None = None
    is_secure: bool = False


class Judgement(NamedTuple):
    """A click's verdict, the reason that is stored with it, and the id of the rule. Reason and rule are "" for a
    human click.

    `shadow` has the ids of the matching shadow rules.
    """

    verdict: str
    reason: str
    rule: str
    shadow: tuple[str, ...] = ()

    @property
    def shadow_bits(self) -> int | None:
        """The matching shadow rules, as stored with the click: the sum of their bits, or None."""
        return sum(RULES[PLACES[name]].shadow_bit for name in self.shadow) or None


class Signs(NamedTuple):
    """The input of the rules. `agent` comes from `user_agents.normalized`."""

    method: str
    is_fetched_ahead: bool
    agent: str
    has_language: bool
    has_fetch_mode: bool
    is_secure: bool


class Rule(NamedTuple):
    """A rule for a single visit, or for several clicks together (`stats_app.bursts`); then `match` is None.

    `match` returns whether the rule matches, or a name to insert into `reason`. A shadow rule is on trial: its matches
    are counted, but change no verdict. Its bit is stored with the clicks that it matches, and must never be used for
    another rule. `reason` is stored; `why` explains it to staff. Both are English, and translated when they are shown.
    """

    id: str
    verdict: str
    reason: str
    why: str
    match: Callable[[Signs], str | bool | None] | None
    shadow_bit: int = 0

    @property
    def is_shadow(self) -> bool:
        return bool(self.shadow_bit)


def _other_method(signs: Signs) -> str | None:
    if signs.method == "GET":
        return None
    is_word = signs.method.isascii() and signs.method.isalpha() and len(signs.method) < _LONGER_THAN_ANY_METHOD
    return signs.method if is_word else "Unusual"


def _is_old_chrome(signs: Signs) -> bool:
    version = user_agents.desktop_chrome_version(signs.agent)
    return version is not None and version < _OLDEST_CHROME


def _lacks_fetch_headers(signs: Signs) -> bool:
    if signs.has_fetch_mode or not signs.is_secure:
        return False
    version = user_agents.chromium_version(signs.agent)
    return version is not None and version >= _OLDEST_CHROME


RULES = (
    Rule(
        "method",
        BOT,
        gettext_noop("%(name)s request, no page was opened"),
        gettext_noop(
            "A browser that opens a page sends GET. Previews and scanners send HEAD to see whether the page exists."
        ),
        _other_method,
    ),
    Rule(
        "prefetch",
        BOT,
        gettext_noop("fetched ahead by a browser"),
        gettext_noop(
            "The browser loads the page in advance, and says so. When the reader opens it, the browser may not ask "
            "again."
        ),
        lambda signs: signs.is_fetched_ahead,
    ),
    Rule(
        "ua-empty",
        BOT,
        gettext_noop("no browser named"),
        gettext_noop("Browsers name themselves. Some companies' proxies remove the name."),
        lambda signs: len(signs.agent) < 2,
    ),
    Rule(
        "ua-scanner",
        BOT,
        gettext_noop("mail scanner: %(name)s"),
        gettext_noop("The program names itself. It opens the links of a message to see whether they are harmful."),
        lambda signs: user_agents.SCANNERS.name_of(signs.agent),
    ),
    Rule(
        "ua-preview",
        BOT,
        gettext_noop("link preview: %(name)s"),
        gettext_noop("The program names itself. It shows a picture of the page beside a link that someone has shared."),
        lambda signs: user_agents.PREVIEWS.name_of(signs.agent),
    ),
    Rule(
        "ua-tool",
        BOT,
        gettext_noop("program: %(name)s"),
        gettext_noop("A script, a monitoring program or an automated browser, which names itself."),
        lambda signs: user_agents.TOOLS.name_of(signs.agent),
    ),
    Rule(
        "ua-crawler",
        BOT,
        gettext_noop("crawler"),
        gettext_noop("It calls itself a bot, crawler or spider, or gives the address of a page that explains it."),
        lambda signs: user_agents.calls_itself_crawler(signs.agent),
    ),
    Rule(
        "ua-office",
        SUSPECTED,
        gettext_noop("mail program, not a browser"),
        gettext_noop("Mail programs and Office open links on their own, and also when a person follows one."),
        lambda signs: user_agents.is_of_mail_program(signs.agent),
    ),
    Rule(
        "ua-not-browser",
        SUSPECTED,
        gettext_noop("unknown program"),
        gettext_noop("What it sends does not look like a browser's."),
        lambda signs: not user_agents.is_of_browser(signs.agent),
    ),
    Rule(
        "ua-library",
        BOT,
        gettext_noop("listed crawler"),
        gettext_noop("The package crawlerdetect lists it. Without the package this rule matches nothing."),
        lambda signs: user_agents.is_listed_crawler(signs.agent),
    ),
    Rule(
        "chrome-legacy",
        SUSPECTED,
        gettext_noop("browser years out of date"),
        gettext_noop(
            "Chrome on a desktop before version 100: hardly anybody uses it, and mail scanners often claim to be it."
        ),
        _is_old_chrome,
    ),
    Rule(
        "explorer-legacy",
        SUSPECTED,
        gettext_noop("Internet Explorer before version 11"),
        gettext_noop("It cannot open most pages any more, and some mail scanners claim to be it."),
        lambda signs: user_agents.is_old_explorer(signs.agent),
    ),
    Rule(
        "no-language",
        SUSPECTED,
        gettext_noop("browser without a language"),
        gettext_noop("Browsers say which languages the reader wants. Some that are built into an app may not."),
        lambda signs: not signs.has_language,
        shadow_bit=1,
    ),
    Rule(
        "no-fetch-headers",
        SUSPECTED,
        gettext_noop("browser without its usual headers"),
        gettext_noop(
            "Chrome and browsers built on it say over https how a page was requested. Some proxies remove these "
            "headers."
        ),
        _lacks_fetch_headers,
        shadow_bit=2,
    ),
    Rule(
        "burst",
        SUSPECTED,
        gettext_noop("several links at once"),
        gettext_noop("The same visitor followed two or more links of one signature within 2 seconds."),
        None,
    ),
    Rule(
        "burst-network",
        SUSPECTED,
        gettext_noop("several links at once from one network"),
        gettext_noop("Visitors of the same network followed three or more links of one signature within 2 seconds."),
        None,
    ),
    Rule(
        "repeat",
        SUSPECTED,
        gettext_noop("same link again"),
        gettext_noop("The same visitor followed the link up to 60 seconds before. The first click counts."),
        None,
    ),
)
"""In the order in which they are tried. The first matching rule that is not a shadow rule decides."""

PLACES = {rule.id: place for place, rule in enumerate(RULES)}
"""The places of the rules in their order, by id."""


def judge(visit: Visit) -> Judgement:
    """Judges a visit by its request alone."""
    return _judge(
        visit.method[:_LONGER_THAN_ANY_METHOD],
        any(map(_is_fetched_ahead, visit.purposes)),
        (visit.user_agent or "")[: user_agents.AGENT_LENGTH],
        bool(visit.accept_language),
        bool(visit.sec_fetch_mode),
        visit.is_secure,
    )


def judge_agent(user_agent: str | None, method: str = "GET") -> Judgement:
    """As `judge`, if only these are known, as in the log of a web server. Missing headers cause no suspicion."""
    return judge(Visit(method, user_agent, accept_language="*", sec_fetch_mode="navigate"))


def _is_fetched_ahead(purpose: str) -> bool:
    purpose = purpose.lower()
    return "prefetch" in purpose or "prerender" in purpose or "preview" in purpose


# Cached, because visits with the same browser have the same signs.
@lru_cache(maxsize=4096)
def _judge(
    method: str, is_fetched_ahead: bool, agent: str, has_language: bool, has_fetch_mode: bool, is_secure: bool
) -> Judgement:
    signs = Signs(method, is_fetched_ahead, user_agents.normalized(agent), has_language, has_fetch_mode, is_secure)
    shadow: list[str] = []
    for rule in RULES:
        name = rule.match is not None and rule.match(signs)
        if name and rule.is_shadow:
            shadow.append(rule.id)
        elif name:
            return Judgement(rule.verdict, rule.reason % {"name": name}, rule.id, tuple(shadow))
    return Judgement(HUMAN, "", "", tuple(shadow))


def reason_text(reason: str) -> str:
    """A stored reason in the active language. A reason that was sent with the click is not translated."""
    known = _rule_and_name(reason)
    if known is None:
        return reason
    rule, name = known
    return gettext(rule.reason) % {"name": name}


def rule_of(reason: str) -> Rule | None:
    """The rule of a stored reason; None for a reason that was sent with the click."""
    known = _rule_and_name(reason)
    return known and known[0]


def _pattern(rule: Rule) -> re.Pattern[str]:
    return re.compile(re.escape(rule.reason).replace(re.escape("%(name)s"), "(.+)"))


def judge_again(verdict: str, reason: str) -> tuple[str, str]:
    """The verdict and the reason of a stored click by today's rules. Reasons that were sent with the click stay."""
    rule = rule_of(reason) if reason else None
    if rule is None:
        return verdict, reason
    return (HUMAN, "") if rule.is_shadow else (rule.verdict, reason)


_PATTERNS = [(rule, _pattern(rule)) for rule in RULES]


@lru_cache(maxsize=1024)
def _rule_and_name(reason: str) -> tuple[Rule, str] | None:
    for rule, pattern in _PATTERNS:
        match = pattern.fullmatch(reason)
        if match:
            return rule, match[1] if match.groups() else ""
    return None
