"""What provisioning would deploy, as a folder that an admin reviews and deploys, with a guide beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.salesforce.provisioning.components import package_files
from connectors.salesforce.provisioning.custom_fields import field_component
from connectors.salesforce.provisioning.guide import PACKAGE, admin_guide
from connectors.salesforce.provisioning.list_view import view_component
from connectors.salesforce.provisioning.permission_sets import INTEGRATION, READER, set_component
from kammodel.publish.fields import CustomField


def export(fields: Sequence[CustomField], language: str, version: str, folder: Path) -> list[Path]:
    """The files written. Layouts are not among them: they are the org's own, and have to be read first."""
    view = view_component(fields, language)
    components = [
        *(field_component(field, language) for field in fields),
        *([view] if view is not None else []),
        *(set_component(name, fields, language) for name in (INTEGRATION, READER)),
    ]
    # Beside the package, because a deployment takes all of its folder.
    files = {"README.md": admin_guide(fields, language).encode()}
    files |= {f"{PACKAGE}/{name}": content for name, content in package_files(components, version).items()}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [folder / name for name in files]
