"""The roster as a whole: its page, import and export as CSV or XLSX, and what it asks of an administrator.

A file is read, shown with every row's errors and changes, and imported as shown. Who is new is invited; their line
waits until they join or the invitation ends.
"""
