"""Addresses of matching.supporter."""

from django.urls import path

from matching.supporter import views

urlpatterns = [
    path("<slug:site>/my/", views.my, name="my"),
    path("<slug:site>/my/<ref:ref>/", views.my_match, name="my_match"),
    path("<slug:site>/my/<ref:ref>/accept/", views.accept, name="accept"),
    path("<slug:site>/my/<ref:ref>/decline/", views.decline, name="decline"),
    path("<slug:site>/my/<ref:ref>/contacted/", views.contacted, name="contacted"),
    path("<slug:site>/my/<ref:ref>/unwanted/", views.unwanted, name="unwanted"),
    path("<slug:site>/my/<ref:ref>/hand-back/", views.hand_back, name="hand_back"),
    path("<slug:site>/my/<ref:ref>/no-conversation/", views.no_conversation, name="no_conversation"),
    path("<slug:site>/my/<ref:ref>/finish/", views.finish, name="finish"),
]
