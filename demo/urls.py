"""Addresses of the local run alone; `psi.urls` includes them only there."""

from django.urls import path

from demo import views

urlpatterns = [
    path("demo/", views.demo, name="demo"),
    path("mailbox/", views.mailbox, name="mailbox"),
]
