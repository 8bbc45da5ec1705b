"""How the figures of the province are made, in plain words: for the public page and the annual evaluation."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Section:
    """A heading and its paragraphs."""

    heading: str
    paragraphs: list[str]


TEXT: tuple[tuple[Promise, tuple[Promise, ...]], ...] = (
    (
        _("What is counted"),
        (
            _(
                "When something happens, such as a request that is received, the site adds one to a count of that"
                " month. The count holds no name and leads to no request. It stays when the request is erased."
            ),
            _(
                "A late report counts in the month in which it is made. Programs outside the funding are not in "
                "these figures."
            ),
        ),
    ),
    (
        _("What is told"),
        (
            _(
                "Five tables, always the same: requests by period, by reason, by pathway, by site, and how the "
                "program works. Every count that is told is 0, or %(least)s and more. Percentages need a base of "
                "20 or more, and both of their parts must be 0, or %(least)s and more. Medians need 10 values and"
                " are whole hours."
            ),
            _(
                "The survey has one base, all who answered it: a base for each question would show that somebody "
                "passed one over."
            ),
            _(
                "A site knows its own count. So whatever is left when one site takes its own away must be 0, or "
                "%(least)s and more, too."
            ),
            _(
                "What is too small is not only hidden, for a hidden number can be worked out from those around "
                "it. It is told together with more: months as a quarter, quarters as a half-year or a year, rare "
                "reasons as one group, small sites of a region as a group of three or more, with others where "
                "need be. Sites are told once a year, when the fiscal year closes. That a number is hidden may "
                "say that it is small; it does not say how small."
            ),
        ),
    ),
    (
        _("The attack"),
        (
            _(
                "Small numbers can hide in differences: a year less three of its quarters is the fourth. So "
                "before anything is published we attack it ourselves, as somebody would who keeps every figure "
                "ever published."
            ),
            _(
                "Each published number is an equation, each rounded percentage an interval, and a median says of half "
                "the contacts whether they were in time. For every hidden "
                "count between 1 and %(most)s, such as the requests of one site in one quarter, a solver looks "
                "for the smallest and the largest number that fits all equations. Only if the smallest is 0, and "
                "the largest %(least)s or more, is the count well hidden. If a single one is not, nothing is "
                "published, and the tables are made coarser."
            ),
            _(
                "The solver also tries fractions. For the count that is hidden least well of each kind we "
                "therefore look for whole numbers at both ends too, and check their sums ourselves."
            ),
        ),
    ),
    (
        _("What never changes"),
        (
            _(
                "Counts are frozen when a quarter is prepared, and what is published stays as it is. A correction"
                " that came later would show by its difference; so it is not made here. Each site sees its own "
                "figures with every correction."
            ),
        ),
    ),
    (
        _("What this does not do"),
        (
            _(
                "Who already knows that somebody asked learns nothing new here. The attack looks at requests, "
                "contacts, conversations and answers one by one; it does not compare them with each other, nor "
                "with what a site tells about itself."
            ),
        ),
    ),
)


def sections() -> list[Section]:
    """Return the text in the language at hand, with the smallest count that may be published."""
    least = {"least": settings.PSI_K, "most": settings.PSI_K - 1}
    return [Section(str(heading), [str(paragraph) % least for paragraph in paragraphs]) for heading, paragraphs in TEXT]
