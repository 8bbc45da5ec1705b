"""Rollups of facts, and a site's own figures as pictures with tables."""
