"""Where a site writes its own texts: drafts, previews, versions."""
