"""The DRF settings of the project's own API: an XML renderer, and an exception handler that raises."""

from __future__ import annotations

from typing import Any, NoReturn

from rest_framework.renderers import BaseRenderer


class HostError(Exception):
    """The error that the project's exception handler raises for every error."""


def explode(error: Exception, context: dict[str, Any]) -> NoReturn:
    raise HostError(type(error).__name__) from error


class XmlRenderer(BaseRenderer):
    media_type = "application/xml"
    format = "xml"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        return f"<answer>{_xml(data)}</answer>"


def _xml(data: Any) -> str:
    if isinstance(data, dict):
        return "".join(f"<{name}>{_xml(value)}</{name}>" for name, value in data.items())
    if isinstance(data, list):
        return "".join(f"<item>{_xml(item)}</item>" for item in data)
    return "" if data is None else str(data)
