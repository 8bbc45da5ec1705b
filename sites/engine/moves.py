"""What a move is, for every app: a table of allowed steps, and one typed way to refuse."""

from collections.abc import Mapping

Moves = Mapping[str, tuple[frozenset[str], str]]


class Refused(Exception):
    """A move that may not happen now. Its sentence is shown to the person; nothing was written."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def target(moves: Moves, verb: str, state: str, otherwise: str) -> str:
    """Return the state that `verb` leads to from `state`.

    Args:
        moves: verb → (states it may start from, state it leads to).
        otherwise: the sentence to refuse with.

    Raises:
        Refused: the move is not in the table.
    """
    sources, goal = moves[verb]
    if state not in sources:
        raise Refused(otherwise)
    return goal
