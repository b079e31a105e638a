"""The addresses of a host that uses the admin and leaves all other surfaces out."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
