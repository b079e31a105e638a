"""Answers are JSON, whatever the header `Accept` says."""

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
    """Compact JSON in UTF-8, rendered by orjson if it is installed (extra `fast`)."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else dumps(data)


class OnlyJson(DefaultContentNegotiation):
    """Always chooses JSON. DRF's negotiation would answer some `Accept` headers with 406, and `?format=` with 404."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The only parser, for any Content-Type, because it has its own error for a wrong one."""
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
