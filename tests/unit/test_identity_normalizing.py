"""Names, hosts and countries in the form in which two CRMs are compared."""

from __future__ import annotations

import polars as pl
import pytest

from kammodel.identity.normalizing import country_keys, is_below, name_keys, web_hosts


def one(text: str | None) -> pl.Series:
    return pl.Series([text], dtype=pl.String)


@pytest.mark.parametrize(
    "address",
    [
        "acme.com",
        "ACME.com.",
        "https://www.acme.com/es/inicio?x=1#top",
        "http://acme.com:8080",
        "https:/acme.com",
        "//acme.com",
        "www2.acme.com",
        " acme.com ",
        "acme.com, acme.es",
        "info@acme.com",
        "http://user:secret@acme.com\\path",
        "\uff41\uff43\uff4d\uff45.com",
    ],
)
def test_an_address_is_its_host(address: str) -> None:
    assert web_hosts(one(address)).to_list() == ["acme.com"]


@pytest.mark.parametrize(("address", "host"), [("xn--mnchen-3ya.de", "münchen.de"), ("MÜNCHEN.de", "münchen.de")])
def test_a_coded_host_is_what_people_read(address: str, host: str) -> None:
    assert web_hosts(one(address)).to_list() == [host]


def test_a_host_coded_badly_stays_as_it_is() -> None:
    assert web_hosts(one("xn--a\u00e9.de")).to_list() == ["xn--a\u00e9.de"]


@pytest.mark.parametrize("address", [None, "", "acme", "localhost", "10.0.0.1", "[::1]", "https://", "not known", "@"])
def test_what_is_no_host_is_none(address: str | None) -> None:
    assert web_hosts(one(address)).to_list() == [None]


@pytest.mark.parametrize(
    "address", ["gmail.com", "es.linkedin.com/company/acme", "m.facebook.com", "yahoo.co.uk", "wordpress.com", "co.uk"]
)
def test_a_host_that_many_share_is_none(address: str) -> None:
    assert web_hosts(one(address)).to_list() == [None]


@pytest.mark.parametrize("address", ["acme.wordpress.com", "acme.myshopify.com", "notgmail.com", "acme.co.uk"])
def test_a_host_of_its_own_under_a_shared_one_is_one(address: str) -> None:
    assert web_hosts(one(address)).to_list() == [address]


@pytest.mark.parametrize(
    ("host", "other", "below"),
    [
        ("acme.com", "acme.com", True),
        ("shop.acme.com", "acme.com", True),
        ("acme.com", "shop.acme.com", True),
        ("myacme.com", "acme.com", False),
        ("acme.es", "acme.com", False),
    ],
)
def test_a_part_of_a_host_is_below_it(host: str, other: str, below: bool) -> None:
    assert pl.select(is_below(pl.lit(host), pl.lit(other))).item() is below


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Acme", "acme"),
        ("  ACME,   S.L. ", "acme"),
        ("Acme S. L. U.", "acme"),
        ("Acme Sociedad Anónima", "acme"),
        ("Acme, S.A. de C.V.", "acme"),
        ("Acme Ltd.", "acme"),
        ("Acme Co., Ltd.", "acme"),
        ("Acme, Inc.", "acme"),
        ("Acme L.L.C.", "acme"),
        ("Acme GmbH & Co. KG", "acme"),
        ("Acme UG (haftungsbeschränkt)", "acme"),
        ("Acme SAS", "acme"),
        ("Acme S.à r.l.", "acme"),
        ("Acme S.p.A.", "acme"),
        ("Acme S.r.l.", "acme"),
        ("Müller & Söhne AG", "muller and sohne"),
        ("Muller und Sohne", "muller and sohne"),
        ("García y Hijos", "garcia and hijos"),
        ("Straße", "strasse"),
        ("L'Oréal", "loreal"),
        ("L\u2019Oréal", "loreal"),
        ("Ford Motor Company", "ford motor co"),
        ("Ford Motor Co.", "ford motor co"),
        ("SAS Institute", "sas institute"),
        ("Limited Brands", "limited brands"),
        ("ガス", "ガス"),
    ],
)
def test_a_name_is_known_without_ornaments(name: str, key: str) -> None:
    assert name_keys(one(name)).to_list() == [key]


def test_letters_of_other_scripts_keep_their_signs() -> None:
    """Not an accent: ga and ka are two letters."""
    assert name_keys(pl.Series(["ガス", "カス"])).n_unique() == 2


@pytest.mark.parametrize("name", [None, "", "S.L.", "GmbH & Co. KG", "...", "n/a", "Test", "Unknown Ltd"])
def test_a_name_of_nothing_is_none(name: str | None) -> None:
    assert name_keys(one(name)).to_list() == [None]


@pytest.mark.parametrize("country", ["Spain", "España", "ES", "esp", " SPAIN ", "Spanien", "Espagne", "Spagna"])
def test_a_country_is_its_code(country: str) -> None:
    assert country_keys(one(country)).to_list() == ["ES"]


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("U.S.A.", "US"),
        ("EE. UU.", "US"),
        ("UK", "GB"),
        ("United Kingdom", "GB"),
        ("Deutschland", "DE"),
        ("Côte d'Ivoire", "CI"),
        ("Narnia", "narnia"),
        ("", None),
        (None, None),
    ],
)
def test_countries_are_told_apart(country: str | None, code: str | None) -> None:
    """One that nobody knows is its own words."""
    assert country_keys(one(country)).to_list() == [code]
