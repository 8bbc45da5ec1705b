"""The moves of a match and what follows: invitation to contact, reminders, alerts, another peer."""
