"""What the public page says: the site's own texts, else the province's, else those that come with the program."""
