"""Mutation testing of the rules that protect people: small changes to the code that a test must notice.

`make mutants` draws a sample of all changes, runs the tests that cover each changed file, and prints what no test
noticed. `modules.toml` says which files are changed and which tests are run, `equivalent.toml` which changes no test
can notice and why. The changes are mutmut's and a few of our own (`operators.py`); nothing is written into the tree.
Reasons: docs/decisions.
"""
