"""Invents a company's book of business: the parts that `connectors.sandbox.seed` puts together."""
