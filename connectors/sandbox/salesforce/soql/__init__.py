"""SOQL: the part of it that an extractor needs, read strictly and run over the tables of an org."""
