"""The rules and the order once more, as SQL over a whole roster: what comes out first, and who is left out and why.

Each expression says of one supporter what its `check_*` says (matching/rules.py), each criterion what `ranking.key`
says; tests hold both to it on generated rosters. Python explains what SQL has found
(docs/decisions/0016-candidates-in-sql.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

from django.db import connection

from matching.candidates import ranking
from matching.candidates.rules import HARD_REASONS, NEVER_WITH, NOT_FOR_THIS, ONE_BELOW, Need
from referrals.requests.models import Wish
from training.supporters.models import Gender, Language, Stage

SHOWN = 50  # docs/rules.md#candidate-order
# The group of all reasons that share one text, in addresses too.
ALIKE = "REQUEST"
GROUPS = {reason.code: ALIKE if reason.text == NOT_FOR_THIS else reason.code for reason in HARD_REASONS}
TEXTS = {GROUPS[reason.code]: reason.text for reason in HARD_REASONS}


@dataclass(frozen=True)
class MatchHistory:
    """What earlier invitations, requests and names say of supporters for one request: ids of supporters.

    Attributes:
        refused: declined it, know the physician, or wished to part.
        current: are invited to it, or have it.
        tried: did not answer, or missed the window.
        taken_back: their invitation was taken back.
        before: were matched with the same physician earlier.
        excluded: are not to be matched, by choice or by surname.
        own: ids of accounts with the physician's own address.
    """

    refused: frozenset[int] = frozenset()
    current: frozenset[int] = frozenset()
    tried: frozenset[int] = frozenset()
    taken_back: frozenset[int] = frozenset()
    before: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    own: frozenset[int] = frozenset()


# What the rules ask of a supporter, whose load is that of the person in every roster.
ROSTER = """SELECT s.id, s.id AS pk, s.user_id, u.email, p.name, s.described, s.state, s.practice, s.stage, s.gender,
    s.speaks_french, sp.name AS field,
    sp.code AS specialty, s.trained_on, s.agreement_until, s.paused_until, s.cap_year, s.cap_live,
    s.user_id IN (SELECT user_id FROM sites_membership
        WHERE site_id = %(site)s AND role = 'supporter' AND ended_at IS NULL) AS member,
    coalesce(l.live, 0) AS live, coalesce(l.total, 0) AS total, coalesce(m.invited, 0) AS invited, m.last_match
    FROM training_peersupporter AS s
    JOIN sites_profile AS p ON p.id = s.profile_id JOIN sites_user AS u ON u.id = s.user_id
    LEFT JOIN sites_specialty AS sp ON sp.id = s.specialty_id
    LEFT JOIN (SELECT user_id, sum(live) AS live, sum(total) FILTER (WHERE year = %(year)s) AS total
        FROM training_supporterload GROUP BY user_id) AS l ON l.user_id = s.user_id
    LEFT JOIN (SELECT supporter_id, count(*) FILTER (WHERE state = 'INVITED') AS invited,
        max(confirmed_at) AS last_match FROM matching_match GROUP BY supporter_id) AS m ON m.supporter_id = s.id"""
HERE = f"({ROSTER} WHERE s.state <> 'LEFT') AS peer"

# Code of a reason → when it speaks against a supporter. None of them may be NULL.
HARD = {
    "INACTIVE": "state <> 'ACTIVE' OR NOT member",
    "UNTRAINED": "trained_on IS NULL OR trained_on > %(today)s",
    "AGREEMENT": "agreement_until IS NULL OR agreement_until < %(today)s",
    "EXCLUDED": "id = ANY(%(excluded)s)",
    "EVALUATES": "id IN (SELECT supporter_id FROM training_evaluates WHERE department_id = ANY(%(departments)s))"
    " OR id = ANY(%(evaluators)s)",
    "REFUSED": "id = ANY(%(refused)s)",
    "ASKED": "id = ANY(%(current)s)",
    "SELF": "user_id = ANY(%(own)s)",
    "EARLY": "stage = ANY(%(early)s)",
}
SOFT = {
    "STAGE": "stage = ANY(%(below)s)",
    "PAUSED": "coalesce(paused_until >= %(today)s, false)",
    "CAP_LIVE": "live >= cap_live",
    "CAP_YEAR": "total >= cap_year",
    "BEFORE": "id = ANY(%(before)s)",
    "TRIED": "id = ANY(%(tried)s)",
    "TAKEN_BACK": "id = ANY(%(taken_back)s)",
}
# Criterion of `ranking.ORDER` → what is sorted by, ascending.
CRITERIA = {
    ranking.SOFT: " OR ".join(f"({speaks})" for speaks in SOFT.values()),
    ranking.FULL: "live + invited >= cap_live",
    ranking.SHARE: "(total + invited)::float8 / cap_year",
    ranking.WISHES: f"""-(CASE WHEN gender = ANY(%(genders)s) THEN {ranking.WISH} ELSE 0 END
        + CASE WHEN %(by_specialty)s AND coalesce(specialty, '') = %(specialty)s
            OR %(by_practice)s AND practice = %(practice)s THEN {ranking.WISH} ELSE 0 END
        + CASE WHEN %(by_stage)s AND stage = %(stage)s THEN {ranking.WISH} ELSE 0 END
        + CASE WHEN speaks_french THEN %(french)s ELSE 0 END)""",
    ranking.STAGE: f"CASE stage {' '.join(f'WHEN {s.value!r} THEN {n}' for s, n in ranking.SENIORITY.items())} END",
    ranking.CARRIED: "live + invited",
    ranking.WAITED: "coalesce(date_trunc('month', last_match AT TIME ZONE 'UTC'), '-infinity')",
    ranking.NUMBER: "id",
}
_NONE_SPEAKS = " AND ".join(f"NOT ({speaks})" for speaks in HARD.values())
_ORDER = ", ".join(f"({CRITERIA[name]})" for name in ranking.ORDER)
_GROUP = f"CASE {' '.join(f'WHEN {speaks} THEN {GROUPS[code]!r}' for code, speaks in HARD.items())} ELSE '' END"
FIRST = f"SELECT * FROM {HERE} WHERE {_NONE_SPEAKS} ORDER BY {_ORDER} LIMIT %(limit)s"
THESE = f"SELECT * FROM ({ROSTER}) AS peer WHERE id = ANY(%(ids)s) ORDER BY id"
COUNTS = f"SELECT {_GROUP} AS code, count(*) FROM {HERE} GROUP BY 1"
NAMES = f"""SELECT code, name FROM (SELECT {_GROUP} AS code, name, id FROM {HERE}) AS grouped
    WHERE code = ANY(%(codes)s) ORDER BY name, id LIMIT %(limit)s OFFSET %(skip)s"""


def parameters(need: Need, history: MatchHistory, *, site: int, today: date) -> dict[str, Any]:
    """Return what the statements are asked with: of the request, codes and ids."""
    wishes = set(need.wishes)
    french = ranking.LANGUAGE if need.talk_in == Language.FRENCH and Wish.FRENCH not in wishes else 0
    return {
        "site": site,
        "today": today,
        "year": today.year,
        "departments": list(need.departments),
        "evaluators": list(need.evaluators),
        **{name: list(ids) for name, ids in vars(history).items()},
        "early": [stage.value for stage in NEVER_WITH.get(Stage(need.stage), ())],
        "below": [stage.value for stage in ONE_BELOW.get(Stage(need.stage), ())],
        "genders": [gender for gender in Gender.values if gender in wishes],
        "by_specialty": Wish.SPECIALTY in wishes and bool(need.specialty),
        "by_practice": Wish.SPECIALTY in wishes and not need.specialty and need.practice != "UNSAID",
        "by_stage": Wish.STAGE in wishes and need.stage != Stage.UNSAID,
        "specialty": need.specialty,
        "practice": need.practice,
        "stage": need.stage,
        "french": ranking.WISH if Wish.FRENCH in wishes else french,
    }


def first(values: dict[str, Any], limit: int = SHOWN) -> list[Any]:
    """Return the rows of those against whom no hard rule speaks, in the order of `ranking.ORDER`."""
    return _rows(FIRST, values | {"limit": limit})


def by_ids(values: dict[str, Any], ids: Iterable[int]) -> list[Any]:
    """Return the rows of these supporters, whatever speaks against them."""
    return _rows(THESE, values | {"ids": list(ids)})


def counts(values: dict[str, Any]) -> dict[str, int]:
    """Return code of a group → how many are left out for it first; under "" how many are not left out."""
    return {row.code: row.count for row in _rows(COUNTS, values)}


def left_out(values: dict[str, Any], codes: list[str], *, limit: int, skip: int = 0) -> list[tuple[str, str]]:
    """Return (code of the group, name) of those left out for one of `codes`, by name."""
    return [(row.code, row.name) for row in _rows(NAMES, values | {"codes": codes, "limit": limit, "skip": skip})]


def _rows(statement: str, parameters: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description]
        return [SimpleNamespace(**dict(zip(names, values, strict=True))) for values in cursor.fetchall()]
