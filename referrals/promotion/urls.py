"""Addresses of referrals.promotion."""

from django.urls import path

from referrals.promotion import views

urlpatterns = [
    path("<slug:site>/settings/codes/", views.codes, name="codes"),
    path("<slug:site>/settings/codes/<ref:code>/", views.code_page, name="code"),
    path("<slug:site>/settings/codes/<ref:code>/qr.<str:kind>", views.picture, name="code_picture"),
    path("<slug:site>/settings/codes/<ref:code>/<slug:paper>.pdf", views.printed, name="code_pdf"),
]
