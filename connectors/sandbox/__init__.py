"""Local CRMs over HTTP, for the demo, for tests and for trying your own export. Bound to 127.0.0.1 only."""
