"""What happens in the demonstration: scenes that stand as they are today, and eighteen months before."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.utils import timezone

from demo.seed.moves import Moves
from demo.seed.people import Physician
from demo.seed.play import Story, hours
from matching.matches.models import Match
from psi import tenancy
from referrals.requests.models import Referral
from referrals.requests.transitions import ERASED_AFTER
from sites.tenants.models import Site

Outcome, State = Referral.Outcome, Match.State


@dataclass(frozen=True)
class Scene:
    """A request as it stands at the end.

    Attributes:
        site: slug of the site whose request it is.
        steps: verbs, each followed by the hours until the next one or, for the last, until the end.
        home: where the form was opened, if elsewhere.
    """

    site: str
    steps: str
    home: str = ""

    @property
    def length(self) -> timedelta:
        return hours(sum(waited for _, waited in self.parsed()))

    def parsed(self) -> list[tuple[list[str], float]]:
        """Return each step's words, and the hours after it."""
        steps = [step.split() for step in self.steps.split(", ")]
        return [(words[:-1], float(words[-1])) for words in steps]

    @property
    def invited(self) -> str:
        """The first name of who is invited first, or nothing."""
        return next((words[1] for words, _ in self.parsed() if words[0] == "invite"), "")


SCENES = (
    # Harbour: a row of every kind on *Today*. Ada is who one becomes with the button "Peer supporter".
    Scene("harbour", "ask 5, invite farah 6, accept 3, confirm 76"),
    Scene("harbour", "ask 9, invite ben 12, accept 4, confirm 60"),
    Scene("harbour", "ask 6, invite ada 3, accept 2, confirm 31"),
    Scene("harbour", "ask 7, invite elin 9, accept 5"),
    Scene("harbour", "ask 4, invite ada 8"),
    Scene("harbour", "ask 27"),
    Scene("harbour", "ask 0.7"),
    Scene("harbour", "ask 11, invite leo 20, decline KNOWN 3"),
    Scene("harbour", "ask 8, invite ada 5, accept 4, confirm 22, contact 30, talk 150"),
    Scene("harbour", "ask 3, invite cora 4, accept 7, confirm 41, contact 26, talk 170, talk 60"),
    Scene("harbour", "ask 6, invite mina 5, accept 9, confirm 15, contact 20, talk 120, talk 96, finish 14"),
    # Closed in the last weeks, once for each outcome.
    Scene("harbour", "ask 5, invite gus 9, accept 5, confirm 30, contact 48, talk 90, finish 20, close DONE 410"),
    Scene("harbour", "ask 9, invite dev 4, accept 6, confirm 18, contact 24, talk 70, finish 9, close ONWARD 560"),
    Scene("harbour", "ask 4, invite gus 6, accept 3, confirm 70, close UNREACHED 640"),
    Scene("harbour", "ask 12, invite hana 5, close DECLINED 480"),
    Scene("harbour", "ask 2, mark_spam 120"),
    # North Islands: an invitation nobody answered, one taken back, a missed window given to another peer.
    Scene("north-islands", "ask 6, invite rui 51"),
    Scene("north-islands", "ask 3, invite pia 5, revoke 7"),
    Scene("north-islands", "ask 8, invite omar 7, accept 6, confirm 75, reassign 2, invite tom 3, accept 5"),
    Scene("north-islands", "ask 4, invite nora 6, accept 3, confirm 10"),
    Scene("north-islands", "ask 7, invite signe 5, accept 8, confirm 26, contact 50, talk 90"),
    # Asked for somebody from outside; taken back by the physician after somebody was asked.
    Scene("north-islands", "ask 28, outside 20"),
    Scene("north-islands", "ask 6, invite pia 9, withdraw 70"),
    # Coastal: outside the funding, and the whole tool in use.
    Scene("coastal-section", "ask 9"),
    Scene("coastal-section", "ask 5, invite walt 8, accept 4, confirm 50"),
    Scene("coastal-section", "ask 6, invite vera 9, accept 7, confirm 12, contact 80, talk 70"),
    # The province: asked for "Outside my region", or by someone who has no local program.
    Scene("province", "ask 16", home="harbour"),
    Scene("province", "ask 5, invite zeke 7, accept 3", home="north-islands"),
    Scene("province", "ask 8, invite yara 6, accept 5, confirm 40", home="harbour"),
    Scene("province", "ask 6, invite yara 5, accept 9, confirm 20, contact 60, talk 110"),
    Scene("province", "ask 7, invite elin 20", home="north-islands"),
)


def play_scene(scene: Scene, moves: Moves, physician: Physician, home: Site | None) -> Story:
    """Play a scene from its first step."""
    for words, waited in scene.parsed():
        match words:
            case ["ask"]:
                # Whoever is invited below must be possible; where nobody is yet, a rule may speak.
                rules = tuple(moves.demo_site.departments[1:2]) if not scene.invited else ()
                moves.ask(physician, home, rules)
                yield from moves.await_choice(waited)
                continue
            case ["invite", name]:
                moves.invite(name)
                yield from moves.await_answer(waited)
                continue
            case ["confirm"]:
                moves.confirm()
                yield from moves.await_contact(waited)
                continue
            case ["close", outcome]:
                moves.close(outcome)
            case ["decline", why]:
                moves.decline(why)
            case [verb]:
                getattr(moves, verb)()
        yield hours(waited)


