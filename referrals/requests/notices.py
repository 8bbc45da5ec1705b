"""Mail about referrals."""

from psi import vault
from referrals.requests.identity import Identity, is_sealed, open_for_rules
from referrals.requests.models import Referral
from sites.engine import outbox
from sites.tenants.models import Site


def register() -> None:
    """Tell the outbox and the locators."""
    outbox.register("REQUEST", outbox.MailKind("request", Referral.KIND, _still_open))
    outbox.register_link(Referral.KIND, _request_path)


def address_of(referral_id: int) -> str:
    """Return the address of who a request is about, for mail on its way; empty when it is gone, sealed or not given."""
    referral = Referral.objects.filter(pk=referral_id).first()
    identity = _identity(referral) if referral else None
    return identity.email if identity else ""


def wants_notice(referral: Referral) -> bool:
    """Return whether the physician asked for one short mail when a peer was found."""
    identity = _identity(referral)
    return identity is not None and identity.notice and bool(identity.email)


def _identity(referral: Referral) -> Identity | None:
    if is_sealed(referral):
        return None
    try:
        return open_for_rules(referral)
    except vault.Sealed:
        return None


def _still_open(ids: list[int]) -> set[int]:
    return set(Referral.objects.filter(pk__in=ids, state=Referral.State.OPEN).values_list("pk", flat=True))


def _request_path(referral_id: int) -> str | None:
    row = Referral.objects.filter(pk=referral_id).values_list("site_id", "ref").first()
    if row is None:
        return None
    slug = Site.objects.values_list("slug", flat=True).get(pk=row[0])
    return f"/{slug}/requests/{row[1]}/"
