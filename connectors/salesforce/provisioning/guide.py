"""The guide for the admin that goes with exported provisioning: how to deploy it, and what is left to do by hand."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.salesforce.provisioning.list_view import NAME as LIST_VIEW
from connectors.salesforce.provisioning.permission_sets import INTEGRATION, READER
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
archive in Workbench (Migration > Deploy, Single Package). Nothing is deleted, and no data is touched. Where these
fields are there already and an admin made them longer, `kam provision` keeps that; this folder does not know of it.

## Who sees and edits (Setup > Permission Sets)

1. Assign `{integration}` to the user that kam signs in as. It edits the fields that kam writes, and nothing else;
   that user also needs the permissions listed in kam's README for Salesforce.
2. Assign `{reader}` to the account managers. They see the fields that kam writes and fill in the others.

## Show them

1. The list view `{list_view}` comes with the package, under Accounts: every strategic and key account. Share or change
   it as you like; a later deployment of this folder puts it back, `kam provision` keeps your changes.
2. On the page: `kam provision` (without `--out`) adds a section "KAM" to the page layouts of Account. By hand: Setup >
   Object Manager > Account > Page Layouts, a section "KAM"; the fields that kam writes as read-only.
3. With Dynamic Forms, layouts do not show on the Lightning page: Lightning Record Pages > edit > add the fields.

## Keep their history

Setup > Object Manager > Account > Fields > Set History Tracking: tick the fields that kam writes (20 per object at
most). By it kam finds, and puts back, what a person enters while a large write of kam's runs. `kam provision` (without
`--out`) does it by itself where history tracking of Account is on.

Before the first run look at flows, triggers and validation rules on Account: the first run fills these fields on
every account (`kam check` names them). A value that a person types into them is never overwritten.

To take it all away again: `kam provision --crm salesforce --remove`. It shows what goes, and asks.
""",
    "es": """# Campos de cuenta para kam

| campo | etiqueta | tipo | quién escribe |
|---|---|---|---|
{rows}

## Desplegar

Con la CLI de Salesforce, como usuario que puede modificar metadatos, desde esta carpeta:

    sf project deploy start --metadata-dir {package} --single-package

(`--dry-run` comprueba sin cambiar nada.) O bien: comprima el contenido de `{package}` y
despliegue el archivo en Workbench (Migration > Deploy, Single Package). No se borra nada ni se toca ningún dato. Si los
campos ya existen y un administrador los amplió, `kam provision` lo respeta; esta carpeta no lo sabe.

## Quién ve y edita (Configuración > Conjuntos de permisos)

1. Asigne `{integration}` al usuario con el que kam entra. Edita los campos que kam escribe y nada más; ese usuario
   necesita además los permisos que enumera el README de kam para Salesforce.
2. Asigne `{reader}` a los gestores de cuentas. Ven los campos que kam escribe y rellenan los demás.

## Mostrarlos

1. La vista de lista `{list_view}` viene con el paquete, en Cuentas: todas las cuentas estratégicas y clave. Compártala
   o cámbiela; volver a desplegar esta carpeta la repone, `kam provision` respeta sus cambios.
2. En la página: `kam provision` (sin `--out`) añade una sección "KAM" a los formatos de página de Cuenta. A mano:
   Configuración > Gestor de objetos > Cuenta > Formatos de página, una sección "KAM"; lo que kam escribe, solo lectura.
3. Con Dynamic Forms la página Lightning no muestra los formatos: Páginas de registro Lightning > editar > añada los
   campos.

## Conservar su historial

Configuración > Gestor de objetos > Cuenta > Campos > Establecer seguimiento del historial: marque los campos que kam
escribe (20 por objeto como máximo). Así kam encuentra, y repone, lo que una persona escribe mientras dura una escritura
grande de kam. `kam provision` (sin `--out`) lo hace solo si el seguimiento del historial de Cuenta está activado.

Antes de la primera ejecución revise los flujos, desencadenadores y reglas de validación de Cuenta: la primera
ejecución rellena estos campos en todas las cuentas (`kam check` los nombra). Lo que escribe una persona en ellos, kam
no lo pisa nunca.

Para retirarlo todo: `kam provision --crm salesforce --remove`. Muestra lo que se va, y pregunta.
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
    return _GUIDE[spoken].format(
        rows=rows, package=PACKAGE, integration=INTEGRATION, reader=READER, list_view=LIST_VIEW
    )


def _kind(field: CustomField) -> str:
    if field.kind == "text":
        return f"Text({field.length})"
    if field.is_number:
        return f"{field.kind.title()}({field.precision - field.scale}, {field.scale})"
    return field.kind.title()
