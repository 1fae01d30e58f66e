"""A Salesforce org in memory, served over HTTP as Salesforce's documentation describes it."""
