"""Hostile text that a CRM may hold: canaries that prove each exit escapes what it shows."""

from __future__ import annotations

# One company each carries these as its name, and in its deals and activities. Each is harmless wherever text is
# only text.
NAMES: dict[str, str] = {
    "rich markup": "[bold red]Kanarien[/bold red] & [link=https://example.com]Söhne[/link] [/] GmbH",
    "html": "<script>alert('kam')</script> & <b>Hijos</b> S.L.",
    "formula": '=HYPERLINK("https://example.com";"Factura")',
    "formula with at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "formula with plus": "+34 900 Telecom",
    "quotes": "O'Brien \"The Builder\" \\ Sons'; DROP TABLE account;--",
    "newlines": "Línea uno\nLínea dos\nTab\taquí",
    "terminal": "\x1b[31mAlarma\x1b[0m\x1b]0;title\x07 Systems",
    "right to left": "شركة الأمل \u202eFDP.exe\u202c",
    "cjk": "株式会社さくら東京・北海道",
    "emoji": "Café 🧑\u200d🚀 Ñandú 🇪🇸",
    "markdown": "| **Tabla** | [x](javascript:alert(1)) | `code`",
    "templates": "{{ 7*7 }} ${HOME} %(name)s {0}",
    "looks like null": "#N/A",
    "xml": "]]><Name>&amp;&#x0;</Name><!--",
    "long": "Sociedad Anónima de Nombre Interminable " * 6 + "S.A.",
}

PERSON = "Robert'); DROP TABLE contact;-- <i>Tables</i>"
DEAL = '=1+1 <img src=x onerror="alert(1)"> [red]Oferta[/red]'
SUBJECT = 'Re: "oferta", línea 1\nlínea 2 \x1b[2J | *nota* 🧾'
LOST_REASON = 'Dijeron: «no»,\n"demasiado caro"; \'; --'
