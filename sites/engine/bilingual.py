"""One mail in both languages: whoever reads it may have an account without a language, or share the mailbox."""

from collections.abc import Callable

from django.utils import translation

LANGUAGES = ("en", "fr")


def bilingual(write: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """Return (subject, body) of one mail in English, and below a line of dashes in French.

    Args:
        write: returns both in the language in force.
    """
    halves = []
    for language in LANGUAGES:
        with translation.override(language):
            halves.append(write())
    subjects, bodies = zip(*halves, strict=True)
    return " · ".join(one.strip() for one in subjects), f"\n\n{'-' * 40}\n\n".join(one.strip() for one in bodies) + "\n"
