"""Addresses of matching.physician."""

from django.urls import path

from matching.physician import views

urlpatterns = [
    path("<slug:site>/status/", views.status, name="status"),
]
