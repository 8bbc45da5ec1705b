"""Somebody notifies the program of a physician (docs/decisions/0012-reach-out.md).

Who notifies says first whether the physician agreed. With their word it is a request whose consent stands by the
notifier's word until the peer has asked; without it a referral that only awaits an answer.
"""
