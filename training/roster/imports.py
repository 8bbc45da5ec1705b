"""What a roster file would change, row by row, and the change itself: all of it or nothing."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import audit
from sites.engine.audit import Actor
from sites.people import transitions as people
from sites.reference.models import Specialty
from sites.tenants.models import Invitation, Membership, Profile, Role, Site
from training.recruitment.models import Recruit, RosterLine
from training.roster import files as roster_files
from training.roster import pending_lines
from training.roster.files import Table
from training.supporters import trained_facts
from training.supporters.models import Department, Evaluates, Gender, PeerSupporter, Practice, Stage

# So many mails may follow one press.
MOST_NEW = 200
MOST_CAP = 365
NEW, CHANGED, SAME, WRONG = "new", "changed", "same", "wrong"
CHOICES = {"practice": Practice, "stage": Stage, "gender": Gender}
YES, NO = frozenset({"yes", "y", "true", "1", "x", "oui"}), frozenset({"no", "n", "false", "0", "non"})
LINE = tuple(name for name in roster_files.COLUMNS if name not in ("name", "email", "departments"))


@dataclass
class Row:
    """A row of the file, and what would become of it.

    Attributes:
        number: as a spreadsheet numbers it.
        values: column → what it says, as JSON holds it; empty cells say nothing.
        changes: (column, as it is, as it would be), in words.
    """

    number: int
    name: str
    email: str
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    kind: str = NEW
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    supporter: PeerSupporter | None = None
    user_id: int | None = None
    invitation: Invitation | None = None

    @property
    def waits(self) -> bool:
        """Their line waits until they have joined."""
        return self.kind in (NEW, CHANGED) and self.user_id is None


class Changed(Exception):
    """Something changed since the file was shown."""


def preview(table: Table) -> list[Row]:
    """Return what each row would change, in a fixed number of queries; nothing is written."""
    lists = _Lists()
    rows = [_parsed(number, cells, lists) for number, cells in table]
    often = Counter(row.email for row in rows if row.email)
    for row in rows:
        if often[row.email] > 1:
            row.errors.append(_("The same address stands in another row too."))
    _compare_with_roster(rows, lists)
    new = [row for row in rows if row.kind == NEW and row.user_id is None and not row.errors]
    for row in new[MOST_NEW:]:
        row.errors.append(_("At most 200 new people can be invited at once. Import the others in a second file."))
    for row in rows:
        if row.errors:
            row.kind = WRONG
    return rows


def fingerprint(rows: list[Row]) -> str:
    """Return a SHA-256 of all that a preview says."""
    content = [[row.number, row.email, row.kind, row.errors, row.changes, row.values] for row in rows]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def carry_out(table: Table, shown: str, *, by: Actor) -> list[Row]:
    """Change what a preview has shown, and invite who is new.

    Args:
        shown: the fingerprint of that preview.

    Raises:
        Changed: it would say something else now, or a row is wrong; nothing is written.
    """
    site = Site.objects.select_for_update(no_key=True).get(pk=tenancy.current_site_id())
    # In the order of every other move: who is on the way, then the roster.
    on_the_way = Recruit.objects.filter(state__in=Recruit.ON_THE_WAY).order_by("pk")
    list(on_the_way.select_for_update(of=("self",), no_key=True).values_list("pk"))
    list(PeerSupporter.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    rows = preview(table)
    if fingerprint(rows) != shown or any(row.errors for row in rows):
        raise Changed
    for row in rows:
        if row.kind == CHANGED and row.user_id is not None:
            if any(column == "name" for column, _old, _new in row.changes):
                Profile.objects.filter(user_id=row.user_id).update(name=row.name)
            pending_lines.save_line(row.user_id, row.values, by=by)
        elif row.kind in (NEW, CHANGED):
            invitation = row.invitation or people.invite(
                site, email=row.email, name=row.name, role=Role.SUPPORTER, by=by
            )
            pending_lines.put(invitation, row.values)
    audit.record("IMPORTED", "ROSTER", None, by=by)
    return rows


def exported() -> Iterator[list[Any]]:
    """Yield the lines of the current site's roster under `roster.COLUMNS`, by name."""
    evaluates = Prefetch("evaluates", Evaluates.objects.select_related("department").order_by("department__name"))
    own = PeerSupporter.objects.filter(home=None).exclude(state=PeerSupporter.State.LEFT)
    lines = own.select_related("profile", "user", "specialty")
    for row in lines.prefetch_related(evaluates).order_by("profile__name", "pk").iterator(chunk_size=500):
        yield [
            row.profile.name,
            row.user.email,
            str(row.get_practice_display()),
            str(row.get_stage_display()),
            row.specialty.name if row.specialty else "",
            str(row.get_gender_display()),
            "yes" if row.speaks_french else "no",
            row.trained_on,
            row.agreement_until,
            row.cap_year,
            row.cap_live,
            roster_files.listed(one.department.name for one in row.evaluates.all()),
        ]


