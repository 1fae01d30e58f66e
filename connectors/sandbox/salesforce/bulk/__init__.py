"""Bulk API 2.0: jobs that query, jobs that write, and the CSV that goes in and out."""
