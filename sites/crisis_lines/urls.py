"""Addresses of sites.crisis_lines."""

from django.urls import include, path

from sites.crisis_lines import views
from sites.tenants.models import PROVINCE_SLUG

# The province's own pages; all others are the same set for every site.
province = [
    path("settings/crisis/", views.numbers_page, name="crisis_numbers"),
    path("settings/crisis/<ref:line>/", views.number_page, name="crisis_number"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
    path("<slug:site>/settings/numbers/", views.local_page, name="local_numbers"),
]
