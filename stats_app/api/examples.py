"""Examples for the OpenAPI document. The tests validate each against its schema."""

from __future__ import annotations

from typing import Any

from stats_app.api.problems import PROBLEMS, URN

Json = dict[str, Any]

_CAMPAIGN = "cp_01jzk3f8q2v6x9w4r7t5n0m1ab"
_USER = "usr_01jzk3f8q2v6x9w4r7t5n0m1cd"
_CLICK = "01k4x7q2m9c3v8b6n5t0r1w2ye"

PARAMETERS = {"from": "2026-03-01", "to": "2026-03-31", "campaignPublicId": _CAMPAIGN, "userPublicId": _USER}

_PERIOD = {"from": "2026-03-01", "to": "2026-03-31"}
_NOW = "2026-03-31T10:25:00+00:00"

_OVERVIEW: Json = {
    "workspace": {"name": "Acme"},
    "period": _PERIOD,
    "totals": {"campaignClicks": 1250, "vcardClicks": 310, "totalClicks": 1840},
    "breakdown": {},
    "signals": [
        {"type": "campaign_clicks", "count": 1250},
        {"type": "vcard_clicks", "count": 310},
        {"type": "other_clicks", "count": 280},
    ],
    "generatedAt": _NOW,
}
_CHART = {
    "chart": {
        "datasets": {
            "current": [1840],
            "previous": [1525],
            "campaigns": [{"publicId": _CAMPAIGN, "name": "Spring launch", "data": [420]}],
        },
        "labels": {"current": ["2026-03"], "previous": ["2026-02"]},
    }
}
_NEW_CLICK = {
    "id": _CLICK,
    "kind": "campaign",
    "campaignPublicId": _CAMPAIGN,
    "userPublicId": _USER,
    "clickedAt": "2026-03-09T09:30:00+01:00",
}
_NEW_LINK = {"kind": "campaign", "campaignPublicId": _CAMPAIGN, "userPublicId": _USER}
_LINK = {
    "token": "7Hk2mQ9xRtB",
    "url": "https://www.example.com/c/7Hk2mQ9xRtB",
    "kind": "campaign",
    "targetUrl": "",
    "campaignPublicId": _CAMPAIGN,
    "userPublicId": _USER,
    "alias": None,
    "isActive": True,
    "createdAt": "2026-03-02T08:15:00+00:00",
}

