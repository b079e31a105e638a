"""JSON out, whatever the caller says to accept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


def _stdlib_dumps(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


dumps: Callable[[object], bytes]
try:
    from orjson import dumps
except ImportError:
    dumps = _stdlib_dumps


class JsonRenderer(BaseRenderer):
    """Compact JSON in UTF-8; by orjson where it is installed (extra `fast`)."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else dumps(data)


class OnlyJson(DefaultContentNegotiation):
    """Negotiates nothing: a header `Accept` or a parameter `format` would lead DRF to 406 and 404."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The one parser, for whatever Content-Type: it says itself what is wrong with it."""
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
