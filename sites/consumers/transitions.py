"""Issuing and ending an organization's token."""

import secrets

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.gate.models import Consumer
from sites.gate.tokens import PREFIX, digest


def issue(name: str, *, by: Actor) -> str:
    """Return a new token for an organization, in the province's scope. It can never be read again.

    Raises:
        Refused: the organization has one already.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    consumer = Consumer(name=name, digest=digest(token), created_at=tenancy.now())
    try:
        with transaction.atomic():
            consumer.save(force_insert=True)
    except IntegrityError as taken:
        raise Refused(
            "TOKEN_ISSUED", _("This organization has a token. If it is lost, end it and issue a new one.")
        ) from taken
    audit.record("ISSUED", Consumer.KIND, consumer.pk, by=by)
    return token


def end(consumer_id: int, *, by: Actor) -> None:
    """Let a token open nothing from now on. Ending it again changes nothing.

    Raises:
        Consumer.DoesNotExist: there is none.
    """
    consumer = Consumer.objects.select_for_update().get(pk=consumer_id)
    if consumer.ended_at is None:
        consumer.ended_at = tenancy.now()
        consumer.save(update_fields=["ended_at"])
        audit.record("ENDED", Consumer.KIND, consumer.pk, by=by)
