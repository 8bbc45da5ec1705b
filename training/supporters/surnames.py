"""Surnames, as they are compared to keep two people apart. Pure.

A supporter is known by surname alone, never by a first name; what a physician types may be anything. So every word
typed counts, and only surnames of supporters are looked for among them: a shared first name excludes nobody.
"""

import re
import unicodedata

# Said before or after a name, and no part of it.
_TITLE = re.compile("drs?|dre|doctor|docteure?|prof(essor)?|m(r|rs|s|x|iss|me)|md|phd|frc[ps]c|[cf]cfp|jr|sr")
# These belong to the word after them: alone they would exclude half of the roster.
_PARTICLE = re.compile(
    r"\w|v[ao]n|vom|zu|zum|der?|den|del|della|d[aiou]|dos|das|des|la|les?|el|al|bin|ibn|ter?|ten|ste?|ma?c|santa|san"
)
_JOINING = re.compile("and|or|et|ou|und")
# What Unicode does not take apart.
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def name_words(text: str) -> frozenset[str]:
    """Return every word of the names in a text, however they are separated: by commas, "and", lines."""
    return frozenset(word for part in _parts(text) for word in _words(part))


def surnames(name: str) -> frozenset[str]:
    """Return the words a person is known by: all but the first name; before a comma, all of it."""
    pieces = [[word for part in _parts(piece) for word in part] for piece in name.split(",")]
    first, *more = [piece for piece in pieces if piece] or [[]]
    return frozenset(_words(first if more or len(first) == 1 else first[1:]))


def _parts(text: str) -> list[list[str]]:
    """Return the names in a text, each as its words, which may still hold hyphens and apostrophes."""
    plain = unicodedata.normalize("NFKD", re.sub("[’‘ʼ`´]", "'", text))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold().translate(_LETTERS)
    parts: list[list[str]] = [[]]
    for word in re.findall(r"[\w'‐‑–-]+|[^\w\s.()\[\]\"]|[\r\n]", plain):
        if not any(map(str.isalpha, word)) or _JOINING.fullmatch(word):
            parts.append([])
        elif not _TITLE.fullmatch(word):
            parts[-1].append(word)
    return [part for part in parts if part]


def _words(part: list[str]) -> list[str]:
    """Return the words to compare: "van der Berg" is berg and vanderberg, "O'Brien" is brien and obrien."""
    compared: list[str] = []
    before: list[str] = []
    for word in (one for whole in part for one in re.findall(r"[^\W_]+", whole)):
        before.append(word)
        if not _PARTICLE.fullmatch(word):
            compared += _ends(before)
            before = []
    # Le and Van are surnames too, where nothing follows them; a letter is none.
    return compared + [end for end in _ends(before) if len(end) > 1]


def _ends(words: list[str]) -> list[str]:
    """Return every end of a row of words, written as one: what stands before may be a first name's letter."""
    return ["".join(words[start:]) for start in range(len(words))]