_ANSWERS: dict[str, list[tuple[str, Json]]] = {
    "stats_get_workspace_overview": [
        ("totals alone", _OVERVIEW),
        ("with breakdown=month", _OVERVIEW | {"breakdown": _CHART}),
    ],
    "stats_get_campaign_performance": [
        (
            "a campaign in March",
            {
                "campaign": {"publicId": _CAMPAIGN, "name": "Spring launch", "status": "running"},
                "period": _PERIOD,
                "metrics": {
                    "clicks": 420,
                    "shareOfCampaignClicks": 0.336,
                    "bestDay": {"date": "2026-03-09", "clicks": 41},
                    "assignedUsers": 52,
                },
                "trend": None,
                "generatedAt": _NOW,
            },
        )
    ],
    "stats_get_user_metrics": [
        (
            "a user in March",
            {
                "user": {"publicId": _USER, "displayName": "Ada Lovelace"},
                "period": _PERIOD,
                "metrics": {
                    "campaignClicks": 12,
                    "vcardClicks": 3,
                    "otherClicks": 1,
                    "totalClicks": 16,
                    "campaignAssignments": 3,
                    "aliases": 2,
                },
                "generatedAt": _NOW,
            },
        )
    ],
    "link_create": [
        (
            "one of two rejected",
            {
                "created": 1,
                "unchanged": 0,
                "rejected": [
                    {
                        "index": 1,
                        "field": "targetUrl",
                        "code": "invalid",
                        "message": 'targetUrl must be an http or https address, not "www.example.com".',
                    }
                ],
                "results": [{"index": 0, **_LINK}],
            },
        )
    ],
    "user_save": [
        (
            "one of three rejected",
            {
                "created": 1,
                "updated": 0,
                "unchanged": 1,
                "rejected": [
                    {
                        "index": 1,
                        "field": "email",
                        "code": "not_allowed",
                        "message": 'email "ada@example.com" belongs to another user.',
                    }
                ],
                "results": [
                    {"index": 0, "publicId": _USER},
                    {"index": 2, "publicId": "usr_01jzk3f8q2v6x9w4r7t5n0m1ef"},
                ],
            },
        )
    ],
    "campaign_save": [
        (
            "a campaign made",
            {
                "created": 1,
                "updated": 0,
                "unchanged": 0,
                "rejected": [],
                "results": [{"index": 0, "publicId": _CAMPAIGN}],
            },
        )
    ],
    "click_ingest": [
        (
            "one of four rejected",
            {
                "accepted": 2,
                "duplicates": 1,
                "rejected": [
                    {
                        "index": 3,
                        "field": "campaignPublicId",
                        "code": "not_found",
                        "message": f'campaignPublicId "{_CAMPAIGN}" is not in this workspace.',
                    }
                ],
            },
        )
    ],
}
_NEW_USER = {
    "externalId": "10342",
    "email": "ada@example.com",
    "displayName": "Ada Lovelace",
    "aliases": ["ada.lovelace@example.com"],
}
_NEW_CAMPAIGN = {
    "externalId": "spring-2026",
    "name": "Spring launch",
    "targetUrl": "https://www.example.com/spring",
    "startDate": "2026-03-01",
    "endDate": "2026-03-31",
    "assignedUsers": ["ada@example.com", _USER],
}
_BODIES: dict[str, list[tuple[str, Json]]] = {
    "user_save": [
        ("one user", _NEW_USER),
        ("several", {"users": [_NEW_USER, {"publicId": _USER, "isActive": False}]}),
    ],
    "campaign_save": [
        ("one campaign", _NEW_CAMPAIGN),
        ("several", {"campaigns": [_NEW_CAMPAIGN, {"publicId": _CAMPAIGN, "isPaused": True}]}),
    ],
    "link_create": [
        ("one link", _NEW_LINK),
        (
            "several",
            {
                "links": [
                    _NEW_LINK,
                    {"kind": "vcard", "userPublicId": _USER, "targetUrl": "https://www.example.com/ada.vcf"},
                ]
            },
        ),
    ],
    "click_ingest": [
        ("one click", _NEW_CLICK),
        ("several", {"clicks": [_NEW_CLICK, {"kind": "vcard", "userPublicId": _USER}]}),
    ],
}

_DETAILS = {
    "invalid_parameters": 'from must be a date as Y-m-d, not "03/01/2026".',
    "not_authenticated": "A valid API key is required in the header x-api-key.",
    "permission_denied": "This API key lacks the scope stats:read.",
    "workspace_mismatch": "workspacePublicId is not the workspace of this API key; leave it out.",
    "person_figures_off": "This server does not show clicks by person.",
    "not_found": f'No campaign with the id "{_CAMPAIGN}" in this workspace.',
    "method_not_allowed": "This path does not support DELETE; it supports GET, HEAD.",
    "payload_too_large": "clicks has 10001 items; send at most 10000 at once.",
    "unsupported_media_type": 'Content-Type must be application/json in UTF-8, not "text/plain".',
    "rate_limited": "More than 30 calls in 60 seconds to stats_get_user_metrics; the next one is allowed in 12 s.",
    "internal_error": "Something went wrong on our side; it has been logged.",
    "unavailable": "The database cannot be reached; try again.",
}


def of(operation_id: str) -> list[tuple[str, Json, bool]]:
    """The examples of an operation: a title, the JSON, and whether it is the body of a request."""
    bodies = [(title, body, True) for title, body in _BODIES.get(operation_id, ())]
    return bodies + [(title, answer, False) for title, answer in _ANSWERS.get(operation_id, ())]


def problem(code: str) -> Json:
    """An error with this code, as it is answered."""
    status, title = PROBLEMS[code]
    body: Json = {"type": URN + code, "title": title, "status": status, "detail": _DETAILS[code], "code": code}
    if code == "invalid_parameters":
        body["errors"] = [{"field": "from", "code": "invalid", "message": _DETAILS[code]}]
    return body
