"""Salesforce: one org behind the contract that the pipeline knows."""
