"""Tokens by which programs of other organizations read what is published: issued once, ended by a press."""
