"""Forms about a site and its people."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import ModelForm, bare_helper
from sites.tenants import slugs
from sites.tenants.models import Site

ZONES = ("America/Vancouver", "America/Edmonton", "America/Dawson_Creek", "America/Fort_Nelson", "America/Creston")


class ProgramForm(ModelForm[Site]):
    """What an administrator may change about the program: what is open, and who answers for privacy.

    Under FIPPA a public body collects from the person themself (s. 27): reach-out opens there only after legal advice.
    """

    use_required_attribute = False

    advised = forms.BooleanField(
        label=_("We have taken legal advice, and may contact a physician on someone else’s word"),
        help_text=_(
            "This organization is under FIPPA. A public body may collect information about a person from somebody"
            " else only where the Act allows it. Ask your privacy officer and your lawyers first, and do a privacy"
            " impact assessment; then tick this and turn reach-out on."
        ),
        required=False,
    )

    class Meta:
        model = Site
        fields = (
            "is_open",
            "reach_in",
            "reach_out",
            "privacy_officer",
            "time_zone",
            "confirm_at_once",
            "send_next",
            "notice_days",
            "signatory",
        )
        labels = {
            "is_open": _("Requests can be sent"),
            "reach_in": _("Reach-in: physicians ask for themselves"),
            "reach_out": _("Reach-out: someone is concerned about a colleague"),
            "privacy_officer": _("Who answers questions about privacy"),
            "time_zone": _("Time zone"),
            "confirm_at_once": _("Confirm a match as soon as the peer accepts"),
            "send_next": _("Invite the next peer by itself after a no, or after no answer"),
            "notice_days": _("Notice before a peer supporter leaves, in days"),
            "signatory": _("Who signs certificates of training"),
        }
        help_texts = {
            "privacy_officer": _("Shown on your page, with how to reach them. Without it no request can be sent."),
            "confirm_at_once": _("The peer gets the contact details with their yes, and the 72 hours start."),
            "send_next": _("Only peers whom no rule speaks against. Otherwise they are prepared for you on Today."),
            "notice_days": _("Their open matches are handed on that day, and their access ends."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"), choices=[(zone, zone.split("/")[1].replace("_", " ")) for zone in ZONES]
        )
        days, few = self.fields["notice_days"], _("Enter a whole number of days, 0 to 180.")
        self.fields["notice_days"] = forms.IntegerField(
            label=days.label,
            help_text=days.help_text,
            min_value=0,
            max_value=180,
            required=False,
            error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), few),
        )
        if self.instance.law == Site.Law.FIPPA and not self.instance.reach_out:
            self.order_fields(["is_open", "reach_in", "reach_out", "advised"])
        else:
            del self.fields["advised"]
        self.helper = bare_helper(self)

    def clean_notice_days(self) -> int:
        days: int | None = self.cleaned_data["notice_days"]
        return self.instance.notice_days if days is None else days

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "advised" in self.fields and cleaned.get("reach_out") and not cleaned.get("advised"):
            self.add_error("advised", gettext("Tick this once you have taken legal advice, or leave reach-out off."))
        if cleaned.get("is_open") and not cleaned.get("privacy_officer"):
            self.add_error("privacy_officer", gettext("Name who answers for privacy before you open."))
        return cleaned


class SiteForm(ModelForm[Site]):
    """A coordinator describes a site; a new one also needs its first administrator."""

    use_required_attribute = False

    class Meta:
        model = Site
        fields = (
            "name",
            "slug",
            "kind",
            "region",
            "cohort",
            "funding",
            "law",
            "privacy_officer",
            "reach_in",
            "time_zone",
        )
        labels = {
            "name": _("Name of the organization"),
            "slug": _("Short name in the address"),
            "kind": _("Kind"),
            "region": _("Region"),
            "cohort": _("Cohort"),
            "funding": _("Funding"),
            "law": _("Privacy law"),
            "privacy_officer": _("Privacy officer"),
            "reach_in": _("Reach-in is on"),
        }
        error_messages = {
            "name": {"required": _("Enter the name of the organization.")},
            "slug": {
                "required": _("Enter a short name, such as north-shore."),
                "unique": _("Another site has this short name already."),
                "invalid": _("Use small letters, digits and hyphens, such as north-shore."),
            },
            "cohort": {
                "required": _("Enter the number of the cohort."),
                "invalid": _("Enter a whole number."),
                "min_value": _("Enter a whole number, 0 or more."),
                "max_value": _("Enter the number of the cohort."),
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(value, label) for value, label in Site.Kind.choices if value != Site.Kind.PROVINCE]
        # One that says none has none: its small numbers stand with those of other regions.
        self.fields["region"] = forms.TypedChoiceField(
            label=_("Region"), choices=Site.Region.choices, required=False, empty_value=Site.Region.NONE
        )
        self.fields["kind"] = forms.ChoiceField(label=_("Kind"), choices=kinds)
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"), choices=[(zone, zone.split("/")[1].replace("_", " ")) for zone in ZONES]
        )
        self.helper = bare_helper(self)
        if self.instance.pk:
            # The address stands on posters; it does not change.
            del self.fields["slug"]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        slugs.validate(slug)
        return slug

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise ValidationError(gettext("Choose a time zone from the list."))
        return ZoneInfo(zone).key


class NewSiteForm(SiteForm):
    """A new site with its first administrator."""

    first_name = forms.CharField(
        label=_("First administrator: name"),
        max_length=80,
        error_messages={"required": _("Enter the name of the first administrator.")},
    )
    first_email = forms.EmailField(
        label=_("First administrator: email"),
        error_messages={
            "required": _("Enter an email address for the invitation."),
            "invalid": _("Enter an email address such as name@example.ca."),
        },
    )
