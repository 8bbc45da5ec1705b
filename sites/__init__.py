"""The tenant and its people, and what every app leans on."""
