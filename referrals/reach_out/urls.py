"""Addresses of referrals.reach_out."""

from django.urls import path

from referrals.reach_out import views

urlpatterns = [
    path("offer/<str:token>/", views.offer, name="offer"),
    path("<slug:site>/colleague/tell/", views.tell, name="tell"),
    path("<slug:site>/colleague/thanks/", views.thanks, name="thanks"),
    path("<slug:site>/welcome/", views.welcome, name="welcome"),
]
