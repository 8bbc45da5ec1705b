"""Addresses of tracker.figures."""

from django.urls import path

from tracker.figures import views

urlpatterns = [
    path("<slug:site>/figures/<slug:panel>.<str:kind>", views.download, name="figure_file"),
]
