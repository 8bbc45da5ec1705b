"""Accounts: joining by invitation, signing in and out, passkeys, authenticator apps, recovery codes."""