# A row, read by itself


class _Lists:
    """What a cell may say: names in small letters → what is stored."""

    def __init__(self) -> None:
        specialties = list(Specialty.objects.all())
        departments = list(Department.objects.all())
        self.specialties = {one.code.casefold(): one.pk for one in specialties}
        self.specialties |= {one.name.casefold(): one.pk for one in specialties}
        self.specialty_names = {one.pk: one.name for one in specialties}
        self.departments = {_plain(one.name): one.pk for one in departments}
        self.department_names = {one.pk: one.name for one in departments}

    def words(self, column: str, value: Any) -> str:
        """Return what is stored as a person reads it."""
        if value in (None, "", []):
            return "–"
        if column in CHOICES:
            return str(CHOICES[column](value).label)
        if column == "specialty":
            return self.specialty_names[value]
        if column == "departments":
            return ", ".join(sorted(self.department_names[one] for one in value))
        if column == "french":
            return _("yes") if value else _("no")
        return str(value)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _parsed(number: int, cells: Mapping[str, str], lists: _Lists) -> Row:
    name = " ".join("".join(c for c in cells.get("name", "") if c.isprintable() or c.isspace()).split())
    row = Row(number, name, people.normal_address(cells.get("email", "")))
    try:
        validate_email(row.email)
    except ValidationError:
        row.errors.append(_("Enter an email address such as name@example.ca."))
    if len(row.name) > 80:
        row.errors.append(_("The name is longer than 80 characters."))
    for column in roster_files.COLUMNS[2:]:
        if cell := cells.get(column, ""):
            try:
                row.values[column] = _value(column, cell, lists)
            except (ValueError, OverflowError) as error:
                row.errors.append(str(error))
    return row


def _value(column: str, cell: str, lists: _Lists) -> Any:
    """Return what a cell says, as JSON holds it; raise `ValueError` with a sentence when it says nothing known."""
    text, placeholders = _plain(cell), {"cell": cell[:40], "column": column}
    if column in CHOICES:
        return _choice(column, text, placeholders)
    if column == "specialty":
        if text not in lists.specialties:
            raise ValueError(_("“%(cell)s” is no specialty on the list.") % placeholders)
        return lists.specialties[text]
    if column == "french":
        if text not in YES | NO:
            raise ValueError(_("In the column “french”, write yes or no."))
        return text in YES
    if column in roster_files.DATES:
        return _day(column, cell, placeholders)
    if column == "departments":
        return _departments(cell, lists)
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MOST_CAP):
        raise ValueError(_("“%(cell)s” in the column “%(column)s” is no whole number from 1 to 365.") % placeholders)
    return int(text)


def _choice(column: str, text: str, placeholders: Mapping[str, str]) -> str:
    """Return the code of a closed list that its word, its code or the beginning of its word stands for."""
    known = {_plain(str(word)): value for value, label in CHOICES[column].choices for word in (value, label)}
    # "Early" is enough for "Early (0 to 5 years)".
    known |= {_plain(str(label).split("(")[0]): value for value, label in CHOICES[column].choices}
    if text not in known:
        words = ", ".join(str(label) for label in CHOICES[column].labels)
        raise ValueError(_("“%(cell)s” is no %(column)s. Use one of: ") % placeholders + words + ".")
    return str(known[text])


