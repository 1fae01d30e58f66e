"""How we write: whose a field is, and how much may change at once. Read from TOML with every mistake named."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from kammodel.errors import PolicyInvalid
from kammodel.publish.fields import CustomField
from kammodel.tiering.policy_faults import invalid
from kammodel.tiering.sections import Count, Section, Share

FieldRule = Literal["person-wins", "ours", "fill-if-empty", "review"]
_DEFAULT = "default"


class Limits(Section):
    """How much a plan may change before a person has to look at it. Shares are 0..1."""

    tier_changes: Share
    emptied_cells: Share
    fewer_rows: Share
    more_nulls: Share
    rejects: Share
    least: Count


class Scope(Section):
    """What becomes of the fields of accounts that are no customers any more."""

    leaving: Literal["clear", "keep"]


class Plans(Section):
    """How long a plan may wait."""

    expires_hours: Annotated[int, Field(gt=0, le=24 * 31)]


class PublishRules(Section):
    """Everything that decides how values get into a CRM. `fields`: a rule by key of a field, and `default`."""

    fields: dict[str, FieldRule]
    limits: Limits
    scope: Scope
    plan: Plans

    def rule_of(self, key: str) -> FieldRule:
        """Whose a field is."""
        return self.fields.get(key, self.fields[_DEFAULT])

    @property
    def expires_after(self) -> dt.timedelta:
        return dt.timedelta(hours=self.plan.expires_hours)

    def check_names(self, fields: Iterable[CustomField]) -> None:
        """Raises PolicyInvalid where there is a rule for a field that we do not write."""
        known = [field.key for field in fields]
        for key in self.fields:
            if key != _DEFAULT and key not in known:
                close = get_close_matches(key, known, n=1, cutoff=0.5)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
                raise PolicyInvalid(f"KAM_PUBLISH_FILE: fields.{key}: kam writes no such field; {hint}")


def load_rules(path: Path | None = None) -> PublishRules:
    """The default rules, with what the file at `path` says instead; PolicyInvalid names file, line and reason."""
    told = tomllib.loads(files(__package__).joinpath("publish.toml").read_text("utf-8"))
    if path is None:
        return PublishRules.model_validate(told)
    try:
        text = path.read_text("utf-8")
        return PublishRules.model_validate(_over(told, tomllib.loads(text)))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as unreadable:
        raise invalid(path, unreadable) from unreadable
    except ValidationError as fault:
        raise invalid(path, fault, text, PublishRules) from fault


def _over(defaults: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """Section by section, what `own` says over the defaults."""
    merged = dict(defaults)
    for name, section in own.items():
        default = defaults.get(name)
        both = isinstance(default, dict) and isinstance(section, dict)
        merged[name] = {**default, **section} if both else section  # type: ignore[dict-item]
    return merged
