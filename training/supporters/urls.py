"""Addresses of training.supporters."""

from django.urls import include, path

from sites.tenants.models import PROVINCE_SLUG
from training.supporters import departments, links, views

# The province's own pages; all others are the same set for every site.
province = [
    path("links/", links.links_page, name="links"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
    path("<slug:site>/peers/<slug:digest>.jpg", views.photo, name="photo"),
    path("<slug:site>/settings/departments/", departments.departments, name="departments"),
    path("<slug:site>/my/page/", views.my_page, name="my_page"),
    path("<slug:site>/my/about/", views.about_me, name="about_me"),
]
