"""Addresses of tracker.releases."""

from django.urls import include, path

from sites.tenants.models import PROVINCE_SLUG
from tracker.releases import api, views

# The province's own pages; all others are the same set for every site.
province = [
    path("figures/releases/", views.releases_page, name="releases"),
    path("figures/releases/<int:release_id>/", views.release_page, name="release"),
    path("published/", views.public_list, name="published"),
    path("published/methods/", views.methods, name="methods"),
    path("published/<quarter:quarter>/", views.public_page, name="published_one"),
    path("published/<quarter:quarter>/<slug:table>.csv", views.public_table_csv, name="published_sheet"),
    path("figures/<quarter:quarter>/tables.xlsx", views.workbook, name="release_book"),
    path("figures/<quarter:quarter>/<slug:table>.csv", views.table_csv, name="release_sheet"),
    path("figures/<quarter:quarter>/<slug:table>.<str:kind>", views.table_picture, name="release_picture"),
    path("figures/all/<slug:table>.<str:kind>", views.table_over_time, name="province_file"),
]
# For other programs
releases = [
    path("", api.releases, name="api_releases"),
    path("<quarter:quarter>/", api.release, name="api_release"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
    path("api/v1/openapi.json", api.description, name="api_description"),
    path("api/v1/releases/", include(releases), {"site": PROVINCE_SLUG}),
    path("api/v1/<rest:rest>", api.not_found, name="api_nowhere"),
    path("<slug:site>/figures/", views.figures_page, name="figures"),
]
