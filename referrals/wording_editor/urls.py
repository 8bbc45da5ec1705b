"""Addresses of referrals.wording_editor."""

from django.urls import path

from referrals.wording_editor import views

urlpatterns = [
    path("<slug:site>/settings/wording/", views.wording_page, name="wording"),
    path("<slug:site>/settings/wording/preview/", views.wording_preview, name="wording_preview"),
    path("<slug:site>/settings/wording/<slug:spoken>/", views.wording_text, name="wording_text"),
]
