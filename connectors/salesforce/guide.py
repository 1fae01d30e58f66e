"""The guide for the admin that goes with exported provisioning: how to deploy it, and what no API can do."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.salesforce.metadata import INTEGRATION, READER
from kammodel.publish.fields import CustomField

PACKAGE = "package"
"""The folder to deploy, beside the guide."""
_GUIDE = {
    "en": """# Account fields for kam

| field | label | type | who writes |
|---|---|---|---|
{rows}

## Deploy

With the Salesforce CLI, signed in as a user who may modify metadata, from this folder:

    sf project deploy start --metadata-dir {package} --single-package

(`--dry-run` checks without changing anything.) Or: zip the contents of `{package}`, and deploy the
archive in Workbench (Migration > Deploy, Single Package). Nothing is deleted, and no data is touched.

## Who sees and edits (Setup > Permission Sets)

1. Assign `{integration}` to the user that kam signs in as. It edits the fields that kam writes, and nothing else;
   that user also needs the permissions listed in kam's README for Salesforce.
2. Assign `{reader}` to the account managers. They see the fields that kam writes and fill in the others.

## Show them on the Account page (no API can do this safely)

1. Setup > Object Manager > Account > Lightning Record Pages: edit the page, and add the fields to a section (or,
   without Dynamic Forms, Page Layouts > a section "KAM"). Fields that kam writes: read-only.
2. Accounts > List view > New: filters My accounts and KAM tier equals Strategic or Key; columns tier, score, reason,
   revenue, win rate, days since last touch.

Before the first run look at flows, triggers and validation rules on Account: the first run fills these fields on
every account. A value that a person types into them is never overwritten.
""",
    "es": """# Campos de cuenta para kam

| campo | etiqueta | tipo | quién escribe |
|---|---|---|---|
{rows}

## Desplegar

Con la CLI de Salesforce, como usuario que puede modificar metadatos, desde esta carpeta:

    sf project deploy start --metadata-dir {package} --single-package

(`--dry-run` comprueba sin cambiar nada.) O bien: comprima el contenido de `{package}` y
despliegue el archivo en Workbench (Migration > Deploy, Single Package). No se borra nada ni se toca ningún dato.

## Quién ve y edita (Configuración > Conjuntos de permisos)

1. Asigne `{integration}` al usuario con el que kam entra. Edita los campos que kam escribe y nada más; ese usuario
   necesita además los permisos que enumera el README de kam para Salesforce.
2. Asigne `{reader}` a los gestores de cuentas. Ven los campos que kam escribe y rellenan los demás.

## Mostrarlos en la página de la cuenta (ninguna API puede hacerlo con seguridad)

1. Configuración > Gestor de objetos > Cuenta > Páginas de registro Lightning: edite la página y añada los campos a una
   sección (o, sin Dynamic Forms, Formatos de página > una sección "KAM"). Los que kam escribe: solo lectura.
2. Cuentas > Vista de lista > Nueva: filtros Mis cuentas y Nivel KAM igual a Estratégica o Clave; columnas nivel,
   puntuación, motivo, ingresos, tasa de éxito, días desde el último contacto.

Antes de la primera ejecución revise los flujos, desencadenadores y reglas de validación de Cuenta: la primera
ejecución rellena estos campos en todas las cuentas. Lo que escribe una persona en ellos, kam no lo pisa nunca.
""",
}
_WRITERS = {"en": ("kam", "a person"), "es": ("kam", "una persona")}


def admin_guide(fields: Sequence[CustomField], language: str) -> str:
    """The guide in the language, `es` or English, with a table of the fields."""
    spoken = language if language in _GUIDE else "en"
    ours, theirs = _WRITERS[spoken]
    rows = "\n".join(
        f"| `{f.salesforce_name}` | {f.label.in_(spoken)} | {_kind(f)} | {ours if f.ours else theirs} |" for f in fields
    )
    return _GUIDE[spoken].format(rows=rows, package=PACKAGE, integration=INTEGRATION, reader=READER)


def _kind(field: CustomField) -> str:
    if field.kind == "text":
        return f"Text({field.length})"
    if field.kind in {"number", "percent"}:
        return f"{field.kind.title()}({field.precision - field.scale}, {field.scale})"
    return field.kind.title()
