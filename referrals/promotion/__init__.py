"""Being known: printed codes counted by week, posters and cards, texts and buttons to paste elsewhere.

Nothing is kept of who scanned a code, and a request does not point to its code
(docs/decisions/0008-codes-and-print.md).
"""
