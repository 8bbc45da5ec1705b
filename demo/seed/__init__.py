"""The demonstration data: three sites and the province, with a year of stories."""
