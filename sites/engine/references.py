"""The short codes people use: of a request, of an access point, of someone on the way."""

# No 0/O, 1/I/L: a reference is read aloud over the phone.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def reference(number: int) -> str:
    """Return the code people use for row `number`: short, no order to be read from it, never twice."""
    for size in (4, 5, 6):
        space = len(ALPHABET) ** size
        if number < space:
            # Coprime to 31, so every number below `space` gets a code of its own.
            rest = (number * 179_426_549 + 104_729) % space
            letters = []
            for _ in range(size):
                rest, position = divmod(rest, len(ALPHABET))
                letters.append(ALPHABET[position])
            return "".join(letters)
    raise OverflowError("More rows than references.")
