"""Addresses of tracker.operations."""

from django.urls import include, path

from sites.tenants.models import PROVINCE_SLUG
from tracker.operations import views

# The province's own pages; all others are the same set for every site.
province = [
    path("operations/", views.operations_page, name="operations"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
]
