"""Who may be asked for a request, in which order, and why not the others.

`queries` opens the vault for the rules and gathers what earlier invitations say; `filters` asks PostgreSQL for the
fifty who come first, `rules` collects every reason for and against each of these, `ranking` puts them in order. The
page shows reasons, never numbers; the number of queries does not depend on the roster
(docs/decisions/0016-candidates-in-sql.md).
"""
