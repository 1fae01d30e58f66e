"""README.md of this folder, made from the files' declarations: `python -m kammodel.given.describing > README.md`."""

from __future__ import annotations

import sys

from kammodel.given.declaring import Column, GivenFile
from kammodel.given.files import FILES
from kammodel.given.words import WORDS

_HEAD = """\
# Files of KAM_INPUTS_DIR

What no CRM holds, as CSV files that a spreadsheet can save. Each is optional; `kam` reads those that are there.

- UTF-8, with or without the mark that Excel puts first. Commas or semicolons between cells. The first line names the
  columns, in any order; columns in **bold** have to be there and to be filled, others may be missing or empty.
- Days: `2026-06-30`. Numbers: `1234.56`. In a file with semicolons, which is what a Spanish Excel saves, `1234,56` and
  `1.234,56` are read too, and `1.234` is refused, since it could be either. Yes and no: `yes`, `no`, `sí`, `true`, `0`.
- An account is named by its id in any CRM (a merged one means its survivor), by a group's id, or by the id in a
  cross-reference field. An id that accounts of two CRMs have names neither: write `salesforce:<id>`. An account that
  nobody knows is counted and listed with every score, and is no fault: a file may be ahead of a CRM.
- Anything else that cannot be read is refused, with file, line, column and what to do, all faults of all files at once
  (exit code 3). No two lines of a file agree in its key.

Made from the code by `python -m kammodel.given.describing`.
"""


def readme() -> str:
    """The text of README.md."""
    parts = [_HEAD, *map(_section, FILES), _words()]
    return "\n".join(parts)


def _section(one: GivenFile) -> str:
    rows = "\n".join(map(_row, one.columns))
    either = "".join(f"Fill one of {left} and {right}. " for left, right in one.one_of)
    key = ", ".join(one.key)
    return f"## {one.filename}\n\n{one.about} {either}Key: {key}.\n\n| column | content |\n|---|---|\n{rows}\n"


def _row(column: Column) -> str:
    name = f"**{column.name}**" if column.required else column.name
    about = column.about.rstrip(".")
    if column.choices:
        about += f": {', '.join(column.choices)}"
    elif column.kind == "money" and column.low is not None:
        pass
    elif column.low is not None or column.high is not None:
        ends = [f"{word} {end:g}" for word, end in (("from", column.low), ("up to", column.high)) if end is not None]
        about += f", {' '.join(ends)}"
    return f"| {name} | {about} |"


def _words() -> str:
    rows = "\n".join(f"| {name} | {', '.join(words)} |" for name, words in WORDS.items())
    return (
        "### Words that hold without the file\n\nIn titles a word has to stand by itself, and `?` is any letter; "
        f"elsewhere it is the whole text.\n\n| list | words |\n|---|---|\n{rows}\n"
    )


if __name__ == "__main__":
    sys.stdout.write(readme())
