"""Addresses of tracker.conversations."""

from django.urls import include, path

from sites.tenants.models import PROVINCE_SLUG
from tracker.conversations import views

# The province's own pages; all others are the same set for every site.
province = [
    path("debriefs/", views.debriefs_page, name="debriefs"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
    path("<slug:site>/remarks/", views.remarks_page, name="remarks"),
    path("<slug:site>/my/safety/", views.safety, name="safety"),
    path("<slug:site>/my/informal/", views.informal_page, name="informal"),
    path("<slug:site>/my/remark/", views.remark_page, name="remark"),
    path("<slug:site>/my/<ref:ref>/conversation/", views.conversation, name="conversation"),
]
