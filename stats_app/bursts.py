"""Bursts: several clicks that are suspected only because of each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from stats_app.verdicts import PLACES, RULES, Judgement, Rule, rule_of

BURST = timedelta(seconds=2)
REPEAT = timedelta(seconds=60)

_BURST, _BURST_NETWORK, _REPEAT = (RULES[PLACES[name]] for name in ("burst", "burst-network", "repeat"))


class Followed(NamedTuple):
    """A stored click, as input of the rules for bursts.

    `id` is its ULID, `reason` its current reason. `visitor` and `network` are keys from `stats_app.visitors`, or None
    if unknown. `signature` is the primary key of the user whose signature has the link. Links of no user have None,
    and count as one signature.
    """

    id: bytes
    clicked_at: datetime
    link: int
    signature: int | None
    visitor: bytes | None
    network: bytes | None
    reason: str = ""


def judge_bursts(clicks: Iterable[Followed]) -> dict[bytes, Judgement]:
    """The new judgements of the clicks that are part of a burst, by id.

    `clicks` are a new click and the clicks near it, without bots: those of its visitor up to REPEAT before and after
    it, and those of its network up to BURST. A click keeps its reason if an earlier rule gave it, or if it was sent
    with the click. The final judgements do not depend on the order in which clicks come in, because a click can only
    make others more suspect, never less.
    """
    ordered = sorted(clicks, key=lambda click: (click.clicked_at, click.id))
    changes: dict[bytes, Judgement] = {}
    for rule, suspects in (
        (_BURST, _crowds(ordered, lambda click: click.visitor, links=2)),
        (_BURST_NETWORK, _crowds(ordered, lambda click: click.network, links=3)),
        (_REPEAT, _repeats(ordered)),
    ):
        for click in suspects:
            if _may_replace(click.reason, rule):
                changes.setdefault(click.id, Judgement(rule.verdict, rule.reason, rule.id))
    return changes


def rests_on_visitor(reason: str) -> bool:
    """Whether a stored reason comes from a rule that needs only the visitor's clicks, so that it can be applied
    again."""
    return reason != "" and rule_of(reason) in (_BURST, _REPEAT)


def _may_replace(reason: str, rule: Rule) -> bool:
    """Whether `rule` comes before the rule of the present reason."""
    present = rule_of(reason)
    return not reason or (present is not None and PLACES[rule.id] < PLACES[present.id])


def _crowds(clicks: Sequence[Followed], source_of: Callable[[Followed], Hashable], links: int) -> Iterator[Followed]:
    """The clicks that belong to a group with the same source and signature within BURST (two seconds), in which at
    least `links` different links are followed. `clicks` are in the order of time.
    """
    sources: dict[Hashable, list[Followed]] = defaultdict(list)
    for click in clicks:
        if (source := source_of(click)) is not None:
            sources[source, click.signature].append(click)
    for group in sources.values():
        start = reported = 0
        inside: Counter[int] = Counter()
        for end, click in enumerate(group):
            inside[click.link] += 1
            while click.clicked_at - group[start].clicked_at > BURST:
                inside[group[start].link] -= 1
                start += 1
            if len(+inside) >= links:
                yield from group[max(start, reported) : end + 1]
                reported = end + 1


def _repeats(clicks: Iterable[Followed]) -> Iterator[Followed]:
    """The clicks whose visitor had followed the same link shortly before. `clicks` are in the order of time."""
    previous: dict[tuple[bytes, int], datetime] = {}
    for click in clicks:
        if click.visitor is None:
            continue
        key = (click.visitor, click.link)
        if key in previous and click.clicked_at - previous[key] <= REPEAT:
            yield click
        previous[key] = click.clicked_at
