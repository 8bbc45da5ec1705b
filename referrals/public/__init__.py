"""The public page and the request form, in English and French."""
