"""The key-account model: entities, store, KPIs, tiers and what we publish. No network, no Prefect, no clock."""
