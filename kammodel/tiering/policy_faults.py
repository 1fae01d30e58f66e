"""Says in one line what is wrong with a policy file: file, line, key, reason, nearest name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kammodel.errors import PolicyInvalid

UNKNOWN_CRITERION = "unknown_criterion"
"""Type of our own fault: something for a criterion that does not exist. Context: key, known, place (dotted)."""


def invalid(path: Path, fault: Exception, text: str = "", model: type[BaseModel] | None = None) -> PolicyInvalid:
    """The fault as PolicyInvalid. `text` is the file's content, `model` what it should describe.

    Of several faults the first is told, with the number of the others.
    """
    if isinstance(fault, ValidationError) and model is not None:
        return _invalid_value(path, fault, text, model)
    if isinstance(fault, tomllib.TOMLDecodeError):
        return PolicyInvalid(f"{path}: not valid TOML: {_one_line(str(fault))}")
    if isinstance(fault, UnicodeDecodeError):
        return PolicyInvalid(f"{path}: not UTF-8 text")
    reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else type(fault).__name__
    return PolicyInvalid(f"{path}: cannot be read: {reason}")


def _invalid_value(path: Path, fault: ValidationError, text: str, model: type[BaseModel]) -> PolicyInvalid:
    first, *others = fault.errors(include_url=False)
    keys = [str(part) for part in first["loc"] if isinstance(part, str)]
    if first["type"] == UNKNOWN_CRITERION:
        keys = [*str(first["ctx"]["place"]).split("."), str(first["ctx"]["key"])]
    named = re.match(r"([a-z_]+(?:\.[a-z_]+)+)", str(first.get("ctx", {}).get("error", "")))
    line = _line_of(text, [*keys, *named[1].split(".")] if named else keys)
    where = f"{path}, line {line}" if line else str(path)
    name = ".".join(keys)
    more = f" (and {len(others)} more)" if others else ""
    return PolicyInvalid(_one_line(f"{where}: {name + ': ' if name else ''}{_reason(first, keys, model)}{more}"))


def _reason(error: ErrorDetails, keys: list[str], model: type[BaseModel]) -> str:
    if error["type"] == UNKNOWN_CRITERION:
        return "no such criterion" + _nearest(keys[-1], error["ctx"]["known"])
    if error["type"] == "extra_forbidden":
        return "no such key" + _nearest(keys[-1], _names_at(model, keys[:-1]))
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    message = error["msg"][:1].lower() + error["msg"][1:]
    value = error["input"]
    return message if isinstance(value, dict) else f"{message}, not {value!r}"


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(names)}"


def _names_at(model: type[BaseModel], keys: Iterable[str]) -> list[str]:
    for key in keys:
        field = model.model_fields.get(key)
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return []
        model = field.annotation
    return list(model.model_fields)


def _line_of(text: str, keys: list[str]) -> int | None:
    """The line that sets the dotted name `keys`, else the nearest table around it; 1 is the first line.

    Knows plain `[table]` headers and `key =` lines, which is how people write a policy; an inline table is
    found by the line that opens it.
    """
    wanted = ".".join(keys)
    table, best, best_line = "", "", None
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        assigned = re.match(r"\s*([\w\"'.\- ]+?)\s*=", line)
        if header:
            table = name = _plain(header[1])
        elif assigned:
            name = f"{table}.{_plain(assigned[1])}" if table else _plain(assigned[1])
        else:
            continue
        around, inside = f"{wanted}.".startswith(f"{name}."), name.startswith(f"{wanted}.")
        if (around and len(name) > len(best)) or (inside and not best):
            best, best_line = name, number
    return best_line


def _plain(name: str) -> str:
    return re.sub(r"[\s\"']", "", name)


def _one_line(text: str) -> str:
    return " ".join(text.split())
