"""The local run: PostgreSQL and Valkey under one's own account, and whatever command runs beside them."""
