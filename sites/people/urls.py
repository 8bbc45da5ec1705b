"""Addresses of sites.people."""

from django.urls import path

from sites.people import views

urlpatterns = [
    path("<slug:site>/settings/people/", views.people_page, name="people"),
    path("<slug:site>/settings/people/<int:membership_id>/", views.member_page, name="member"),
]
