"""The choices in the address of a list: its period, its search and filters, its order and its page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlencode

from stats_app import store
from stats_app.errors import WrongValue
from stats_app.reports.period_form import PeriodForm
from stats_app.words import search_words

# The value of `clicks=` that selects the rows without clicks.
WITHOUT = "none"


class ListChoices:
    """The choices of a list. `form` is the form of its period; if it is invalid, nothing is shown.

    `other` is the parameter that limits the list to the rows of one campaign or user.
    """

    other: ClassVar[store.Named]

    def __init__(self, query: Mapping[str, Any], today: date) -> None:
        self.search, self.wrong_search = query.get("q", "").strip(), ""
        self.words: list[str] = []
        try:
            self.words = search_words(self.search)
        except WrongValue as error:
            self.wrong_search = error.message
        status = query.get("status", "")
        self.status = status if status in dict(self.statuses) else ""
        self.only_without = self.are_all_shown and query.get("clicks") == WITHOUT
        self.of = query.get(self.other, "")
        self.sort: str = query.get("sort", "")
        self.asked_page = _number(query.get("page", ""))
        self.form = PeriodForm(query, today, self.kept, has_steps=False)

    @property
    def are_all_shown(self) -> bool:
        """Whether the clicks of every row are shown. Only then may the rows without clicks be selected."""
        return True

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """The values of the filter by status, with their labels."""
        raise NotImplementedError

    @property
    def filters(self) -> dict[str, str]:
        """The parameters of the address that select rows."""
        given = {
            "q": self.search,
            "status": self.status,
            "clicks": WITHOUT if self.only_without else "",
            self.other: self.of,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def kept(self) -> dict[str, str]:
        """The parameters of the address besides the period and the page."""
        return self.filters | ({"sort": self.sort} if self.sort else {})

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of the form of the filters."""
        own = {name: value for name, value in self.kept.items() if name in ("sort", self.other)}
        return self.form.choice | own

    @property
    def errors(self) -> dict[str, list[str]]:
        """The errors in the address, by parameter."""
        errors = {name: [str(message) for message in messages] for name, messages in self.form.errors.items()}
        return errors | ({"q": [self.wrong_search]} if self.wrong_search else {})

    @property
    def address(self) -> str:
        """The query string of the list without the number of the page."""
        return urlencode(self.form.choice | self.kept)

    @property
    def address_of_all(self) -> str:
        """The query string without the campaign or user that the list is limited to."""
        return urlencode(self.form.choice | {name: value for name, value in self.kept.items() if name != self.other})

    @property
    def unsorted_address(self) -> str:
        """The query string without the order."""
        return urlencode(self.form.choice | self.filters)


def _number(text: str) -> int:
    """The number of a page in the address; 1 for anything else."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1
