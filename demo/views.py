"""Doors of the demonstration: be anyone with one press, and read the mail that went out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from demo.mail import newest
from sites.gate.permissions import public
from sites.gate.second_factor import DEMO_SESSION
from sites.tenants.models import PROVINCE_SLUG, Membership, Role, Site, User
from sites.tenants.queries import province

FIRST_SITE = "harbour"
MAILS = 200


@dataclass(frozen=True)
class Part:
    """Someone to be: the words on the button and beside it (translated by the page), whose role, where it starts."""

    code: str
    label: str
    line: str
    site: str
    role: Role
    url_name: str


PARTS = (
    Part(
        "administrator",
        gettext_noop("Program administrator"),
        gettext_noop("Runs the local program: sees each request, chooses a peer, watches the 72 hours."),
        FIRST_SITE,
        Role.ADMINISTRATOR,
        "today",
    ),
    Part(
        "lead",
        gettext_noop("Physician lead"),
        gettext_noop("Leads the local program: sees its figures and its supporters, never who asked."),
        FIRST_SITE,
        Role.LEAD,
        "figures",
    ),
    Part(
        "supporter",
        gettext_noop("Peer supporter"),
        gettext_noop("A physician who is there for colleagues: says yes or no, calls, records that they talked."),
        FIRST_SITE,
        Role.SUPPORTER,
        "my",
    ),
    Part(
        "coordinator",
        gettext_noop("Provincial coordinator"),
        gettext_noop("Finds peers for requests from outside a region, and opens new sites."),
        PROVINCE_SLUG,
        Role.ADMINISTRATOR,
        "today",
    ),
    Part(
        "advisor",
        gettext_noop("Advisor"),
        gettext_noop("Sees what the province publishes: counts of ten or more, and no names."),
        PROVINCE_SLUG,
        Role.ADVISOR,
        "figures",
    ),
)


@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def demo(request: HttpRequest) -> HttpResponse:
    """One button per role; a press signs in as that person of the first demonstration site."""
    if request.method == "POST":
        part = next((part for part in PARTS if part.code == request.POST.get("part")), None)
        user = _who_plays(part) if part else None
        if part and user:
            return _sign_in(request, part, user)
        messages.error(request, _("Nobody plays this role here: load the data with “manage.py load_demo”."))
        return redirect("demo")
    site = Site.objects.filter(slug=FIRST_SITE).first()
    return render(request, "demo/demo.html", {"parts": PARTS, "first": site})


def _who_plays(part: Part) -> User | None:
    """Return the first person who holds the part's role, or None before the data is loaded."""
    memberships = Membership.objects.filter(site__slug=part.site, role=part.role, ended_at=None, user__is_active=True)
    first = memberships.select_related("user").order_by("pk").first()
    return first.user if first else None


def _sign_in(request: HttpRequest, part: Part, user: User) -> HttpResponse:
    # Nothing of the session of one role may be left in that of the next.
    logout(request)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[DEMO_SESSION] = True
    return redirect(part.url_name, part.site)


@dataclass(frozen=True)
class Mail:
    """A message as shown."""

    subject: str
    to: str
    at: datetime | None
    text: str


@public
@require_safe
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    """Every mail the program sent, newest first."""
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    mails = [_read(path) for path in newest(Path(folder), MAILS)] if folder else []
    context = {"mails": mails, "elsewhere": folder is None, "full": len(mails) == MAILS}
    with timezone.override(province().time_zone):
        return render(request, "demo/mailbox.html", context)


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain", "html"))
    date = message["Date"]
    at = parsedate_to_datetime(str(date)) if date else None
    return Mail(
        subject=str(message["Subject"] or ""),
        to=str(message["To"] or ""),
        # Without a zone when the message says "-0000", which is UTC (RFC 5322).
        at=at.replace(tzinfo=at.tzinfo or UTC) if at else None,
        text=body.get_content().strip() if body else "",
    )
