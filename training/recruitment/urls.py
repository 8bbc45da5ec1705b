"""Addresses of training.recruitment."""

from django.urls import path

from training.recruitment import views

urlpatterns = [
    path("<slug:site>/nominate/", views.nominate, name="nominate"),
    path("<slug:site>/nominate/thanks/", views.nominated, name="nominated"),
    path("<slug:site>/supporters/recruits/<ref:recruit>/", views.recruit, name="recruit"),
    path("<slug:site>/my/interest/", views.interest, name="interest"),
]
