"""Visitors are distinguished for a day without being identified: which keys differ, and what remains of a day."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta, timezone
from ipaddress import ip_address
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from stats_app import visitors
from stats_app.models import VisitorSalt
from stats_app.visitors import Visitor, visitor_of

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 9)
DAY = timedelta(days=1)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36"
ADDRESS = "203.0.113.77"


def visit(
    address: str = ADDRESS,
    user_agent: str | None = CHROME,
    accept_language: str | None = "fr",
    workspace: int = 1,
    now: datetime = NOON,
) -> Visitor:
    return visitor_of(workspace, ip_address(address), user_agent, accept_language, now=now)


def salt_days() -> list[date]:
    return [*VisitorSalt.objects.order_by("day").values_list("day", flat=True)]


def forget_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "_cached", None)


def test_a_visitor_has_two_keys_that_stay_the_same_for_a_day() -> None:
    visitor = visit()
    assert (len(visitor.key), len(visitor.network)) == (16, 16)
    assert visit(now=NOON.replace(hour=0)) == visit(now=NOON.replace(hour=23, minute=59)) == visitor


@pytest.mark.parametrize(
    "other",
    [
        {"address": "203.0.113.78"},
        {"user_agent": CHROME + " "},
        {"user_agent": None},
        {"accept_language": "en"},
        {"accept_language": None},
        {"workspace": 2},
        {"now": NOON + DAY},
        {"now": NOON - DAY},
    ],
)
def test_another_visitor_has_another_key(other: dict[str, Any]) -> None:
    assert visit(**other).key != visit().key


def test_a_header_that_is_not_sent_is_as_an_empty_one() -> None:
    assert visit(user_agent=None, accept_language=None) == visit(user_agent="", accept_language="")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a', 'b", "c"), ("a", "b', 'c")),
        (("a\0b", ""), ("a", "b")),
        (("a\0", ""), ("a", "\0")),
        (("\ud800", ""), ("\\ud800", "")),
        (("a" * 65_536, ""), ("a" * 65_535, "a")),
    ],
)
def test_headers_of_different_visitors_never_give_one_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert visit(ADDRESS, *one).key != visit(ADDRESS, *other).key
    assert visit(ADDRESS, *one) == visit(ADDRESS, *one)


@pytest.mark.parametrize(
    ("one", "other", "same_key", "same_network"),
    [
        ("203.0.113.77", "203.0.113.78", False, True),
        ("203.0.113.77", "203.0.114.77", False, False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True, True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False, True),
        ("2001:db8:1:2::1", "2001:db8:2:2::1", False, False),
        # The first bytes of this are those of the IPv4 address.
        ("203.0.113.77", "cb00:714d::", False, False),
    ],
)
def test_what_addresses_share(one: str, other: str, same_key: bool, same_network: bool) -> None:
    first, second = visit(one), visit(other)
    assert (first.key == second.key, first.network == second.network) == (same_key, same_network)


def test_browsers_of_one_network_share_its_key_in_one_workspace_on_one_day() -> None:
    network = visit().network
    assert network == visit(user_agent="other", accept_language="de").network
    assert len({network, visit(workspace=2).network, visit(now=NOON + DAY).network, visit().key}) == 4


def test_the_day_is_that_of_utc() -> None:
    in_tonga = datetime(2026, 3, 10, 5, 0, tzinfo=timezone(timedelta(hours=13)))
    assert visit(now=in_tonga) == visit()
    assert salt_days() == [TODAY]


def test_two_days_cannot_be_linked_once_their_salts_are_gone(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """Not even somebody with the database and everybody's address, browser and language can do it."""
    people = [f"203.0.113.{number}" for number in range(1, 20)]
    with django_capture_on_commit_callbacks(execute=True):
        monday = [visit(person) for person in people]
        tuesday = [visit(person, now=NOON + DAY) for person in people]
        visit(now=NOON + 3 * DAY)
    assert not {key for visitor in monday for key in visitor} & {key for visitor in tuesday for key in visitor}
    assert salt_days() == [TODAY + 3 * DAY]
    assert visitors._cached is not None
    assert visitors._cached[0] == TODAY + 3 * DAY
    # A second salt for the same day differs from the first.
    assert not {*monday} & {visit(person) for person in people}
    assert not {*tuesday} & {visit(person, now=NOON + DAY) for person in people}


def test_salts_live_for_48_hours(django_capture_on_commit_callbacks: Any) -> None:
    for number in range(5):
        with django_capture_on_commit_callbacks(execute=True):
            visit(now=NOON.replace(hour=0) + number * DAY)
        assert salt_days() == [TODAY + day * DAY for day in (number - 1, number) if day >= 0]


def test_a_visit_after_a_long_silence_deletes_all_of_before(django_capture_on_commit_callbacks: Any) -> None:
    VisitorSalt.objects.bulk_create(VisitorSalt(day=TODAY - number * DAY, salt=b"old") for number in range(1, 400))
    with django_capture_on_commit_callbacks(execute=True):
        visit()
    assert salt_days() == [TODAY - DAY, TODAY]


def test_only_the_first_visit_of_a_day_asks_the_database(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_assert_num_queries(4), django_capture_on_commit_callbacks(execute=True):
        first = visit()
    with django_assert_num_queries(0):
        assert visit() == first
        visit("203.0.113.78", "another", workspace=2)
    # In another process there is a salt already.
    forget_in_this_process(monkeypatch)
    with django_assert_num_queries(2), django_capture_on_commit_callbacks(execute=True):
        assert visit() == first


@pytest.mark.django_db(transaction=True)
def test_a_salt_that_is_rolled_back_is_not_used_on() -> None:
    with transaction.atomic():
        undone = visit()
        transaction.set_rollback(True)
    assert salt_days() == []
    kept = visit()
    assert kept != undone
    with transaction.atomic():
        assert visit() == kept


@pytest.mark.django_db(transaction=True)
def test_no_visitor_is_troubled_when_salts_cannot_be_deleted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    def fail(today: date, *, using: str) -> None:
        tries.append(today)
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(visitors, "delete_old_salts", fail)
    assert visit() == visit()
    with transaction.atomic():
        visit(now=NOON + DAY)
    assert salt_days() == [TODAY, TODAY + DAY]
    # Once a day, and not at each visit.
    assert tries == [TODAY, TODAY + DAY]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_no_address_is_stored_or_logged(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.DEBUG = True
    with caplog.at_level(logging.DEBUG, logger="django.db.backends"):
        visitor = visit(address="198.51.100.203", user_agent="Browser of Ada")
    [salt] = VisitorSalt.objects.all()
    assert len(bytes(salt.salt)) == 32
    everything = caplog.text + repr(visitor) + repr(salt) + str(salt) + repr(vars(salt))
    assert "INSERT" in caplog.text
    for trace in ("198.51", "100.203", "Browser of Ada", repr(ip_address("198.51.100.203").packed)[2:-1]):
        assert trace not in everything
