"""What a site may paste elsewhere: a link, a card, words for a newsletter. No script and no frame in any of them."""

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import override

from sites.reference.queries import crisis_lines
from sites.tenants.models import Site


@dataclass(frozen=True)
class Snippet:
    """Something to copy: what it is called, in which language, and the text itself."""

    label: str
    language: str
    text: str


def snippets(site: Site, address: str) -> list[Snippet]:
    """Return everything that can be pasted with this address, in both languages."""
    kinds = (
        (_("Button for your own page"), _button),
        (_("Card for your own page"), _card),
        (_("Newsletter, one line"), _line),
        (_("Newsletter, a paragraph"), _paragraph),
        (_("Newsletter, in full"), _in_full),
    )
    made = []
    for label, make in kinds:
        for language in ("en", "fr"):
            with override(language):
                made.append(Snippet(label, language, make(site, address)))
    return made


# Styles stand in the tag: a page elsewhere does not know ours.
def _button(site: Site, address: str) -> str:
    return format_html(
        '<a href="{}" style="display:inline-block;padding:12px 20px;border-radius:10px;background:#1f5a4d;'
        'color:#fff;font-weight:600;text-decoration:none">{}</a>',
        address,
        _("Ask for peer support"),
    )


def _card(site: Site, address: str) -> str:
    return format_html(
        '<div style="max-width:420px;padding:20px;border:1px solid #ddd8cd;border-radius:10px;background:#faf8f4;'
        'color:#1d2b28">\n<p style="margin:0 0 8px;font-size:20px;font-weight:600">{}</p>\n'
        '<p style="margin:0 0 16px">{}</p>\n{}\n</div>',
        _title(),
        _promise(),
        _button(site, address),
    )


def _title() -> str:
    return _("Talk with a colleague who understands the work")


def _promise() -> str:
    return _("In confidence, one to three conversations. Nobody takes notes.")


def _line(site: Site, address: str) -> str:
    return _("A hard week? A trained colleague will listen, in confidence: %(address)s") % {"address": address}


def _paragraph(site: Site, address: str) -> str:
    return _(
        "Talk with a colleague who understands the work. Through %(site)s, a trained physician will listen,"
        " in confidence, for one to three conversations. Ask for yourself, or show this to someone:"
        " %(address)s"
    ) % {"site": site.name, "address": address}


def _in_full(site: Site, address: str) -> str:
    return "\n\n".join(
        (
            _title(),
            _(
                "An adverse event, a complaint, a conflict, burnout, a change at work or something at home:"
                " these weigh on all of us, and most of us carry them alone. %(site)s offers peer support."
                " A trained physician will listen, in confidence, for one to three conversations. It is not therapy,"
                " mentoring or medical care, and nobody takes notes."
            )
            % {"site": site.name},
            _(
                "Asking takes about two minutes. Once you are matched, your peer contacts you within 72 hours."
                " You may ask for someone from outside your region. Ask here: %(address)s"
            )
            % {"address": address},
            _("If you need help right now:")
            + " "
            + " · ".join(f"{line.number} {line.words}" for line in crisis_lines()),
        )
    )
