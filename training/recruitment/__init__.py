"""How somebody becomes a peer supporter (docs/decisions/0015-recruitment.md).

Nominated, invited, interest form, reviewed, training, agreement, active; or stopped, at any step before. Anyone
nominates at `/<site>/nominate/`; who is invited on the page People begins at "invited". Two people review. Stopping
ends the role, and the end of the role stops.
"""
