"""Certificates of UBC CPD credits: issued from attendance, set as PDF, and verified by anyone with code and surname."""

import json
import secrets
from dataclasses import dataclass
from datetime import date

import typst
from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.tenants.models import Site
from training.credits import money
from training.credits.models import Certificate, CertificateCode, CertificateLine
from training.sessions.models import Enrolment
from training.supporters import surnames

TEMPLATES = settings.BASE_DIR / "templates" / "print"
# Without letters and digits that are taken for one another; the last is a check of the others.
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Verified:
    """What a third party is told: no name, for they gave it."""

    credits: str
    days: list[date]
    issued: date
    valid: bool


def issue(user_id: int, *, at: Site, by: Actor) -> Certificate:
    """Return the certificate of a person for the sessions `at` held; what it says follows attendance. A crossing.

    Raises:
        Refused: nothing with credits was attended there.
    """
    with tenancy.site_scope(at.pk):
        seats = Enrolment.objects.select_for_update(of=("self",)).filter(
            user_id=user_id, state=Enrolment.State.ATTENDED, session__kind__in=money.CREDITS
        )
        best: dict[str, Enrolment] = {}
        for seat in seats.select_related("session").order_by("session__starts_at", "pk"):
            other = best.get(seat.session.kind)
            if other is None or (seat.attended_minutes or 0) > (other.attended_minutes or 0):
                best[seat.session.kind] = seat
        lines = {
            seat.session_id: (
                seat.attended_minutes or 0,
                money.credits_of(seat.session.kind, seat.attended_minutes or 0),
            )
            for seat in best.values()
        }
        lines = {session_id: line for session_id, line in lines.items() if line[1]}
        if not lines:
            raise Refused("NO_CREDITS", _("Credits are for Foundations and Practice, once attendance is noted."))
        current = Certificate.objects.select_for_update().filter(user_id=user_id, void_at=None).first()
        if current is not None:
            certified = {row.session_id: (row.minutes, row.credits) for row in current.lines.all()}
            if certified == lines:
                return current
            void(current, by=by)
        name = next(iter(best.values())).name
        total = min(sum(credits for _minutes, credits in lines.values()), money.MOST_CREDITS)
        made = Certificate(user_id=user_id, name=name, code=new_code(), credits=total, issued_at=tenancy.now())
        made.save(force_insert=True)
        CertificateLine.objects.bulk_create(
            CertificateLine(certificate=made, session_id=session_id, minutes=minutes, credits=credits)
            for session_id, (minutes, credits) in lines.items()
        )
        CertificateCode.objects.create(code=made.code, holder=at)
        audit.record("CERTIFIED", "CERTIFICATE", made.pk, by=by)
        return made


def void(certificate: Certificate, *, by: Actor) -> None:
    """End a certificate: attendance is not what it says any more."""
    certificate.void_at = tenancy.now()
    certificate.save(update_fields=["void_at"])
    audit.record("VOIDED", "CERTIFICATE", certificate.pk, by=by)


def void_changed(user_ids: list[int], *, by: Actor) -> None:
    """End the certificates of these people whose lines are not what was attended; called when attendance is noted."""
    for certificate in Certificate.objects.select_for_update().filter(user_id__in=user_ids, void_at=None):
        for line in certificate.lines.all():
            seat = Enrolment.objects.filter(session_id=line.session_id, user_id=certificate.user_id).first()
            if seat is None or seat.state != Enrolment.State.ATTENDED or seat.attended_minutes != line.minutes:
                void(certificate, by=by)
                break


def new_code() -> str:
    """Return eleven letters by chance and one that checks them."""
    body = "".join(secrets.choice(LETTERS) for _ in range(11))
    return body + _check(body)


def read_code(text: str) -> str | None:
    """Return the code without spaces and hyphens; None when it cannot be one."""
    code = "".join(text.upper().split()).replace("-", "")
    if len(code) != 12 or not set(code) <= set(LETTERS) or _check(code[:11]) != code[11]:
        return None
    return code


def verify(text: str, surname: str) -> Verified | None:
    """Return what a certificate says, to someone who knows its code and the person's surname; None otherwise."""
    code = read_code(text)
    site_id = CertificateCode.objects.filter(code=code).values_list("holder_id", flat=True).first() if code else None
    if site_id is None:
        return None
    with tenancy.site_scope(site_id):
        certificate = Certificate.objects.filter(code=code).first()
        if certificate is None or surnames.name_words(surname).isdisjoint(surnames.surnames(certificate.name)):
            return None
        rows = CertificateLine.objects.filter(certificate=certificate).select_related("session")
        days = sorted(localtime(row.session.starts_at).date() for row in rows)
        issued = localtime(certificate.issued_at).date()
        return Verified(f"{certificate.credits:.2f}", days, issued, certificate.void_at is None)


def pdf(certificate: Certificate, site: Site) -> bytes:
    """Return the certificate as it is printed, with the fields UBC CPD asks for; inside the site's scope."""
    rows = CertificateLine.objects.filter(certificate=certificate).select_related("session")
    lines = [
        {
            "title": str(row.session.get_kind_display()),
            "day": date_format(localtime(row.session.starts_at), "j F Y"),
            "place": row.session.place,
            "minutes": row.minutes,
            "credits": f"{row.credits:.2f}",
            "session": row.session.approval or "–",
        }
        for row in rows.order_by("session__starts_at")
    ]
    code = certificate.code
    words = {
        "title": "Certificate of attendance",
        "program": "Peer Support for Physicians: training of peer supporters",
        "organization": site.name,
        "name": certificate.name,
        "credits": f"{certificate.credits:.2f}",
        "lines": lines,
        "statement": (
            "This certifies that the person named above attended the sessions listed here and may claim the credits"
            " shown for them, as approved by UBC Continuing Professional Development. Each person claims only the"
            " credits for the time they attended."
        ),
        "signatory": site.signatory or site.name,
        "issued": date_format(localtime(certificate.issued_at), "j F Y"),
        "code": f"{code[:4]} {code[4:8]} {code[8:]}",
        "verify": (settings.PSI_ORIGIN + reverse("verify")).split("://", 1)[-1].rstrip("/"),
    }
    source = TEMPLATES / "certificate.typ"
    data = json.dumps(words, sort_keys=True)
    made: bytes = typst.compile(source, root=TEMPLATES, ignore_system_fonts=True, sys_inputs={"data": data})
    return made


def _check(body: str) -> str:
    return LETTERS[sum((place + 1) * LETTERS.index(letter) for place, letter in enumerate(body)) % len(LETTERS)]
