"""Bulk API 2.0 over our own session: what is too large for pages of two thousand rows, or batches of two hundred."""
