"""The yearly agreement, limits, pauses, notice, and coming back."""
