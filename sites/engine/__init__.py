"""What every move leans on: states, due times, mail, audit trail, facts, rows of Today.

Nothing here knows an app: apps register what they have.
"""
