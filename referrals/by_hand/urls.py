"""Addresses of referrals.by_hand."""

from django.urls import path

from referrals.by_hand import views

urlpatterns = [
    path("<slug:site>/requests/new/", views.by_hand, name="by_hand"),
]
