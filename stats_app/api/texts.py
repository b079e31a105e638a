"""The texts of the OpenAPI document that are not about a single operation, in Markdown."""

from __future__ import annotations

from typing import Any

TITLE = "Stats Tools"
DESCRIPTION = """\
Clicks on the links in e-mail signatures, counted by campaign, by user and by day. An API key belongs to one
workspace, and every answer is about that workspace alone.

## Periods

Dates are local dates as Y-m-d in the workspace's time zone, and both ends are included. They lie between
2000-01-01 and 2099-12-31, and a period has at most 3,660 days. `to` may be in the future: future days count 0.
If the period consists of whole calendar months, the previous period is the same number of whole months just
before it. Otherwise it is the same number of days just before it.

## What is counted

A click has one of three kinds, `campaign`, `vcard` or `other`, and one verdict, `human`, `suspected` or `bot`.
Only `human` clicks are counted: mail scanners, link previews, crawlers and repeats are kept and listed, but are
in no number. A click counts for the local day in which it happened. Numbers are exact and live.

A server can be set to hide all figures of persons, or those of persons with few clicks. It answers 403
`person_figures_off` in place of hidden figures. In its lists of single clicks `userPublicId` is null.

## Keys and scopes

Each call carries an API key in the header `x-api-key`. A key has scopes, and each operation names the one that
it needs. A missing, unknown, expired or revoked key gets 401, always with the same answer.

## Requests and answers

Paths work with and without a slash at the end. An unknown or repeated query parameter is an error, and so is a
repeated key in an object of a body, or a GET with a body. Bodies are JSON in UTF-8, uncompressed. Answers are
JSON in UTF-8, whatever `Accept` says, and must not be cached. JSON names are camelCase. HEAD is answered like
GET, without the body; any other method gets 405 with `method_not_allowed`.

## Limits

By default, each key has 30 calls a minute to each tool, and 300 requests a minute to the lists and links. A limit
holds for any 60 seconds, not for calendar minutes. `RateLimit-Policy` and `RateLimit` say what is left, and a
refused call gets 429 with `Retry-After`. Refused calls do not count; calls that end in 400 or 404 do.

## Errors

Errors are problem details (RFC 9457) in `application/problem+json`. `code` is stable and meant for programs,
`detail` is a sentence for people. With `invalid_parameters`, `errors` names each wrong field with a code of its
own and a sentence that has the rule and the value.
"""

# By the name of the parameter.
ID_SOURCES = {
    "campaignPublicId": "The operation campaign_list lists them.",
    "userPublicId": "The operation user_list lists them.",
}

TAGS = {
    "Statistics": "The questions that programs and assistants ask. The same tools are offered over MCP.",
    "Campaigns": "Banners in the signatures of the users that carry them.",
    "Users": "The people whose signatures carry links.",
    "Clicks": "Single clicks: list them, and record new ones.",
    "Links": "Tracked links for signatures: a link redirects to its target, and the click is counted.",
}

PROBLEM_MEANINGS = {
    "invalid_parameters": "One or more parameters, or the body, are wrong; errors names each.",
    "not_authenticated": "The header x-api-key has no valid key.",
    "permission_denied": "The key lacks the scope of the operation.",
    "workspace_mismatch": "workspacePublicId is not the workspace of the key.",
    "person_figures_off": "The server does not show clicks by person, or not those of persons with few clicks.",
    "not_found": "Nothing with this id is in the workspace of the key.",
    "method_not_allowed": "The path does not support the method; Allow has those that it supports.",
    "payload_too_large": "The body has more than 5 MiB, or more items than are taken at once.",
    "unsupported_media_type": "The body's Content-Type is not application/json in UTF-8.",
    "rate_limited": "Too many calls; Retry-After says in how many seconds the next one is allowed.",
    "internal_error": "Something went wrong on the server and has been logged.",
    "unavailable": "The database cannot be reached; Retry-After says when to try again.",
}

FIELD_MEANINGS = {
    "required": "It is missing.",
    "invalid": "It has the wrong form, is empty, or does not fit other values.",
    "unknown": "There is no such parameter or field.",
    "repeated": "It is given more than once.",
    "out_of_range": "It is too small or too large, too early or too late.",
    "too_long": "It has too many characters.",
    "not_found": "Nothing with this id is in the workspace of the key.",
    "not_allowed": "It must not be given together with other values, or it belongs to another one.",
    "future": "The time is more than 5 minutes in the future.",
    "pruned": "The time is before the first day whose single clicks are still stored.",
}

HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "RateLimit-Policy": ('The limit, such as `"lists";q=300;w=60`: 300 calls in 60 seconds.', {"type": "string"}),
    "RateLimit": (
        'What is left of it, such as `"lists";r=299;t=60`: 299 calls now, and one more in 60 seconds.',
        {"type": "string"},
    ),
    "Retry-After": ("Seconds to wait before the next call.", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": ("How to authenticate.", {"type": "string"}),
}
