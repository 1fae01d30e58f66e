"""A local HubSpot portal over HTTP: written from HubSpot's documentation, strict on what it does not know."""
