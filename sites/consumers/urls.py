"""Addresses of sites.consumers."""

from django.urls import include, path

from sites.consumers import views
from sites.tenants.models import PROVINCE_SLUG

# The province's own pages; all others are the same set for every site.
province = [
    path("consumers/", views.consumers_page, name="consumers"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
]
