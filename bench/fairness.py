"""A year of requests, chosen by the real `rank`, against chance, first come, and the best that could be done."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy
from scipy.optimize import linear_sum_assignment

from bench.harness import Line
from matching.candidates.ranking import rank, wish_chips
from matching.candidates.rules import Need, Peer, assess
from training.supporters.models import Stage, Trait

FIRST_DAY = date(2027, 1, 1)
DAYS = 365
# Of ten physicians who are asked, so many say yes; the others are asked for again the day after.
YES = 0.85
# A match lasts so many days.
SHORTEST, LONGEST = 10, 50
SPECIALTIES = ["FAMILY", "SURGERY", "ANESTHESIA", "PSYCHIATRY", "PEDIATRICS", "EMERGENCY"]


@dataclass(frozen=True)
class Request:
    """A request as it arrives: its day, the need, how long it will last, and dice of its own for every policy."""

    number: int
    day: int
    need: Need
    lasts: int


@dataclass
class Year:
    """A roster in one year under one policy, and what came of it."""

    peers: list[Peer]
    wishes: "Wishes"
    ends: dict[int, list[int]] = field(default_factory=dict)
    met: int = 0
    waits: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.live, self.total, self.invited = (numpy.zeros(len(self.peers), int) for _ in range(3))

    @property
    def spread(self) -> int:
        return int(self.total.max() - self.total.min())

    def free(self, need: Need) -> Any:
        """Return for each place of the roster whether no rule speaks against it, not even one that may be set aside."""
        return self.wishes.stages[need.stage] & (self.live + self.invited < 2) & (self.total + self.invited < 7)


class Wishes:
    """Whom stages allow, and how many wishes each would meet: the answers of `judge` and `wish_chips`, kept."""

    def __init__(self, peers: list[Peer]) -> None:
        self.peers = peers
        self.stages = {stage: self._may(Need(stage=stage)) for stage in Stage.values}
        self._kept: dict[Need, Any] = {}

    def _may(self, need: Need) -> Any:
        judged = (assess(need, peer, FIRST_DAY) for peer in self.peers)
        return numpy.array([not candidate.hard and not candidate.soft for candidate in judged])

    def met(self, need: Need) -> Any:
        """Return the number of wishes met by each place of the roster, wish by wish."""
        found = self._one(Need(talk_in=need.talk_in)) if not need.wishes else self._one(replace(need, wishes=()))
        for wish in need.wishes:
            found = found + self._one(Need(need.stage, wishes=(wish,), specialty=need.specialty))
        return found

    def _one(self, need: Need) -> Any:
        if need not in self._kept:
            self._kept[need] = numpy.array([sum(c.good for c in wish_chips(need, peer)) for peer in self.peers])
        return self._kept[need]


# A policy is given the requests of a day and the year, and returns request number → place in the roster.
Policy = Callable[[Sequence[Request], Year, date], dict[int, int]]


def measure(seed: int) -> list[Line]:
    """Return the lines of a site of 9 (many years, for one has few wishes) and of 2,000 supporters in the province."""
    return [*_compared("site of 9", 9, 45, seed, years=200), *_compared("2,000 in the province", 2000, 3000, seed)]


def _compared(name: str, size: int, count: int, seed: int, *, years: int = 1) -> list[Line]:
    """Play the same years under each policy."""
    played: dict[str, list[Year]] = {}
    wanted = 0
    for number in range(years):
        dice = random.Random(seed + number)
        peers, requests = _roster(size, dice), _requests(count, dice)
        wishes = Wishes(peers)
        wanted += sum(len(r.need.wishes) + (r.need.talk_in != "") for r in requests)
        policies: dict[str, Policy] = {
            "ours": _ours,
            "random": _random(seed),
            "first available": _first,
            "optimum, equal load": _optimum(fair=True),
            "optimum, any load": _optimum(fair=False),
        }
        for label, policy in policies.items():
            played.setdefault(label, []).append(_play(policy, peers, requests, wishes))
    met = {label: sum(year.met for year in found) for label, found in played.items()}
    share = met["ours"] / met["optimum, equal load"]
    ours, best = (_spread(played[label]) for label in ("ours", "optimum, equal load"))
    lines = [
        Line(
            f"{name}: wishes met",
            f"{met['ours']}",
            f"{met['optimum, equal load']}",
            f"{share:.3f}",
            "≥ 0.95",
            share >= 0.95,
        ),
        Line(f"{name}: load spread", f"{ours:.2f}", f"{best:.2f}", "", "≤ 1", ours <= 1),
    ]
    for label, found in played.items():
        waits = [wait for year in found for wait in year.waits]
        told = f"{met[label]} of {wanted} wishes, spread {_spread(found):.2f} (at most {max(y.spread for y in found)})"
        lines.append(Line(f"{name}: {label}", f"{told}, wait {sum(waits) / len(waits):.2f} d", "", "", "", None))
    return lines


def _spread(years: list[Year]) -> float:
    return sum(year.spread for year in years) / len(years)


def _roster(size: int, dice: random.Random) -> list[Peer]:
    """Return supporters as a site has them: mostly mid and late career, a few still early."""
    stages = [
        Stage.MID,
        Stage.LATE,
        Stage.EARLY,
        Stage.MID,
        Stage.LATE,
        Stage.MID,
        Stage.RETIRED,
        Stage.LATE,
        Stage.MID,
    ]
    return [
        Peer(
            supporter_id=number,
            user_id=number,
            name=f"Dr Number {number}",
            state="ACTIVE",
            stage=stages[number % len(stages)],
            practice=dice.choice(["FAMILY", "SPECIALIST"]),
            gender=dice.choices(["WOMAN", "MAN", "UNSAID"], [5, 4, 1])[0],
            french=dice.random() < 0.15,
            specialty="",
            specialty_code=dice.choice(SPECIALTIES),
            trained_on=FIRST_DAY,
            agreement_until=FIRST_DAY + timedelta(days=DAYS),
            paused_until=None,
            cap_year=7,
            cap_live=2,
            described=frozenset(trait.value for trait in Trait if dice.random() < 0.2),
        )
        for number in range(size)
    ]


def _requests(count: int, dice: random.Random) -> list[Request]:
    """Return needs over a year; every second has wishes, two in five do not tell their stage."""
    wishes = ["WOMAN", "WOMAN", "MAN", "SPECIALTY", "SPECIALTY", "STAGE", "FRENCH", "PARENT", "ABROAD", "SOUTH_ASIAN"]
    stages = ["UNSAID", "TRAINEE", "EARLY", "MID", "LATE"]
    found = []
    for number, day in enumerate(sorted(dice.randrange(DAYS) for _ in range(count))):
        need = Need(
            stage=dice.choices(stages, [40, 10, 20, 20, 10])[0],
            wishes=tuple(set(dice.choices(wishes, k=dice.randint(1, 3)))) if dice.random() < 0.5 else (),
            specialty=dice.choice(SPECIALTIES),
            talk_in="FRENCH" if dice.random() < 0.05 else "",
        )
        found.append(Request(number, day, need, dice.randint(SHORTEST, LONGEST)))
    return found


def _play(policy: Policy, peers: list[Peer], requests: list[Request], wishes: Wishes) -> Year:
    year = Year(list(peers), wishes)
    waiting: list[Request] = []
    for day in range(DAYS):
        today = FIRST_DAY + timedelta(days=day)
        for place in year.ends.pop(day, []):
            year.live[place] -= 1
            year.peers[place] = replace(year.peers[place], live=int(year.live[place]))
        waiting += [request for request in requests if request.day == day]
        year.invited[:] = 0
        chosen = policy(waiting, year, today)
        for request in waiting[:]:
            if request.number not in chosen or random.Random(f"{request.number} {day}").random() > YES:
                continue
            place = chosen[request.number]
            year.met += int(wishes.met(request.need)[place])
            year.live[place] += 1
            year.total[place] += 1
            at = datetime.combine(today, time(), UTC)
            counted = {"live": int(year.live[place]), "total": int(year.total[place]), "last_match": at}
            year.peers[place] = replace(year.peers[place], **counted)
            year.ends.setdefault(day + request.lasts, []).append(place)
            year.waits.append(day - request.day)
            waiting.remove(request)
    return year


def _each(choose: Callable[[Need, Any, Year, date], int]) -> Policy:
    """Return a policy that asks for one request after the other; whoever is asked counts as invited."""

    def policy(waiting: Sequence[Request], year: Year, today: date) -> dict[int, int]:
        asked: dict[int, int] = {}
        for request in waiting:
            free = numpy.flatnonzero(year.free(request.need))
            if len(free):
                place = asked[request.number] = int(choose(request.need, free, year, today))
                year.invited[place] += 1
        return asked

    return policy


def _ours_one(need: Need, free: Any, year: Year, today: date) -> int:
    """Return whom `rank` puts first; those it cannot, for their load, are left out to be done within minutes."""
    load = (year.total + year.invited)[free]
    lightest = [replace(year.peers[i], invited=int(year.invited[i])) for i in free[load == load.min()]]
    offers = rank(need, [assess(need, peer, today) for peer in lightest], datetime.combine(today, time(), UTC))
    assert not offers[0].candidate.soft
    return offers[0].candidate.peer.supporter_id


_ours = _each(_ours_one)
_first = _each(lambda need, free, year, today: free[0])


def _random(seed: int) -> Policy:
    dice = random.Random(seed)
    return _each(lambda need, free, year, today: dice.choice(free))


def _optimum(*, fair: bool) -> Policy:
    """Return the assignment of each day that meets most wishes: among the lightest loads, or whatever the load."""
    never, load = 1e9, 1000.0 if fair else 0.0

    def policy(waiting: Sequence[Request], year: Year, today: date) -> dict[int, int]:
        if not waiting:
            return {}
        rows = [(year.free(r.need), load * year.total - year.wishes.met(r.need)) for r in waiting]
        costs = numpy.array([numpy.where(free, cost, never) for free, cost in rows])
        pairs = zip(*linear_sum_assignment(costs), strict=True)
        return {waiting[row].number: int(place) for row, place in pairs if costs[row, place] < never}

    return policy
