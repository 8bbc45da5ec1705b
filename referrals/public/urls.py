"""Addresses of referrals.public."""

from django.urls import path

from referrals.public import views

urlpatterns = [
    path("<slug:site>/", views.public_page, name="public"),
    path("<slug:site>/peers/", views.peers, name="peers"),
    path("<slug:site>/q/<str:code>/", views.access_page, name="access"),
    path("<slug:site>/request/", views.request_page, name="request"),
    path("<slug:site>/request/sent/", views.sent, name="sent"),
    path("<slug:site>/colleague/", views.colleague, name="colleague"),
]
