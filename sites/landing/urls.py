"""Addresses of sites.landing."""

from django.urls import path

from sites.landing import health, views

urlpatterns = [
    path("", views.find_site, name="find_site"),
    path("leave/", views.leave, name="leave"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("go/<str:token>/", views.go, name="go"),
    path("inside/<str:token>/", views.go_inside, name="go_inside"),
    path("start/", views.home, name="home"),
]
