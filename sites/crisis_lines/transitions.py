"""Moves on numbers for someone who needs help now: the province's, and a site's own."""

from django.utils.timezone import localdate

from psi import tenancy
from sites.crisis_lines.checks import KIND
from sites.engine import audit
from sites.engine.audit import Actor
from sites.reference.models import CrisisLine, LocalCrisisLine

LOCAL_KIND = "LOCAL_LINE"
# What a change of a provincial number may write.
FIELDS = ("number", "tel", "sms", "label", "note", "label_fr", "note_fr", "verified_on")


def add_local(line: LocalCrisisLine, *, by: Actor) -> None:
    """Add a number to the current site's own. Whoever adds it has called it today."""
    line.verified_on = localdate(tenancy.now())
    line.save(force_insert=True)
    audit.record("LOCAL_LINE", "SITE", line.site_id, by=by)


def remove_local(number: str, *, by: Actor) -> None:
    """Remove a number from the current site's own; nothing happens when it is not there any more."""
    line = LocalCrisisLine.objects.filter(number=number).first()
    if line is not None:
        line.delete()
        audit.record("LOCAL_LINE", "SITE", line.site_id, by=by)


def change(line: CrisisLine, *, by: Actor) -> None:
    """Write what was changed on a provincial number, and on its words."""
    line.save(update_fields=FIELDS)
    audit.record("CRISIS_SET", KIND, line.pk, by=by)


def confirm(line: CrisisLine | LocalCrisisLine, *, by: Actor) -> None:
    """Note that a number was called today and is right (docs/rules.md#crisis-numbers)."""
    locked = type(line)._default_manager.select_for_update().get(pk=line.pk)
    locked.verified_on = localdate(tenancy.now())
    locked.save(update_fields=["verified_on"])
    audit.record("CRISIS_OK", KIND if isinstance(locked, CrisisLine) else LOCAL_KIND, locked.pk, by=by)
