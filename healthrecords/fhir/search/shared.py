"""Search parameters that people, organizations and places have in common."""

from .params import IdentifierParam, Param, StringParam, TelecomParam

IDENTIFIER_PARAM = IdentifierParam("identifier")
_PLACES = {"city": "city", "state": "state", "postalcode": "postal_code", "country": "country"}


def name_params() -> tuple[Param, ...]:
    """`name` (any part of one), `family`, `given`."""
    any_part = ("family", "given[]", "prefix[]", "suffix[]", "text")
    return (
        StringParam("name", "names", key="any_key", exact=any_part),
        StringParam("family", "names", key="family_key", exact=("family",)),
        StringParam("given", "names", key="given_key", exact=("given[]",)),
    )


def telecom_params() -> tuple[Param, ...]:
    """`telecom` of any kind, `phone`, `email`."""
    kinds = (TelecomParam(kind, where={"system": kind}) for kind in ("phone", "email"))
    return (TelecomParam("telecom"), *kinds)


def address_params() -> tuple[Param, ...]:
    """`address` (any part of one) and its places."""
    any_part = ("line[]", "city", "district", "state", "postal_code", "country", "text")
    places = (
        StringParam(f"address-{name}", "addresses", key=f"{column}_key", exact=(column,))
        for name, column in _PLACES.items()
    )
    return (StringParam("address", "addresses", key="any_key", exact=any_part), *places)
