"""Our fields in an org: made with all that shows them, looked at before, and taken away again."""
