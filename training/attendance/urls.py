"""Addresses of training.attendance."""

from django.urls import path

from training.attendance import views

urlpatterns = [
    path("<slug:site>/training/<int:session_id>/", views.session_page, name="session"),
]
