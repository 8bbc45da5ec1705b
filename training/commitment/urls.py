"""Addresses of training.commitment."""

from django.urls import include, path

from sites.tenants.models import PROVINCE_SLUG
from training.commitment import views

# The province's own pages; all others are the same set for every site.
province = [
    path("settings/agreement/", views.agreement_text, name="agreement_text"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
    path("<slug:site>/my/agreement/", views.agreement_page, name="agreement"),
    path("<slug:site>/my/commitment/", views.commitment_page, name="commitment"),
]
