"""The guide for the admin that goes with exported provisioning: what no API can do, click by click."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.hubspot.provisioning.definitions import GROUP, GROUP_LABEL, kinds, label
from kammodel.publish.fields import CustomField

_GUIDE = {
    "en": """# Company properties for kam

| property | label | type | who writes |
|---|---|---|---|
{rows}

## Make the properties

Either run `kam provision` once with a token that has the scope `crm.schemas.companies.write`, or send the
two files of this folder with such a token, in this order:

    POST /crm/v3/properties/companies/groups        property-group.json
    POST /crm/v3/properties/companies/batch/create  properties.json

Or by hand: Settings > Properties > Company properties > Create group "{group}" (internal name `{name}`), then
Create property for each line of the table. Internal names and option values must be exactly these. The
nightly token needs `crm.objects.companies.read` and `.write` only, not this right.

## Show them on the company page (no API can do this)

1. Settings > Objects > Companies > Record customization > Default view: in the left sidebar add a card
   "Property list", name it "{group}", and choose the fields of the table. Save.
2. On the page of all companies: Add view > "My key accounts", filters Company owner = Me and KAM tier is any
   of Strategic, Key; Edit columns: tier, score, reason, revenue, win rate, days since touch. Save for everyone.
3. Settings > Properties > each property that kam writes > Manage access: view for everyone, edit for nobody
   but the integration (Professional and above). A value that a person types in is never overwritten by kam.

Before the first run look at Automation > Workflows for any that enrol on these properties: the first run
fills them on every company.
""",
    "es": """# Propiedades de empresa para kam

| propiedad | etiqueta | tipo | quién escribe |
|---|---|---|---|
{rows}

## Crear las propiedades

O bien ejecute `kam provision` una vez con un token que tenga el permiso `crm.schemas.companies.write`, o bien
envíe con él los dos ficheros de esta carpeta, en este orden:

    POST /crm/v3/properties/companies/groups        property-group.json
    POST /crm/v3/properties/companies/batch/create  properties.json

O a mano: Configuración > Propiedades > Propiedades de empresa > Crear grupo "{group}" (nombre interno
`{name}`) y luego Crear propiedad por cada línea de la tabla. Los nombres internos y los valores de las
opciones han de ser exactamente estos. El token nocturno solo necesita `crm.objects.companies.read` y `.write`.

## Mostrarlas en la página de la empresa (ninguna API puede hacerlo)

1. Configuración > Objetos > Empresas > Personalización del registro > Vista predeterminada: en la barra
   lateral izquierda añada una tarjeta "Lista de propiedades", llámela "{group}" y elija los campos. Guarde.
2. En la página de empresas: Añadir vista > "Mis cuentas clave", filtros Propietario = Yo y Nivel KAM es
   Estratégica o Clave; columnas: nivel, puntuación, motivo, ingresos, tasa de éxito, días sin contacto.
3. Configuración > Propiedades > cada propiedad que kam escribe > Gestionar acceso: ver para todos, editar
   solo la integración (Professional o superior). Lo que escribe una persona, kam no lo pisa nunca.

Antes de la primera ejecución revise en Automatización > Workflows los que se disparan con estas propiedades:
la primera ejecución las rellena en todas las empresas.
""",
}
_WRITERS = {"en": ("kam", "a person"), "es": ("kam", "una persona")}


def admin_guide(fields: Sequence[CustomField], language: str) -> str:
    """The guide in the language, `es` or English, with a table of the fields."""
    spoken = language if language in _GUIDE else "en"
    ours, theirs = _WRITERS[spoken]
    rows = "\n".join(
        f"| `{f.hubspot_name}` | {label(f, spoken)} | {'/'.join(kinds(f))} | {ours if f.ours else theirs} |"
        for f in fields
    )
    return _GUIDE[spoken].format(rows=rows, group=GROUP_LABEL.in_(spoken), name=GROUP)
