"""Addresses of sites.program."""

from django.urls import include, path

from sites.program import province_sites, views
from sites.tenants.models import PROVINCE_SLUG

# The province's own pages; all others are the same set for every site.
province = [
    path("sites/", province_sites.province_sites, name="province_sites"),
    path("sites/<slug:slug>/", province_sites.province_site, name="province_site"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
    path("<slug:site>/today/", views.today_page, name="today"),
    path("<slug:site>/settings/", views.settings_page, name="settings"),
    path("<slug:site>/settings/audit/", views.audit_page, name="audit"),
]
