"""The interaction tracker: closed lists and a month, and what must not stand on a conversation beside it.

Debriefs, informal contacts and remarks have tables of their own (docs/decisions/0023-beside-conversations.md). It also
erases requests, for only here every table is known that leads to one.
"""
