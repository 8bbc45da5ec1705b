"""Who belongs to a site: invitations, roles, and their end."""
