"""Pages of no subject: the front page, errors, health, and where a link from a mail leads."""
