"""The switchboard: settings, addresses, start-up checks, Celery, row-level security, the vault."""