# Requests a month, from eighteen months ago to this month, which has those of the scenes as well.
VOLUMES = {
    "harbour": (1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 6, 5, 6, 6, 7, 5, 1),
    "north-islands": (0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 3, 4, 3, 4, 4, 1),
    "province": (0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 2, 2, 3, 2, 1),
    "coastal-section": (0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1),
}
# History begins no later than this before the end, so that all of it is closed.
QUIET = timedelta(days=9)


def months_before(anchor: datetime, count: int) -> list[datetime]:
    """Return when the last `count` months and the one of `anchor` began, in the program's own time."""
    last = timezone.localtime(anchor).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begun = [divmod(last.year * 12 + last.month - 1 - ago, 12) for ago in range(count, -1, -1)]
    return [last.replace(year=year, month=month + 1) for year, month in begun]


def past_times(anchor: datetime, slug: str, random: Random, months: int) -> Iterator[datetime]:
    """Yield when requests came in at a site in the `months` before `anchor`: by day, seldom at night."""
    volumes = VOLUMES[slug][-months - 1 :]
    for month, volume in zip(months_before(anchor, months), volumes, strict=True):
        for _ in range(volume):
            hour = random.choice((0, 5, 7, 8, 9, 10, 11, 12, 12, 13, 14, 16, 18, 19, 20, 20, 21, 21, 22, 23))
            at = month.replace(day=random.randint(1, 28), hour=hour)
            at += timedelta(minutes=random.randint(0, 59), seconds=random.randint(0, 59))
            if at < anchor - QUIET:
                yield at


def play_history(moves: Moves, physician: Physician, home: Site | None, end: datetime) -> Story:
    """Play a request of the past from the form to its end, before `end`; a year later it is erased."""
    yield from _support(moves, physician, home, end)
    # Six in ten look with their receipt once more within ten days, and answer.
    wait = _room(end, moves.random.uniform(5, 240))
    yield wait
    if moves.random.random() < 0.6:
        moves.answer()
    yield ERASED_AFTER - wait
    moves.erase()


def _support(moves: Moves, physician: Physician, home: Site | None, end: datetime) -> Story:
    random = moves.random
    evaluated = bool(moves.demo_site.departments) and random.random() < 0.35
    moves.ask(physician, home, (random.choice(moves.demo_site.departments),) if evaluated else ())
    yield hours(random.uniform(1, 26))
    if random.random() < 0.07:
        moves.close(random.choice([Outcome.DECLINED, Outcome.ONWARD]))
        return
    if not (yield from _find(moves, end)):
        return
    moves.talk()
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        yield _room(end, random.uniform(40, 260))
        moves.talk()
    # Most supporters say that it was the last conversation; else the administrator closes both.
    if random.random() < 0.85:
        moves.finish()
    yield _room(end, random.uniform(2, 90))
    moves.close(random.choices([Outcome.DONE, Outcome.ONWARD], [6, 1])[0])


def _room(end: datetime, wanted: float) -> timedelta:
    """Return a wait that leaves time for what must follow before the end."""
    return min(hours(wanted), (end - tenancy.now()) * 0.2)


def _hours_to_contact(random: Random, how: str) -> float:
    """Most supporters call within a day; how: "late" (after the window), "soon" or "" (either)."""
    if how == "late":
        return random.uniform(73, 90)
    if how == "soon" or random.random() < 0.85:
        return random.uniform(1, 23.5)
    return random.uniform(24.5, 71)


def _find(moves: Moves, end: datetime) -> Generator[timedelta, None, bool]:
    """Look for a peer until one has made contact; returns False when the request was closed without."""
    random = moves.random
    for attempt in range(12):
        # Near the end everything goes well, because there is no time for anything else.
        hurried = attempt > 2 or end - tenancy.now() < hours(130)
        if not moves.invite():
            if attempt > 3 or hurried:
                break
            yield _room(end, 40)
            continue
        fate = "" if hurried else random.choices(["", "declined", "expired", "revoked"], [86, 8, 4, 2])[0]
        if fate == "expired":
            yield from moves.await_answer(48 + random.uniform(0.5, 6))
            continue
        yield from moves.await_answer(random.triangular(0.3, 30, 5) if not hurried else random.uniform(0.3, 6))
        if fate == "declined":
            moves.decline(random.choice([Match.Why.NONE, Match.Why.KNOWN, Match.Why.EVALUATES]))
        elif fate == "revoked":
            moves.revoke()
        elif moves.accept():
            yield hours(random.uniform(0.2, 9))
            moves.confirm()
            fate = "" if hurried else random.choices(["", "late", "missed", "unreached"], [87, 4, 6, 3])[0]
            if fate == "missed":
                yield from moves.await_contact(72 + random.uniform(0.5, 8))
                moves.reassign()
            elif fate == "unreached":
                yield from moves.await_contact(random.uniform(50, 90))
                moves.close(Outcome.UNREACHED)
                return False
            else:
                yield from moves.await_contact(_hours_to_contact(random, "late" if fate else "soon" if hurried else ""))
                moves.contact()
                return True
        yield _room(end, random.uniform(1, 12))
    moves.close(Outcome.ONWARD)
    return False
