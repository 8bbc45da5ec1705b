"""What stands before every view: access level, session, second factor, role, token; and slow, never closed, forms.

Sign-in is with a passkey, or with a code by mail and an authenticator app; there are no passwords
(docs/decisions/0004-no-passwords.md). Whether the second factor is satisfied is answered in one place,
`permissions.second_factor`; a demonstration session counts in the local run only.
"""
