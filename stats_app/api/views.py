"""The viewsets. Each action reads the request, calls one function and answers with its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import CharField, F, QuerySet, Value
from rest_framework.decorators import action
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from stats_app import person_figures, public_ids
from stats_app.api.filters import CampaignFilter, ClickFilter, LinkFilter, UserFilter
from stats_app.api.pagination import KeyedPages, NumberedPages
from stats_app.api.parsers import (
    CAMPAIGNS,
    CLICKS,
    LINKS,
    USERS,
    NewCampaigns,
    NewClick,
    NewClicks,
    NewLink,
    NewLinks,
    NewUsers,
    click_of,
    link_of,
)
from stats_app.api.schema import Operation, tool_operation
from stats_app.api.serializers import (
    CampaignsAnswer,
    CampaignSerializer,
    ClickSerializer,
    IngestAnswer,
    LinksAnswer,
    LinkSerializer,
    UsersAnswer,
    UserSerializer,
)
from stats_app.api.viewsets import ListMixin, ObjectViewSet, StatsViewSet
from stats_app.directory import DirectoryResult, NewCampaign, NewUser, save_campaigns, save_users
from stats_app.ingest import record_clicks
from stats_app.links import create_links
from stats_app.models import Campaign, Click, TrackedLink, WorkspaceUser
from stats_app.models.api_keys import (
    CLICKS_READ,
    CLICKS_WRITE,
    DIRECTORY_WRITE,
    LINKS_READ,
    LINKS_WRITE,
    STATS_READ,
)


class WorkspaceViewSet(StatsViewSet):
    """The workspace of the API key."""

    operations = {"overview": tool_operation("stats_get_workspace_overview", codes=("workspace_mismatch",))}

    @action(detail=False)
    def overview(self, request: Request) -> Response:
        return self.call_tool("stats_get_workspace_overview", request)


class DirectoryViewSet(ListMixin, RetrieveModelMixin, ObjectViewSet):
    """Rows that can be listed, and created or changed by `save`."""

    save: ClassVar[Callable[..., DirectoryResult]]

    def create(self, request: Request) -> Response:
        items = self.new_items(request, dict)
        result = type(self).save(self.caller.workspace, items, now=self.now)
        return Response(
            {
                "created": result.created,
                "updated": result.updated,
                "unchanged": result.unchanged,
                "rejected": [self.batch.as_sent(wrong, items) for wrong in result.rejected],
                "results": [{"index": saved.index, "publicId": saved.public_id} for saved in result.results],
            }
        )


class CampaignViewSet(DirectoryViewSet):
    """The campaigns of the workspace."""

    operations = {
        "list": Operation(
            "campaign_list",
            "Campaigns",
            "The campaigns of the workspace",
            "All of them, newest first, a page at a time. Filters are combined.",
            STATS_READ,
            "lists",
        ),
        "retrieve": Operation(
            "campaign_get",
            "Campaigns",
            "One campaign",
            "What it is and how many users carry it now. Its clicks are in its performance.",
            STATS_READ,
            "lists",
        ),
        "create": Operation(
            "campaign_save",
            "Campaigns",
            "Save campaigns",
            f"One campaign, or up to {CAMPAIGNS.limit:,} at once, in at most 5 MiB. A campaign is found by "
            "publicId, else by externalId; otherwise it is created. A field that is left out does not change. A wrong "
            "campaign is reported by its position, and the valid ones around it are saved. Sending the same again "
            "changes nothing.",
            DIRECTORY_WRITE,
            "directory",
            answer=CampaignsAnswer,
            body=(NewCampaign, NewCampaigns),
        ),
        "performance": tool_operation("stats_get_campaign_performance"),
    }
    batch = CAMPAIGNS
    save = save_campaigns
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilter
    pagination_class = NumberedPages
    lookup_url_kwarg = "campaignPublicId"
    id_prefix = public_ids.CAMPAIGN

    def get_queryset(self) -> QuerySet[Campaign]:
        campaigns: QuerySet[Campaign] = Campaign.objects.filter(workspace=self.caller.workspace.pk).with_user_count()
        return campaigns.order_by("-created_at", "-pk")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "today": self.caller.workspace.today(self.now)}

    @action(detail=True)
    def performance(self, request: Request, campaignPublicId: str) -> Response:  # the name in the path
        return self.call_tool("stats_get_campaign_performance", request, campaignPublicId=campaignPublicId)


class UserViewSet(DirectoryViewSet):
    """The users of the workspace."""

    operations = {
        "list": Operation(
            "user_list",
            "Users",
            "The users of the workspace",
            "All of them, newest first, a page at a time. Filters are combined.",
            STATS_READ,
            "lists",
        ),
        "retrieve": Operation(
            "user_get",
            "Users",
            "One user",
            "Who it is and how many aliases are attached now. The user's clicks are in the metrics.",
            STATS_READ,
            "lists",
        ),
        "create": Operation(
            "user_save",
            "Users",
            "Save users",
            f"One user, or up to {USERS.limit:,} at once, in at most 5 MiB. A user is found by publicId, else by "
            "externalId, else by email; otherwise it is created. A field that is left out does not change. Two users "
            "of a list may swap their e-mails. A wrong user is reported by its position, and the valid ones around it "
            "are saved. Sending the same again changes nothing, and users who are left out are not deleted.",
            DIRECTORY_WRITE,
            "directory",
            answer=UsersAnswer,
            body=(NewUser, NewUsers),
        ),
        "metrics": tool_operation("stats_get_user_metrics", codes=("person_figures_off",)),
    }
    batch = USERS
    save = save_users
    serializer_class = UserSerializer
    filterset_class = UserFilter
    pagination_class = NumberedPages
    lookup_url_kwarg = "userPublicId"
    id_prefix = public_ids.USER

    def get_queryset(self) -> QuerySet[WorkspaceUser]:
        users: QuerySet[WorkspaceUser] = WorkspaceUser.objects.filter(
            workspace=self.caller.workspace.pk
        ).with_alias_count()
        return users.order_by("-created_at", "-pk")

    @action(detail=True)
    def metrics(self, request: Request, userPublicId: str) -> Response:
        return self.call_tool("stats_get_user_metrics", request, userPublicId=userPublicId)


class ClickViewSet(ListMixin, StatsViewSet):
    """The clicks of the workspace: lists them, and records new ones."""

    operations = {
        "list": Operation(
            "click_list",
            "Clicks",
            "Single clicks",
            "Newest first, with any verdict, a page at a time. Follow next until it is null: each click is on exactly "
            "one page, even while new ones come in. Clicks whose days have been pruned are not listed; their counts "
            "stay.",
            CLICKS_READ,
            "lists",
            codes=("person_figures_off",),
        ),
        "create": Operation(
            "click_ingest",
            "Clicks",
            "Send clicks",
            "One click, or up to 10,000 at once, in at most 5 MiB. A wrong click is reported by its position, and the "
            "valid ones around it are stored. A single wrong click is a 200 with one rejection, too. Only a body that "
            "is neither a click nor a list of clicks is a 400. With an id on each click, sending the same again after "
            "a failure counts nothing twice. Clicks for paused campaigns and inactive users count.",
            CLICKS_WRITE,
            "ingest",
            answer=IngestAnswer,
            body=(NewClick, NewClicks),
        ),
    }
    serializer_class = ClickSerializer
    filterset_class = ClickFilter
    pagination_class = KeyedPages
    batch = CLICKS

    def get_queryset(self) -> QuerySet[Click]:
        # Users are shown only if everybody's figures are, because single clicks can be added up to a person's figures.
        user = F("user__public_id") if person_figures.are_all_shown() else Value(None, CharField())
        clicks = Click.objects.filter(workspace=self.caller.workspace.pk)
        return clicks.annotate(campaign_public_id=F("campaign__public_id"), user_public_id=user).defer("visitor")

    def create(self, request: Request) -> Response:
        items = self.new_items(request, click_of)
        result = record_clicks(self.caller.workspace, items, now=self.now)
        rejected = [self.batch.as_sent(wrong, items) for wrong in result.rejected]
        return Response({"accepted": result.accepted, "duplicates": result.duplicates, "rejected": rejected})


class LinkViewSet(ListMixin, StatsViewSet):
    """The tracked links of the workspace: lists them, and makes new ones."""

    operations = {
        "list": Operation(
            "link_list",
            "Links",
            "Tracked links",
            "All of them, newest first, a page at a time, including those that are switched off. Filters are combined: "
            "with userPublicId the list has what one person's signature needs.",
            LINKS_READ,
            "lists",
        ),
        "create": Operation(
            "link_create",
            "Links",
            "Make tracked links",
            "One link, or up to 1,000 at once, in at most 5 MiB. The same arguments give the same link, however often "
            "they are sent. A wrong link is reported by its position, and the valid ones around it are made. A single "
            "wrong link is a 200 with one rejection, too. Only a body that is neither a link nor a list of links is a "
            "400.",
            LINKS_WRITE,
            "lists",
            answer=LinksAnswer,
            body=(NewLink, NewLinks),
        ),
    }
    serializer_class = LinkSerializer
    filterset_class = LinkFilter
    pagination_class = NumberedPages
    batch = LINKS

    def get_queryset(self) -> QuerySet[TrackedLink]:
        links = TrackedLink.objects.filter(workspace=self.caller.workspace.pk)
        return links.select_related("campaign", "user", "alias").order_by("-pk")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "absolute": self.request.build_absolute_uri}

    def create(self, request: Request) -> Response:
        items = self.new_items(request, link_of)
        result = create_links(self.caller.workspace, items, now=self.now)
        made = self.get_serializer([link for link in result.links if link is not None], many=True).data
        positions = [index for index, link in enumerate(result.links) if link is not None]
        return Response(
            {
                "created": result.created,
                "unchanged": result.unchanged,
                "rejected": [self.batch.as_sent(wrong, items) for wrong in result.rejected],
                "results": [{"index": index, **link} for index, link in zip(positions, made, strict=True)],
            }
        )
