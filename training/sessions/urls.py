"""Addresses of training.sessions."""

from django.urls import path

from training.sessions import views

urlpatterns = [
    path("my-training/", views.find_training, name="find_training"),
    path("calendar/<str:token>.ics", views.calendar_feed, name="calendar"),
    path("<slug:site>/training/", views.team_page, name="sessions"),
    path("<slug:site>/training/new/", views.new_session, name="new_session"),
    path("<slug:site>/training/<int:session_id>/change/", views.edit_session, name="edit_session"),
    path("<slug:site>/training/at/<slug:at>/<int:session_id>.ics", views.session_file, name="session_file"),
    path("<slug:site>/training/at/<slug:at>/files/<int:material_id>/", views.material, name="material"),
    path("<slug:site>/my/training/", views.my_training, name="my_training"),
]
