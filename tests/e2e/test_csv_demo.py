"""`kam demo --from-csv`: one's own book."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.kam_process import begun, ended

BOOK = {
    "Account.csv": """Id,Name,ParentId,Type
a1,Alfa,,Customer
a2,Alfa Sur,a1,Customer
a3,"=Beta [red]|",,Customer
""",
    "Opportunity.csv": """Id,Name,AccountId,StageName,Amount,CloseDate,CreatedDate
o1,Uno,a1,Closed Won,1000,2025-03-01,2025-01-01T10:00:00.000Z
o2,Dos,a2,Closed Won,5000,2025-09-01,2025-06-01T10:00:00.000Z
o3,Tres,a3,Closed Won,700,2025-10-01,2025-07-01T10:00:00.000Z
o4,Cuatro,a3,Closed Lost,900,2025-11-30,2025-08-01T10:00:00.000Z
o5,Cinco,a3,Closed Won,many,2025-11-30,2025-08-01T10:00:00.000Z
""",
}


def test_demo_of_a_csv_folder_in_spanish(tmp_path: Path, prefect_api: str) -> None:
    """One's own book, as of its latest event; a row that cannot be held is set aside and said; nothing is markup."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name, rows in BOOK.items():
        (folder / name).write_text(rows, "utf-8")
    arguments = ("demo", "--from-csv", str(folder), "--server", prefect_api)
    code, text, errors = ended(begun(tmp_path, *arguments, KAM_LANGUAGE="es"))
    assert (code, errors) == (0, "")
    assert "Primera ejecución, a fecha 2025-11-30" in text
    assert "Opportunity: 1 rows set aside" in text
    assert re.search(r"Alfa \+1 - \w+ \d+,\d 6\.000", text)
    assert "=Beta [red]|" in text
    assert "No se ha escrito nada" in text
