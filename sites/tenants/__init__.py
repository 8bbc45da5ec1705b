"""What a site is, who has which role there, and what the province lets a site choose."""
