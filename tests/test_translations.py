"""The French texts are those of the sources, complete, and compiled as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import django.conf
import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGS = [ROOT / folder / "locale/fr/LC_MESSAGES/django.po" for folder in ("stats_app", "project")]
DJANGOS = Path(django.conf.__file__).parent / "locale/fr/LC_MESSAGES/django.mo"


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.relative_to(ROOT).parts[0])
def test_every_text_is_translated_and_compiled(path: Path) -> None:
    with path.open("rb") as written, path.with_suffix(".mo").open("rb") as compiled:
        texts = [message for message in read_po(written, locale="fr") if message.id]
        known = {key(message): strings(message) for message in read_mo(compiled) if message.id}
    written_texts = {key(message): strings(message) for message in texts}
    assert [message.id for message in texts if message.fuzzy or not all(strings(message))] == []
    assert written_texts == known


# The calls that mark a text, and the places of its context, singular and plural among their arguments.
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.relative_to(ROOT).parts[0])
def test_the_catalog_has_exactly_the_texts_of_the_sources(path: Path) -> None:
    with path.open("rb") as written, DJANGOS.open("rb") as djangos:
        known = {key(message) for message in read_po(written, locale="fr") if message.id}
        of_django = {key(message) for message in read_mo(djangos) if message.id}
    used = set(marked_texts(path.relative_to(ROOT).parts[0]))
    assert (used - known - of_django, known - used) == (set(), set())


def marked_texts(folder: str) -> Iterator[tuple[str, str | None]]:
    """The text and the context of each text to translate in the Python files and templates of a folder."""
    roots = [ROOT / folder] if folder == "stats_app" else [ROOT / folder, ROOT / "templates"]
    for file in (file for root in roots for kind in ("py", "html", "txt") for file in root.rglob(f"*.{kind}")):
        source = file.read_text()
        if file.suffix != ".py":
            # As Python code, without the indentation of HTML, which Python would refuse.
            source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
        for _line, text, _comments, context in extract("python", BytesIO(source.encode()), CALLS):
            yield (text if isinstance(text, str) else text[0], context)


def key(message: Message) -> tuple[str, str | None]:
    """What a text is looked up by; of a plural, its singular."""
    # The reader of compiled catalogs leaves contexts as bytes.
    context = message.context.decode() if isinstance(message.context, bytes) else message.context
    return (message.id if isinstance(message.id, str) else message.id[0], context)


def strings(message: Message) -> tuple[str, ...]:
    """The translation, or its forms in order."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)
