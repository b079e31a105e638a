"""Addresses of the example project: its home page, the admin, and everything of `stats_app`."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import TemplateView

admin.site.site_title = admin.site.site_header = "Stats Tools"


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """For pages that name no icon, such as the admin's, browsers ask at this address."""
    return HttpResponseRedirect(static("project/icon.svg"))


# 503 in place of 500 while the database cannot be reached, also on the index and login of the admin.
handler500 = "stats_app.dashboard.error_pages.server_error"

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("favicon.ico", favicon),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("stats_app.urls")),
]