def _day(column: str, cell: str, placeholders: Mapping[str, str]) -> str:
    try:
        day = roster_files.day(cell)
    except (ValueError, OverflowError) as error:
        raise ValueError(_("“%(cell)s” is no date. Enter one such as 2026-09-17.") % placeholders) from error
    if column == "trained_on" and not trained_facts.believable(day):
        raise ValueError(_("“%(cell)s” in the column “trained_on” lies too far back, or ahead.") % placeholders)
    return day.isoformat()


def _departments(cell: str, lists: _Lists) -> list[int]:
    names = roster_files.unlisted(cell)
    if missing := [name for name in names if _plain(name) not in lists.departments]:
        raise ValueError(_("There is no department “%(name)s” on your list.") % {"name": missing[0][:60]})
    return sorted({lists.departments[_plain(name)] for name in names})


# A row compared with the roster


def _compare_with_roster(rows: list[Row], lists: _Lists) -> None:
    addresses = [row.email for row in rows]
    site_id = tenancy.current_site_id()
    lines = PeerSupporter.objects.filter(user__email__in=addresses).select_related("user", "profile", "specialty")
    supporters = {one.user.email: one for one in lines.prefetch_related("evaluates")}
    memberships = Membership.objects.filter(
        site_id=site_id, role=Role.SUPPORTER, ended_at=None, user__email__in=addresses
    )
    members = dict(memberships.values_list("user__email", "user_id"))
    waiting = {one.email: one for one in people.waiting().filter(role=Role.SUPPORTER, email__in=addresses)}
    pending = dict(RosterLine.objects.filter(invitation__in=waiting.values()).values_list("invitation_id", "line"))
    on_the_way = set(
        Recruit.objects.filter(state=Recruit.State.INVITED, user_id__in=members.values()).values_list(
            "user_id", flat=True
        )
    )
    names = dict(Profile.objects.filter(user_id__in=members.values()).values_list("user_id", "name"))
    for row in rows:
        row.user_id = members.get(row.email)
        supporter = supporters.get(row.email)
        if row.user_id is not None and row.user_id in on_the_way:
            row.errors.append(_("They have joined, and their interest form is awaited: it makes their line."))
        elif row.user_id is not None and supporter is not None:
            if supporter.state == PeerSupporter.State.LEFT:
                row.errors.append(_("They have left the roster. Bring them back on their own page first."))
            if supporter.home_id is not None:
                row.errors.append(_("Another site lends them, and keeps their line."))
            row.supporter = supporter
            _compare(row, row.name and supporter.profile.name, _line(supporter), lists)
        elif row.user_id is not None:
            row.kind, row.changes = CHANGED, [("", "", _("added to the roster"))]
            row.name = row.name or names.get(row.user_id, "")
        elif row.email in waiting:
            row.invitation = waiting[row.email]
            row.name = row.name or row.invitation.name
            _compare(row, row.name, pending.get(row.invitation.pk, {}), lists)
            if row.invitation.pk not in pending:
                row.kind, row.changes = CHANGED, [("", "", _("gets this line on joining"))]
        elif not row.name:
            row.errors.append(_("Enter the name of somebody who is new."))


def _line(supporter: PeerSupporter) -> dict[str, Any]:
    """Return what stands in the roster, as the file says it."""
    line = {name: getattr(supporter, pending_lines.FIELDS.get(name, name)) for name in LINE}
    for name in roster_files.DATES:
        line[name] = line[name].isoformat() if line[name] else None
    evaluates = supporter.evaluates.all()
    return line | {"departments": sorted(one.department_id for one in evaluates)}


def _compare(row: Row, name: str, line: Mapping[str, Any], lists: _Lists) -> None:
    if row.name and row.name != " ".join(name.split()):
        row.changes.append(("name", name, row.name))
    row.name = row.name or (row.supporter.profile.name if row.supporter else "")
    for column, value in row.values.items():
        if line.get(column) != value:
            row.changes.append((column, lists.words(column, line.get(column)), lists.words(column, value)))
    row.kind = CHANGED if row.changes else SAME
