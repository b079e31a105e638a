"""What identifies a person, and the rows of the audit log and of mailings that contain it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_plus

from django.db.models import QuerySet

from stats_app.models import MailingAddress, ToolCall, WorkspaceUser
from stats_app.words import search_key

HIDDEN = "(erased)"

# What may not stand before and after an e-mail, because it would belong to another one. Other letters may: scripts
# without spaces write on without a space. `mary-ann@` is not `ann@`, and `example.com.au` is not `example.com`.
_WHOLE_EMAIL = r"(?<![a-z0-9.+_-])(?:{emails})(?![a-z0-9]|[.-][a-z0-9])"
_ASCII_WORD = re.compile("[a-z0-9]+")
# Scripts without spaces between words: Thai to Myanmar, Khmer, Chinese, Japanese, and Korean with its particles.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Identity:
    """A person's e-mails, external id and name. `email_pattern` finds the e-mails in a text, `name_words` are the words
    of the name. Both compare as searches do."""

    emails: Collection[str]
    external_id: str | None
    email_pattern: re.Pattern[str]
    name_words: frozenset[str]

    @classmethod
    def of(cls, user: WorkspaceUser) -> Identity:
        emails = (user.email, *user.aliases.using(user._state.db).values_list("email", flat=True))
        pattern = _WHOLE_EMAIL.format(emails="|".join(re.escape(search_key(email)) for email in emails))
        name = search_key(user.display_name)
        return cls(emails, user.external_id, re.compile(pattern), frozenset(_words(name) or name.split()))

    def is_in(self, text: str) -> bool:
        """Whether the text contains an e-mail or all words of the name, in any order, or is the external id."""
        if self.external_id is not None and text.strip() == self.external_id:
            return True
        # Also as a part of an address on the web, where signs are escaped.
        texts = {text, unquote(text), unquote_plus(text)} if "%" in text else {text}
        return any(self._has_email(key) or self._has_name(key) for key in map(search_key, texts))

    def _has_email(self, key: str) -> bool:
        return "@" in key and self.email_pattern.search(key) is not None

    def _has_name(self, key: str) -> bool:
        if not self.name_words or not all(word in key for word in self.name_words):
            return False
        spaced = {word for word in self.name_words if not _UNSPACED.search(word) and _words(word)}
        return spaced <= _words(key)


def _words(key: str) -> set[str]:
    """The runs of letters and digits, with the marks that belong to them."""
    if key.isascii():
        return set(_ASCII_WORD.findall(key))
    return set("".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in key).split())


def addresses_of(identity: Identity, workspace_id: int, *, using: str) -> QuerySet[MailingAddress]:
    """The person's addresses among those that the workspace's mailings are sent to."""
    addresses = MailingAddress.objects.using(using)
    return addresses.filter(mailing__workspace=workspace_id, email__in=identity.emails).order_by("pk")


def calls_that_name(
    identity: Identity, workspace_id: int, *, using: str, public_id: str | None = None, after: int = 0
) -> Iterator[ToolCall]:
    """The rows of the audit log whose client or arguments name the person, or contain the public id if one is given.

    `after` is a primary key: only rows after it are read. These are all read, because the arguments have no index.
    """
    calls: QuerySet[Any] = ToolCall.objects.using(using).filter(workspace=workspace_id).order_by("pk")
    last = after
    while page := list(calls.filter(pk__gt=last)[:1_000]):
        last = page[-1].pk
        for call in page:
            texts = [call.client, *_texts(call.arguments)]
            if (public_id is not None and public_id in texts) or any(map(identity.is_in, texts)):
                yield call


def hidden(value: Any, identity: Identity) -> Any:
    """The value with a placeholder for each text that names the person, also for names of parameters."""
    if isinstance(value, str):
        return HIDDEN if identity.is_in(value) else value
    if isinstance(value, dict):
        return {hidden(name, identity): hidden(item, identity) for name, item in value.items()}
    if isinstance(value, list):
        return [hidden(item, identity) for item in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
