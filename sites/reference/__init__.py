"""Provincial reference data without persons: crisis lines, specialties, texts, rates, settings."""
