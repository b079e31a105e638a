"""The French texts are complete, and compiled as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGS = [ROOT / folder / "locale/fr/LC_MESSAGES/django.po" for folder in ("stats_app", "project")]


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.relative_to(ROOT).parts[0])
def test_every_text_is_translated_and_compiled(path: Path) -> None:
    with path.open("rb") as written, path.with_suffix(".mo").open("rb") as compiled:
        texts = [message for message in read_po(written, locale="fr") if message.id]
        known = {key(message): strings(message) for message in read_mo(compiled) if message.id}
    written_texts = {key(message): strings(message) for message in texts}
    assert [message.id for message in texts if message.fuzzy or not all(strings(message))] == []
    assert written_texts == known


def key(message: Message) -> tuple[str, str | None]:
    """What a text is looked up by; of a plural, its singular."""
    # The reader of compiled catalogs leaves contexts as bytes.
    context = message.context.decode() if isinstance(message.context, bytes) else message.context
    return (message.id if isinstance(message.id, str) else message.id[0], context)


def strings(message: Message) -> tuple[str, ...]:
    """The translation, or its forms in order."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)
