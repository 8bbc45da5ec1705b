"""Addresses of training.credits."""

from django.urls import include, path

from sites.tenants.models import PROVINCE_SLUG
from training.credits import views

# The province's own pages; all others are the same set for every site.
province = [
    path("settings/rates/", views.rates, name="rates"),
]
urlpatterns = [
    path("province/", include(province), {"site": PROVINCE_SLUG}),
    path("verify/", views.verify, name="verify"),
    path("<slug:site>/pay/", views.pay_page, name="pay"),
    path("<slug:site>/pay/batch-<int:number>.<slug:kind>", views.batch_file, name="batch_file"),
    path("<slug:site>/my/statement/", views.my_statement, name="my_statement"),
    path("<slug:site>/my/statement.csv", views.my_statement_file, name="my_statement_file"),
    path("<slug:site>/my/certificate/<slug:at>.pdf", views.certificate, name="certificate"),
]
