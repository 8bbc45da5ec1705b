"""What a reader finds on a page, in a picture or in a file."""

import re
from html import unescape

# Attributes that are read out, or shown by a pointer.
SPOKEN = re.compile(r'\b(?:title|alt|aria-label|aria-description|data-[a-z-]+|value|placeholder)="([^"]*)"')
UNSEEN = re.compile(r"<(script|style|head)\b.*?</\1>", re.S)


def visible(page: str) -> str:
    """Return the words of a page or a drawing in one line: what is shown, and what is read out."""
    main = re.search(r"<main\b.*?</main>", page, re.S)
    shown = UNSEEN.sub(" ", main[0] if main else page)
    spoken = " ".join(SPOKEN.findall(shown))
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown) + " " + spoken).split())
