"""The audit trail in words, for administrators."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as __

from sites.engine.models import AuditEntry
from sites.tenants import queries
from sites.tenants.models import Role

# Action, where it matters with the kind of the object → what happened. A code without words is shown as it is.
WORDS: dict[str | tuple[str, str], Promise] = {
    "RECEIVED": __("A request was received"),
    ("CONFIRMED", "REFERRAL"): __("The request is matched"),
    "CLOSED": __("Closed the request"),
    "SPAM": __("Marked the request as spam"),
    "NOT_SPAM": __("Took the mark of spam off the request"),
    "READ_IDENT": __("Opened who asked"),
    "CALLER": __("Looked for the request of someone who called"),
    "ERASED": __("Erased who asked"),
    "UNHEARD": __("The physician said that nobody has been in touch"),
    "ALERTED": __("Told the province that nobody has been in touch"),
    "WITHDRAWN": __("The physician withdrew the request"),
    "HANDED_OVER": __("Handed the request over to the province"),
    "OFFERED": __("Someone told of a physician; an offer goes out"),
    "AGREED": __("The physician said yes to the offer"),
    "NOT_REACHED": __("Called with the offer, and reached nobody"),
    "TAKEN_OVER": __("A request was handed over by a site"),
    "INVITED": __("Invited a supporter"),
    "ANSWERED": __("Answered the invitation"),
    "CONFIRMED": __("Confirmed the match"),
    "CONTACTED": __("Made contact"),
    "ARRANGED": __("Arranged a debrief"),
    "PREPARED": __("Asked for a release of figures"),
    "CHECKED": __("A release of figures passed the check"),
    "REFUSED": __("A release of figures did not pass the check"),
    "PUBLISHED": __("Published a release of figures"),
    "DROPPED": __("Set a release of figures aside"),
    ("SHOWN", "RELEASE"): __("Showed a release of figures to everybody"),
    ("UNSHOWN", "RELEASE"): __("Stopped showing a release of figures to everybody"),
    "COMPLETED": __("Finished the match"),
    "EXPIRED": __("The invitation ended without an answer"),
    ("REVOKED", "MATCH"): __("Took the invitation of a supporter back"),
    ("REASSIGNED", "REFERRAL"): __("The request needs another peer"),
    "REASSIGNED": __("Looked for another peer"),
    "NUDGE": __("Sent a reminder"),
    "MISSED": __("72 hours passed without contact"),
    "INVITE": __("Invited someone to a role"),
    "REVOKE": __("Took an invitation to a role back"),
    "JOIN": __("Accepted an invitation to a role"),
    "ADD_ROLE": __("Added a role"),
    "CHANGE_ROLE": __("Changed a role"),
    "END_ROLE": __("Ended a role"),
    "ROSTER": __("Changed a line of the roster"),
    "NOMINATED": __("Nominated a peer supporter"),
    ("INVITED", "RECRUIT"): __("Someone on the way to be a peer supporter is invited"),
    "INTERESTED": __("Sent the interest form"),
    "ONE_YES": __("Reviewed an interest form, the first of two"),
    "REVIEWED": __("Reviewed an interest form; both have said yes"),
    ("TRAINING", "RECRUIT"): __("Someone on the way waits for training"),
    ("AGREEING", "RECRUIT"): __("Someone on the way is trained"),
    ("ACTIVE", "RECRUIT"): __("A new peer supporter is active"),
    ("STOPPED", "RECRUIT"): __("Somebody’s way to be a peer supporter was stopped"),
    "IMPORTED": __("Imported a roster"),
    ("EXPORTED", "ROSTER"): __("Exported the roster"),
    ("EXPORTED", "FIGURES"): __("Downloaded a picture or table of the site’s figures"),
    ("EXPORTED", "REPORT"): __("Downloaded the site’s report for the funder"),
    "BIO": __("Changed what is said of them on the public page"),
    "PHOTO": __("Put up a photo for the public page"),
    "PHOTO_GONE": __("Deleted the photo for the public page"),
    "SHOWN": __("Agreed to be shown on the public page"),
    "UNSHOWN": __("Taken off the public page"),
    "WORDING": __("Published the wording of the public page"),
    "WORDING_BACK": __("Brought back an earlier wording of the public page"),
    "DEPARTMENT": __("Added a department"),
    "CODE_MADE": __("Made a code for posters and texts"),
    "SETTINGS": __("Changed the program’s settings"),
    "LOCAL_LINE": __("Changed the site’s own crisis numbers"),
    "CRISIS_OK": __("Called a crisis number: it is right"),
    "CRISIS_SET": __("Changed a crisis number"),
    "OPEN_SITE": __("Set up a site"),
    "EDIT_SITE": __("Changed a site"),
    "SIGNED": __("Signed the agreement"),
    "REWORDED": __("Published a new wording of the agreement"),
    "PLEDGED": __("Set how many matches they take"),
    "PAUSED": __("Takes a break from new matches"),
    "RESUMED": __("Ended the break"),
    "NOTICE": __("Gave notice as a supporter"),
    "STAYS": __("Took the notice back"),
    "LEFT": __("Left as a supporter; open matches were handed on"),
    "LENT": __("Offered to help outside the site"),
    "BORROWED": __("A supporter of another site helps here"),
    "TAKEN_BACK": __("Ended the help outside the site"),
    ("SUBMITTED", "CLAIM"): __("Claimed sessional pay"),
    ("APPROVED", "CLAIM"): __("Approved a claim"),
    ("REFUSED", "CLAIM"): __("Refused a claim"),
    ("WITHDRAWN", "CLAIM"): __("Withdrew a claim"),
    ("BATCHED", "CLAIM"): __("Put a claim into a payment batch"),
    "BATCH": __("Made a payment batch"),
    ("EXPORT", "BATCH"): __("Downloaded a payment batch"),
    "RATE": __("Set a rate"),
    "CERTIFIED": __("Issued a certificate"),
    "VOIDED": __("A certificate became void"),
    "SCHEDULED": __("Planned a session"),
    ("CHANGED", "SESSION"): __("Changed a session"),
    "CALLED_OFF": __("Cancelled a session"),
    "FILE": __("Added a file to a session"),
    "FILE_GONE": __("Removed a file from a session"),
    "ENROLLED": __("Someone has a place in a session"),
    "WAITING": __("Someone waits for a place in a session"),
    ("CANCELLED", "SEAT"): __("Someone gave a place back"),
    "ATTENDED": __("Noted that someone attended"),
    "ABSENT": __("Noted that someone did not attend"),
    "TRAINED": __("A supporter has attended both courses, and is trained"),
    "UNTRAINED": __("A supporter is not trained any more: attendance was corrected"),
    "COVER": __("Arranged cover for days away"),
    "COVER_OVER": __("The cover ended"),
    "LINKED": __("Recorded an agreement between two sites"),
    "UNLINKED": __("Ended an agreement between two sites"),
    ("ISSUED", "CONSUMER"): __("Gave an organization’s program access to published tables"),
    ("ENDED", "CONSUMER"): __("Ended the access of an organization’s program"),
    "DENIED": __("Was refused a page"),
}
PURPOSES = {"CONTACT": __("to make contact"), "INVITE": __("to answer an invitation")}
NOBODY = {
    "public": __("Someone on the public pages"),
    "system": __("The program itself"),
    "stranger": __("Someone without a role here"),
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
