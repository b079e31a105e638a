"""The admin in French: every text of ours on every page."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client, override_settings

from tests.admin_cast import MODELS, address, make_tenant, superuser
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db


def text(staff: Client, url: str, **query: object) -> str:
    response = staff.get(url, query, headers={"accept-language": "fr"})
    assert response.status_code == 200
    return html.unescape(response.content.decode())


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("workspace", ["espaces de travail", "fuseau horaire", "Par nom ou identifiant public."]),
        ("workspaceuser", ["utilisateurs de l’espace", "Par nom, e-mail ou identifiant public."]),
        ("alias", ["Par alias, ou par nom ou e-mail de l’utilisateur."]),
        ("campaign", ["campagnes", "utilisateurs affectés", "en cours", "prévue"]),
        ("campaignassignment", ["affectations", "Par campagne, ou par nom ou e-mail de l’utilisateur."]),
        ("trackedlink", ["liens suivis", "la cible actuelle de la campagne"]),
        ("clickrecord", ["clics", "heure locale", "humain", "7 derniers jours", "Appliquer"]),
        ("apikey", ["clés d’API", "Révoquer les clés d’API sélectionnées", "active"]),
        (
            "sharedreport",
            ["rapports partagés", "personnes nommées", "ouvert", "Révoquer les rapports partagés sélectionnés"],
        ),
        ("mailing", ["envois périodiques", "fréquence", "langue", "en échec"]),
        ("toolcall", ["appels d’outils", "résultat", "trop d’appels", "interface"]),
    ],
)
def test_it_speaks_french(model: str, words: list[str]) -> None:
    make_tenant()
    make_tenant("Globex")
    shown = text(superuser(), address(model)).lower()
    assert [word for word in words if word.lower() not in shown] == []


@pytest.mark.parametrize("model", MODELS)
def test_no_english_word_of_ours_is_left(model: str) -> None:
    tenant = make_tenant()
    make_tenant("Globex")
    staff = superuser()
    shown = text(staff, address(model)) + text(staff, address(model, "change", getattr(tenant, model)))
    visible = re.sub(r"<script.*?</script>|<svg.*?</svg>|<[^>]*>", " ", shown, flags=re.S)
    # Names of tools and scopes are the same in every language.
    visible = re.sub(r"stats_get_\w+|\w+:(read|write)", " ", visible)
    english = r"\b(workspaces?|users?|clicks?|campaigns?|kind|state|scopes|outcome|newest|older|search|revoke|rotate)\b"
    assert re.findall(english, visible, flags=re.I) == []


def test_its_messages_are_french() -> None:
    tenant = make_tenant()
    staff = superuser()
    values = {"action": "revoke", "_selected_action": [tenant.apikey.pk], "confirmed": "yes"}
    response = staff.post(address("apikey"), values, headers={"accept-language": "fr"}, follow=True)
    assert [str(message) for message in response.context["messages"]] == ["1 clé d’API a été révoquée."]
    with override_settings(LANGUAGE_CODE="fr"):
        response = staff.post(address("campaign", "delete", tenant.campaign), {"post": "yes"})
    assert "clics de « Acme spring »" in response.content.decode()


def test_a_new_secret_is_shown_in_french() -> None:
    values = {"workspace": make_workspace().pk, "name": "Rapports", "scopes": ["stats:read"]}
    response = superuser().post(address("apikey", "add"), values, headers={"accept-language": "fr"})
    assert "C’est la seule fois qu’il est montré." in html.unescape(response.content.decode())
