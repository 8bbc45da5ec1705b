"""How the sites are doing, for the province: "on track" or "needs a hand", and why, in words, never a number.

A worker looks into each site every quarter of an hour and keeps a row at the province whose columns can hold a yes and
no number. A site that cannot be looked into is logged by its id and stops no other.
"""
