"""Reports as PDF: of a release, of a site's fiscal year, of a year for evaluation."""
