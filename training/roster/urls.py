"""Addresses of training.roster."""

from django.urls import path

from training.roster import supporter_page, views

urlpatterns = [
    path("<slug:site>/supporters/<int:user_id>/", supporter_page.supporter, name="supporter"),
    path("<slug:site>/supporters/import/", views.roster_import, name="roster_import"),
    path("<slug:site>/supporters/export.<str:kind>", views.roster_export, name="roster_export"),
]
