"""The roster's rows: who a supporter is, what they say of themselves, whom they evaluate, where they are lent to.

Supporters show themselves on the public page by their own word: an agreement is an audit entry, and ends with the
role. Photos are drawn anew and found by their digest while their owner is shown.
"""
