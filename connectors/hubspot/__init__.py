"""HubSpot: list and search in, batch update out, over hubspot-api-client's transport."""
