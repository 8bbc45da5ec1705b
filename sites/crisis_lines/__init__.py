"""Numbers for someone who needs help now, and how long ago each was called.

One provincial list, begun from `sites/reference/reference.toml` and from then on the coordinators'; a site adds
numbers of its own, shown last in the full block, and calls them as often. The pages 500 and 503 are plain files and
say what the list began with; when it says something else by now, the coordinators' page tells them so.
"""
