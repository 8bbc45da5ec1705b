"""Addresses stand on printed posters and in mail that was sent: each goes on leading where it led."""

from pathlib import Path

import pytest
from django.urls import URLResolver, get_resolver, resolve

# Address, name of its view, arguments as name=value; one line for each address of the program.
WRITTEN = [line.split("\t") for line in Path(__file__).with_name("addresses.tsv").read_text().splitlines()]


@pytest.mark.parametrize(("address", "name", "arguments"), WRITTEN, ids=[line[0] for line in WRITTEN])
def test_an_address_leads_where_it_led(address: str, name: str, arguments: str) -> None:
    found = resolve(address)
    assert (found.url_name, " ".join(f"{key}={value}" for key, value in sorted(found.kwargs.items()))) == (
        name,
        arguments,
    )


def test_every_address_is_in_the_list() -> None:
    def names(resolver: URLResolver) -> set[str]:
        below = (names(each) if isinstance(each, URLResolver) else {str(each.name)} for each in resolver.url_patterns)
        return set().union(*below)

    assert names(get_resolver()) == {name for _address, name, _arguments in WRITTEN}
