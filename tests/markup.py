"""What tests read of a page, whichever way its template is laid out."""

import re


def flat(markup: str) -> str:
    """Return the markup on one line, without the spaces before and after tags, and at the end inside one."""
    return re.sub(r"\s*(<[^>]*?)\s*>\s*", r"\1>", " ".join(markup.split()))
