"""Addresses of sites.cover."""

from django.urls import path

from sites.cover import views

urlpatterns = [
    path("<slug:site>/settings/cover/", views.cover_page, name="cover"),
]
