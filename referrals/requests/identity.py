"""Who a request is about: what goes into the vault, who may open it, and until when."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from psi import tenancy, vault
from referrals.requests.evaluators import evaluators
from referrals.requests.models import Referral
from sites.engine import audit
from sites.engine.audit import Actor
from training.supporters import surnames as names
from training.supporters.models import Evaluates, PeerSupporter

# After a request was closed (docs/rules.md#sealing-and-erasure).
SEALED_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class Identity:
    """What goes into the vault, and only there.

    Every field but the name has a default: records sealed before a field was there still open.

    Attributes:
        best_time: in records sealed before `ways` and `times` were asked.
        avoid: ids of supporters of this site not to be matched with.
        avoid_names: others, as typed.
        language: of the form.
        talk_in: code of the language to talk in, if one was chosen.
        specialty: code of the physician's own.
    """

    name: str
    phone: str = ""
    email: str = ""
    best_time: str = ""
    wishes: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()
    avoid: tuple[int, ...] = ()
    avoid_names: str = ""
    language: str = "en"
    # Wants one short mail when a peer was found.
    notice: bool = False
    ways: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    voicemail: str = ""
    talk_in: str = ""
    specialty: str = ""
    # What whoever notified the program said their own name was.
    notifier: str = ""


def is_sealed(referral: Referral) -> bool:
    """Return whether nobody opens any more who this was about."""
    if referral.sealed is None or referral.state in (Referral.State.WITHDRAWN, Referral.State.HANDED_OVER):
        return True
    return referral.closed_at is not None and tenancy.now() - referral.closed_at > SEALED_AFTER


def open_identity(referral: Referral, *, by: Actor, purpose: str) -> Identity:
    """Open who a referral is about. The opening is recorded with its purpose.

    Raises:
        vault.Sealed: the identity was erased, or sealed: at once when the request was withdrawn or handed over,
            thirty days after it was closed.
    """
    if is_sealed(referral):
        raise vault.Sealed("The identity was erased or is sealed.")
    audit.record("READ_IDENT", Referral.KIND, referral.pk, by=by, purpose=purpose)
    return open_for_rules(referral)


def open_for_rules(referral: Referral) -> Identity:
    """Open the sealed record for the matching rules alone: nobody is shown it.

    Raises:
        vault.Sealed: the identity was erased.
    """
    if referral.sealed is None:
        raise vault.Sealed("The identity was erased.")
    record = vault.open_sealed(Referral.KIND, referral.pk, referral.sealed)
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
    return Identity(**fields)


def for_other_site(identity: Identity, also_avoid: Iterable[int] = ()) -> Identity:
    """Return the identity as another site's rules can read it: whom not to ask, by surname, for ids end at the wall.

    These are the supporters the physician excluded and those who evaluate the physician.

    Args:
        also_avoid: ids of further supporters not to ask.
    """
    ids = {*identity.avoid, *also_avoid, *evaluators(identity.name, identity.email)}
    if identity.departments:
        evaluates = Evaluates.objects.filter(department_id__in=identity.departments)
        ids.update(evaluates.values_list("supporter_id", flat=True))
    rows = PeerSupporter.objects.filter(pk__in=ids).order_by("pk") if ids else PeerSupporter.objects.none()
    surnames = [" ".join(sorted(names.surnames(name))) for name in rows.values_list("profile__name", flat=True)]
    avoid_names = "; ".join(filter(None, [identity.avoid_names, *surnames]))
    return replace(identity, departments=(), avoid=(), avoid_names=avoid_names)
