"""Addresses of matching.requests."""

from django.urls import path

from matching.requests import choosing, hand_over, offers, views

urlpatterns = [
    path("<slug:site>/requests/", views.requests_list, name="requests"),
    path("<slug:site>/requests/caller/", views.caller, name="caller"),
    path("<slug:site>/requests/<ref:ref>/", views.request_detail, name="request_detail"),
    path("<slug:site>/requests/<ref:ref>/choose/", choosing.choose, name="choose"),
    path("<slug:site>/requests/<ref:ref>/next/<int:user_id>/", choosing.invite_next, name="invite_next"),
    path("<slug:site>/requests/<ref:ref>/confirm/", views.confirm, name="confirm"),
    path("<slug:site>/requests/<ref:ref>/revoke/", views.revoke, name="revoke"),
    path("<slug:site>/requests/<ref:ref>/reassign/", views.reassign, name="reassign"),
    path("<slug:site>/requests/<ref:ref>/hand-over/", hand_over.hand_over, name="hand_over"),
    path("<slug:site>/requests/<ref:ref>/close/", views.close, name="close"),
    path("<slug:site>/requests/<ref:ref>/spam/", views.spam, name="spam"),
    path("<slug:site>/requests/<ref:ref>/not-spam/", views.not_spam, name="not_spam"),
    path("<slug:site>/requests/<ref:ref>/answer/", offers.answer, name="offer_answer"),
    path("<slug:site>/supporters/", views.supporters, name="supporters"),
]
