"""The addresses of every room; each view carries its access level (sites.gate.permissions)."""

from django.conf import settings
from django.urls import include, path, register_converter

from sites.engine import converters
from tracker.figures.converters import Quarter

handler400 = "sites.landing.errors.unreadable"
handler500 = "sites.landing.errors.trouble"

register_converter(converters.Ref, "ref")
register_converter(converters.Rest, "rest")
register_converter(Quarter, "quarter")

# The first that fits counts: one segment before a site's public page, reports before the files of releases.
urlpatterns = [
    path("", include("sites.landing.urls")),
    path("accounts/", include("sites.accounts.urls")),
    path("", include("sites.consumers.urls")),
    path("", include("sites.cover.urls")),
    path("", include("sites.crisis_lines.urls")),
    path("", include("sites.people.urls")),
    path("", include("sites.program.urls")),
    path("", include("training.attendance.urls")),
    path("", include("training.commitment.urls")),
    path("", include("training.credits.urls")),
    path("", include("training.recruitment.urls")),
    path("", include("training.roster.urls")),
    path("", include("training.sessions.urls")),
    path("", include("training.supporters.urls")),
    path("", include("referrals.by_hand.urls")),
    path("", include("referrals.promotion.urls")),
    path("", include("referrals.public.urls")),
    path("", include("referrals.reach_out.urls")),
    path("", include("referrals.wording_editor.urls")),
    path("", include("matching.physician.urls")),
    path("", include("matching.requests.urls")),
    path("", include("matching.supporter.urls")),
    path("", include("tracker.conversations.urls")),
    path("", include("tracker.figures.urls")),
    path("", include("tracker.operations.urls")),
    path("", include("tracker.reports.urls")),
    path("", include("tracker.releases.urls")),
    path("", include("tracker.survey.urls")),
]

if settings.PSI_LOCAL:
    urlpatterns.insert(0, path("", include("demo.urls")))
