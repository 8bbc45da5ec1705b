"""Addresses of tracker.survey."""

from django.urls import path

from tracker.survey import views

urlpatterns = [
    path("<slug:site>/status/survey/", views.survey_page, name="survey"),
]
