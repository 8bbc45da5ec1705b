"""Planned sessions: places and waiting lists, reminders, materials, calendars."""
