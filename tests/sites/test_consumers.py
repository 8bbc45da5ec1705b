"""Tokens of organizations: shown once, kept as a digest, ended at once."""

import re
from collections.abc import Callable
from typing import Any

from django.test import Client

from psi.tenancy import site_scope
from sites.engine.models import AuditEntry
from sites.gate import tokens as consumers
from sites.gate.models import Consumer
from tests.people import World

SignIn = Callable[[Any], Client]
PAGE = "/province/consumers/"


def test_a_token_is_shown_once_and_kept_as_a_digest(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world["coordinator"])
    assert browser.post(PAGE, {"name": ""}).status_code == 422
    answer = browser.post(PAGE, {"name": "Ministry of Health"})
    (token,) = re.findall(r">(psi_[\w-]{43})<", answer.text)
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    again = browser.post(PAGE, {"name": "Ministry of Health"})
    assert (again.status_code, "This organization has a token." in again.text) == (422, True)
    assert token not in browser.get(PAGE).text + again.text
    with site_scope(world.province.pk):
        consumer = Consumer.objects.get()
        assert consumer.digest == consumers.digest(token)
        assert token not in repr(list(Consumer.objects.values()))
        assert browser.post(PAGE, {"do": "end", "consumer": consumer.pk})["Location"] == PAGE
    with site_scope(world.province.pk):
        assert Consumer.objects.get().ended_at
        assert [entry.action for entry in AuditEntry.objects.order_by("number")] == ["ISSUED", "ENDED"]
    assert re.search(r">(psi_[\w-]{43})<", browser.post(PAGE, {"name": "Ministry of Health"}).text)


def test_two_tokens_are_never_the_same_and_advisors_issue_none(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world["coordinator"])
    tokens = {
        token
        for name in ("Ministry", "University")
        for token in re.findall(r"psi_[\w-]{43}", browser.post(PAGE, {"name": name}).text)
    }
    assert len(tokens) == 2
    assert sign_in(world["advisor"]).post(PAGE, {"name": "Advisors"}).status_code == 403
