"""The list of departments of a site."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sites.engine.forms import ModelForm, status_of
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role
from training.supporters import transitions
from training.supporters.models import Department


class DepartmentForm(ModelForm[Department]):
    """A place where physicians are evaluated."""

    use_required_attribute = False

    class Meta:
        model = Department
        fields = ("name",)
        labels = {"name": _("Name of the department")}
        error_messages = {"name": {"required": _("Enter the name of a department.")}}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Department.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(gettext("This department is on the list already."))
        return name


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def departments(request: SiteRequest) -> HttpResponse:
    """The site's list of departments, offered on its form and on each supporter's line."""
    form = DepartmentForm(saved_form.data_for(request))
    if request.method == "POST" and form.is_valid():
        transitions.add_department(form.cleaned_data["name"], by=request.actor)
        messages.success(request, gettext("Added."))
        return redirect("departments", request.site.slug)
    context = {"form": form, "departments": Department.objects.all()}
    return render(request, "training/departments.html", context, status=status_of(request, form))
