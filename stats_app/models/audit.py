"""The log of the calls by API keys."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stats_app.models.api_keys import ApiKey
from stats_app.models.workspaces import Workspace

REST = "rest"
MCP = "mcp"
OK = "ok"  # the outcome of a call that was answered; others are error codes


class ToolCall(models.Model):
    """The audit log: one row for each tool call, good or failed."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(
        Workspace,
        models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="tool_calls",
        verbose_name=_("workspace"),
    )
    api_key = models.ForeignKey(
        ApiKey,
        models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="tool_calls",
        verbose_name=_("API key"),
    )
    tool = models.CharField(_("tool"), max_length=64)
    surface = models.CharField(_("surface"), max_length=8, choices=[(REST, "REST"), (MCP, "MCP")])
    client = models.CharField(_("client"), max_length=200, blank=True)
    arguments = models.JSONField(_("arguments"), default=dict)
    outcome = models.CharField(_("outcome"), max_length=32)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"))
    called_at = models.DateTimeField(_("called at"))

    class Meta:
        verbose_name = _("tool call")
        verbose_name_plural = _("tool calls")
        ordering = ["-called_at", "-id"]
        indexes = [
            models.Index(fields=["workspace", "called_at"], name="stats_call_time"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.outcome}"
