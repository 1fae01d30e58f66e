"""Rollups that people declare in rollups.toml: figures over the rows of an account, as KPIs and as fields of a CRM."""

from kammodel.rollups.declaring import Rollup
from kammodel.rollups.reading import FILENAME, parse_rollups

__all__ = ["FILENAME", "Rollup", "parse_rollups"]
