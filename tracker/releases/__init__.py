"""What the province publishes: frozen counts, tables, the disclosure audit, files and the API."""
