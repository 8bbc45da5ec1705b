"""A request that came by phone, mail or word of mouth, written down by an administrator."""
