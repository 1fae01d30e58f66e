"""Receipts in words: Markdown pages for Prefect's UI."""
