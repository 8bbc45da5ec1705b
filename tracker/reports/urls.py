"""Addresses of tracker.reports."""

from django.urls import include, path

from sites.tenants.models import PROVINCE_SLUG
from tracker.reports import views

# The province's own pages; all others are the same set for every site.
province = [
    path("figures/<quarter:quarter>/report.pdf", views.release_report, name="release_report"),
    path("figures/evaluation/<str:year>.pdf", views.evaluation_report, name="evaluation"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
    path("<slug:site>/figures/report/<str:year>.pdf", views.site_report, name="site_report"),
]
