"""Every table of moves, written out: from which states a verb starts, and where it leads."""

from typing import Any

import pytest
from django.apps import apps

# Model, then verb: states it starts from > state it leads to.
TABLES = """
matching.Match
  accept: INVITED > ACCEPTED
  decline: INVITED ACCEPTED > DECLINED
  expire: INVITED > EXPIRED
  revoke: INVITED ACCEPTED > REVOKED
  confirm: ACCEPTED > CONFIRMED
  record_contact: CONFIRMED > CONTACTED
  reassign: CONFIRMED CONTACTED > REASSIGNED
  close: INVITED ACCEPTED CONFIRMED > REVOKED
  finish: CONTACTED > COMPLETED
referrals.Referral
  agree: AWAITING > OPEN
  match: OPEN > MATCHED
  reopen: MATCHED > OPEN
  close: OPEN MATCHED > CLOSED
  withdraw: OPEN MATCHED > WITHDRAWN
  hand_over: OPEN MATCHED > HANDED_OVER
  mark_spam: OPEN > SPAM
  clear_spam: SPAM > OPEN
tracker.Release
  pass: CHECKING > READY
  refuse: CHECKING > REFUSED
  publish: READY > PUBLISHED
  drop: CHECKING READY REFUSED > DROPPED
training.Claim
  submit: REFUSED WITHDRAWN > SUBMITTED
  withdraw: SUBMITTED > WITHDRAWN
  approve: SUBMITTED > APPROVED
  refuse: SUBMITTED > REFUSED
  batch: APPROVED > BATCHED
training.Enrolment
  enrol: CANCELLED WAITING > ENROLLED
  wait: CANCELLED > WAITING
  step_back: ENROLLED WAITING > CANCELLED
  attend: ENROLLED WAITING ABSENT ATTENDED > ATTENDED
  miss: ENROLLED ATTENDED ABSENT > ABSENT
training.PeerSupporter
  prepare: ACTIVE LEFT > PREPARING
  activate: PREPARING LEFT > ACTIVE
  leave: PREPARING ACTIVE > LEFT
training.Recruit
  invite: NOMINATED INVITED > INVITED
  send: INVITED > INTERESTED
  review: INTERESTED > REVIEWED
  train: REVIEWED > TRAINING
  trained: TRAINING > AGREEING
  agreed: AGREEING > ACTIVE
  stop: NOMINATED INVITED INTERESTED REVIEWED TRAINING AGREEING > STOPPED
training.Session
  hold: PLANNED > HELD
  cancel: PLANNED > CANCELLED
"""
Table = dict[str, tuple[frozenset[str], str]]


def written() -> dict[str, Table]:
    found: dict[str, Table] = {}
    model = ""
    for line in TABLES.strip().splitlines():
        if line.startswith("  "):
            verb, rest = line.split(":")
            sources, goal = rest.split(">")
            found[model][verb.strip()] = (frozenset(sources.split()), goal.strip())
        else:
            model = line
            found[model] = {}
    return found


def declared() -> dict[str, Any]:
    return {model._meta.label: model.MOVES for model in apps.get_models() if hasattr(model, "MOVES")}


@pytest.mark.parametrize("label", sorted(written()))
def test_a_table_of_moves_is_as_written(label: str) -> None:
    assert dict(declared()[label]) == written()[label]


def test_every_table_is_written_and_leads_to_states_there_are() -> None:
    assert set(declared()) == set(written())
    for label, table in written().items():
        states = {code for code, _words in apps.get_model(label)._meta.get_field("state").choices}
        for verb, (sources, goal) in table.items():
            assert sources | {goal} <= states, (label, verb)
