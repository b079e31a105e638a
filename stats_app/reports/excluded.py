"""The clicks of a period that are not counted, by verdict and reason, and those that rules on trial would exclude."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from stats_app import store
from stats_app.dimensions import BOT, SUSPECTED
from stats_app.models import Workspace
from stats_app.periods import Period
from stats_app.reports.wording import VERDICT_WORDS, click_reason
from stats_app.verdicts import RULES, Rule, rule_of

MOST = 100
"""The most reasons that a page lists. There may be more, because clicks can be sent with any reason."""


@dataclass(frozen=True, slots=True)
class ExcludedLine:
    """The clicks with one verdict and reason. `reason` is the stored one, and may be empty."""

    verdict: str
    reason: str
    clicks: int

    @property
    def name(self) -> str:
        """The reason in the active language."""
        return click_reason(self.reason)

    @property
    def word(self) -> str:
        """The verdict in the active language."""
        return str(VERDICT_WORDS[self.verdict])

    @property
    def why(self) -> str:
        """The explanation of the rule; empty if the reason was sent with the click."""
        rule = rule_of(self.reason)
        return _(rule.why) if rule else ""


@dataclass(frozen=True, slots=True)
class ShadowLine:
    """The counted clicks that a rule on trial would exclude."""

    rule: Rule
    clicks: int

    @property
    def name(self) -> str:
        return _(self.rule.reason)

    @property
    def word(self) -> str:
        return str(VERDICT_WORDS[self.rule.verdict])

    @property
    def why(self) -> str:
        return _(self.rule.why)


@dataclass(frozen=True, slots=True)
class Excluded:
    """The clicks that are not counted, the most frequent reasons first, and those that rules on trial match."""

    suspected: int
    bot: int
    lines: list[ExcludedLine]
    shadows: list[ShadowLine]

    @property
    def total(self) -> int:
        return self.suspected + self.bot

    def for_others(self) -> Excluded:
        """A copy without reasons and rules on trial, which only staff may see."""
        return replace(self, lines=[], shadows=[])

    @property
    def shown(self) -> list[ExcludedLine]:
        return self.lines[:MOST]

    @property
    def rest(self) -> int:
        """The clicks of the reasons that are not shown."""
        return sum(line.clicks for line in self.lines[MOST:])


def excluded_of_workspace(workspace: Workspace, period: Period) -> Excluded:
    """The excluded clicks of a workspace, with the rules on trial. Two or three queries."""
    return _excluded(_lines(workspace, period, {}), _shadows(workspace, period))


def excluded_of(workspace: Workspace, period: Period, where: store.Where) -> Excluded:
    """The excluded clicks of one campaign or user. One or two queries."""
    return _excluded(_lines(workspace, period, where), [])


def _excluded(lines: list[ExcludedLine], shadows: list[ShadowLine]) -> Excluded:
    suspected, bot = (sum(line.clicks for line in lines if line.verdict == verdict) for verdict in (SUSPECTED, BOT))
    return Excluded(suspected, bot, lines, shadows)


def _lines(workspace: Workspace, period: Period, where: store.Where) -> list[ExcludedLine]:
    counts = store.counts(workspace.pk, period, ("reason",), where=where)
    lines = [ExcludedLine(str(verdict), str(reason), clicks) for (verdict, reason), [clicks] in counts.items()]
    return sorted(lines, key=lambda line: (-line.clicks, line.verdict, line.reason))


def _shadows(workspace: Workspace, period: Period) -> list[ShadowLine]:
    counts = {int(bits): clicks for (bits,), [clicks] in store.counts(workspace.pk, period, ("shadow",)).items()}
    if not counts:
        return []
    trials = [rule for rule in RULES if rule.is_shadow]
    return [ShadowLine(rule, sum(n for bits, n in counts.items() if bits & rule.shadow_bit)) for rule in trials]
