"""The audit trail in words, for administrators."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sites.engine.models import AuditEntry
from sites.tenants import queries
from sites.tenants.models import Role

# Action, where it matters with the kind of the object → what happened. A code without words is shown as it is.
WORDS: dict[str | tuple[str, str], Promise] = {
    "RECEIVED": _("A request was received"),
    ("CONFIRMED", "REFERRAL"): _("The request is matched"),
    "CLOSED": _("Closed the request"),
    "SPAM": _("Marked the request as spam"),
    "NOT_SPAM": _("Took the mark of spam off the request"),
    "READ_IDENT": _("Opened who asked"),
    "CALLER": _("Looked for the request of someone who called"),
    "ERASED": _("Erased who asked"),
    "UNHEARD": _("The physician said that nobody has been in touch"),
    "ALERTED": _("Told the province that nobody has been in touch"),
    "WITHDRAWN": _("The physician withdrew the request"),
    "HANDED_OVER": _("Handed the request over to the province"),
    "OFFERED": _("Someone told of a physician; an offer goes out"),
    "AGREED": _("The physician said yes to the offer"),
    "NOT_REACHED": _("Called with the offer, and reached nobody"),
    "TAKEN_OVER": _("A request was handed over by a site"),
    "INVITED": _("Invited a supporter"),
    "ANSWERED": _("Answered the invitation"),
    "CONFIRMED": _("Confirmed the match"),
    "CONTACTED": _("Made contact"),
    "ARRANGED": _("Arranged a debrief"),
    "PREPARED": _("Asked for a release of figures"),
    "CHECKED": _("A release of figures passed the check"),
    "REFUSED": _("A release of figures did not pass the check"),
    "PUBLISHED": _("Published a release of figures"),
    "DROPPED": _("Set a release of figures aside"),
    ("SHOWN", "RELEASE"): _("Showed a release of figures to everybody"),
    ("UNSHOWN", "RELEASE"): _("Stopped showing a release of figures to everybody"),
    "COMPLETED": _("Finished the match"),
    "EXPIRED": _("The invitation ended without an answer"),
    ("REVOKED", "MATCH"): _("Took the invitation of a supporter back"),
    ("REASSIGNED", "REFERRAL"): _("The request needs another peer"),
    "REASSIGNED": _("Looked for another peer"),
    "NUDGE": _("Sent a reminder"),
    "MISSED": _("72 hours passed without contact"),
    "INVITE": _("Invited someone to a role"),
    "REVOKE": _("Took an invitation to a role back"),
    "JOIN": _("Accepted an invitation to a role"),
    "ADD_ROLE": _("Added a role"),
    "CHANGE_ROLE": _("Changed a role"),
    "END_ROLE": _("Ended a role"),
    "ROSTER": _("Changed a line of the roster"),
    "NOMINATED": _("Nominated a peer supporter"),
    ("INVITED", "RECRUIT"): _("Someone on the way to be a peer supporter is invited"),
    "INTERESTED": _("Sent the interest form"),
    "ONE_YES": _("Reviewed an interest form, the first of two"),
    "REVIEWED": _("Reviewed an interest form; both have said yes"),
    ("TRAINING", "RECRUIT"): _("Someone on the way waits for training"),
    ("AGREEING", "RECRUIT"): _("Someone on the way is trained"),
    ("ACTIVE", "RECRUIT"): _("A new peer supporter is active"),
    ("STOPPED", "RECRUIT"): _("Somebody’s way to be a peer supporter was stopped"),
    "IMPORTED": _("Imported a roster"),
    ("EXPORTED", "ROSTER"): _("Exported the roster"),
    ("EXPORTED", "FIGURES"): _("Downloaded a picture or table of the site’s figures"),
    ("EXPORTED", "REPORT"): _("Downloaded the site’s report for the funder"),
    "BIO": _("Changed what is said of them on the public page"),
    "PHOTO": _("Put up a photo for the public page"),
    "PHOTO_GONE": _("Deleted the photo for the public page"),
    "SHOWN": _("Agreed to be shown on the public page"),
    "UNSHOWN": _("Taken off the public page"),
    "WORDING": _("Published the wording of the public page"),
    "WORDING_BACK": _("Brought back an earlier wording of the public page"),
    "DEPARTMENT": _("Added a department"),
    "CODE_MADE": _("Made a code for posters and texts"),
    "SETTINGS": _("Changed the program’s settings"),
    "LOCAL_LINE": _("Changed the site’s own crisis numbers"),
    "CRISIS_OK": _("Called a crisis number: it is right"),
    "CRISIS_SET": _("Changed a crisis number"),
    "OPEN_SITE": _("Set up a site"),
    "EDIT_SITE": _("Changed a site"),
    "SIGNED": _("Signed the agreement"),
    "REWORDED": _("Published a new wording of the agreement"),
    "PLEDGED": _("Set how many matches they take"),
    "PAUSED": _("Takes a break from new matches"),
    "RESUMED": _("Ended the break"),
    "NOTICE": _("Gave notice as a supporter"),
    "STAYS": _("Took the notice back"),
    "LEFT": _("Left as a supporter; open matches were handed on"),
    "LENT": _("Offered to help outside the site"),
    "BORROWED": _("A supporter of another site helps here"),
    "TAKEN_BACK": _("Ended the help outside the site"),
    ("SUBMITTED", "CLAIM"): _("Claimed sessional pay"),
    ("APPROVED", "CLAIM"): _("Approved a claim"),
    ("REFUSED", "CLAIM"): _("Refused a claim"),
    ("WITHDRAWN", "CLAIM"): _("Withdrew a claim"),
    ("BATCHED", "CLAIM"): _("Put a claim into a payment batch"),
    "BATCH": _("Made a payment batch"),
    ("EXPORT", "BATCH"): _("Downloaded a payment batch"),
    "RATE": _("Set a rate"),
    "CERTIFIED": _("Issued a certificate"),
    "VOIDED": _("A certificate became void"),
    "SCHEDULED": _("Planned a session"),
    ("CHANGED", "SESSION"): _("Changed a session"),
    "CALLED_OFF": _("Cancelled a session"),
    "FILE": _("Added a file to a session"),
    "FILE_GONE": _("Removed a file from a session"),
    "ENROLLED": _("Someone has a place in a session"),
    "WAITING": _("Someone waits for a place in a session"),
    ("CANCELLED", "SEAT"): _("Someone gave a place back"),
    "ATTENDED": _("Noted that someone attended"),
    "ABSENT": _("Noted that someone did not attend"),
    "TRAINED": _("A supporter has attended both courses, and is trained"),
    "UNTRAINED": _("A supporter is not trained any more: attendance was corrected"),
    "COVER": _("Arranged cover for days away"),
    "COVER_OVER": _("The cover ended"),
    "LINKED": _("Recorded an agreement between two sites"),
    "UNLINKED": _("Ended an agreement between two sites"),
    ("ISSUED", "CONSUMER"): _("Gave an organization’s program access to published tables"),
    ("ENDED", "CONSUMER"): _("Ended the access of an organization’s program"),
    "DENIED": _("Was refused a page"),
}
PURPOSES = {"CONTACT": _("to make contact"), "INVITE": _("to answer an invitation")}
NOBODY = {
    "public": _("Someone on the public pages"),
    "system": _("The program itself"),
    "stranger": _("Someone without a role here"),
}

Things = set[tuple[str, int]]
_codes: list[Callable[[Things], dict[tuple[str, int], str]]] = []


@dataclass(frozen=True)
class Line:
    """An entry as it is read: who did what, to which request, what for. `ref` leads to the request, or is empty."""

    number: int
    at: datetime
    who: str
    role: str
    what: str
    purpose: str
    ref: str


def register(codes: Callable[[Things], dict[tuple[str, int], str]]) -> None:
    """Let an app say which request a thing belongs to: (kind, id) → the code of the request."""
    if codes not in _codes:  # apps may be made ready twice
        _codes.append(codes)


def lines(entries: Iterable[AuditEntry]) -> list[Line]:
    """Return entries of the current site in words."""
    entries = list(entries)
    names = queries.names({entry.actor_id for entry in entries if entry.actor_id})
    things = {(entry.object_kind, entry.object_id) for entry in entries if entry.object_id}
    refs = {thing: ref for codes in _codes for thing, ref in codes(things).items()}
    return [_line(entry, names, refs) for entry in entries]


def _line(entry: AuditEntry, names: dict[int, str], refs: dict[tuple[str, int], str]) -> Line:
    role = Role(entry.role).label if entry.role in Role.values else ""
    name = names.get(entry.actor_id or 0, "")
    return Line(
        number=entry.number,
        at=entry.at,
        who=name or role or str(NOBODY.get(entry.role, entry.role)),
        role=role if name else "",
        what=str(WORDS.get((entry.action, entry.object_kind)) or WORDS.get(entry.action) or entry.action),
        purpose=str(PURPOSES.get(entry.purpose, "")),
        ref=refs.get((entry.object_kind, entry.object_id or 0), ""),
    )
