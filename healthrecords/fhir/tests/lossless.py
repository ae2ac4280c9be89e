"""Made-up resources of every shape, and how two resources are compared without overlooking a digit."""

from decimal import Decimal

from hypothesis import strategies as st

from healthrecords.jsontext import dump_json, parse_json

LETTERS = "abcXYZ ñéß漢字🙂|%_\\'\"-.:/"


def same(resource):
    """A resource in a form whose equality tells 1 from 1.0, 1.00 and true."""
    return _exact(parse_json(dump_json(resource)))


def _exact(value):
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return type(value).__name__, str(value)


words = st.text(LETTERS, min_size=1, max_size=12).filter(str.strip)
codes = st.sampled_from(["A", "en", "M", "SS", "2106-3", "x-y"])
uris = st.sampled_from(["urn:example:a", "http://example.org/b", "urn:ietf:bcp:47"])
ids = st.from_regex(r"[A-Za-z0-9.\-]{1,20}", fullmatch=True)
dates = st.sampled_from(["1980", "1980-05", "1980-05-17", "2024-02-29", "0001-01-01", "9999-12-31"])
times = dates | st.sampled_from(
    ["2020-01-02T03:04:05Z", "1999-12-31T23:59:60+14:00", "2020-01-02T03:04:05.12345-05:00"]
)
decimals = st.sampled_from([Decimal("1.00"), Decimal("0.10"), Decimal("1E+2"), Decimal("-0.000"), Decimal(10**20)])
primitives = words | st.booleans() | st.integers(-(2**31), 2**31 - 1) | decimals


def some(**elements):
    """An object with any of these elements, and at least one."""
    return st.fixed_dictionaries({}, optional=elements).filter(bool)


def listed(items, most=3):
    return st.lists(items, min_size=1, max_size=most)


def beside(values, optional=False):
    """A list of primitives with the list of their extensions beside it, null where there is none."""
    return st.lists(
        st.tuples(values | st.none() if optional else values, st.none() | extensible), min_size=1, max_size=3
    )


extensions = st.recursive(
    st.fixed_dictionaries({"url": uris, "valueWild": primitives}),
    lambda inner: st.fixed_dictionaries({"url": uris, "extension": st.lists(inner, min_size=1, max_size=2)}),
    max_leaves=4,
)
extensible = st.fixed_dictionaries({"extension": listed(extensions, 2)})
periods = some(start=times, end=times, _start=extensible)
codings = some(system=uris, code=codes, display=words, version=words, userSelected=st.booleans())
concepts = some(coding=listed(codings), text=words, extension=listed(extensions, 2))


def reference(*types):
    literal = st.builds("{}/{}".format, st.sampled_from(types), ids)
    forms = (
        literal,
        literal.map(lambda text: f"{text}/_history/2"),
        literal.map(lambda text: f"http://127.0.0.1:8000/fhir/{text}"),
        literal.map(lambda text: f"https://elsewhere.example/fhir/{text}"),
        st.sampled_from(["#inside", "urn:uuid:7ac0bbd9-9c52-5a34-9a8b-0a0d1b1c2d3e", "Organization?identifier=a|b"]),
    )
    return some(reference=st.one_of(*forms), display=words, type=st.sampled_from(types), identifier=some(value=words))


@st.composite
def names(draw):
    made = draw(some(use=st.sampled_from(["official", "maiden"]), text=words, family=words, period=periods, id=ids))
    for element in draw(st.sets(st.sampled_from(["given", "prefix", "suffix"]))):
        pairs = draw(beside(words, optional=True))
        values, extras = [value for value, _ in pairs], [extra for _, extra in pairs]
        if any(values):
            made[element] = values
        if any(extras):
            made[f"_{element}"] = extras
    return made


identifiers = some(
    use=st.sampled_from(["usual", "old"]),
    type=concepts,
    system=uris | st.just("http://hl7.org/fhir/sid/us-ssn"),
    value=words,
    period=periods,
    assigner=reference("Organization"),
    _value=extensible,
)
telecoms = some(
    system=st.sampled_from(["phone", "email", "sms"]),
    value=words,
    use=st.sampled_from(["home", "mobile"]),
    rank=st.integers(1, 9),
    period=periods,
    extension=listed(extensions),
)
addresses = some(
    use=st.sampled_from(["home", "billing"]),
    type=st.sampled_from(["postal", "both"]),
    text=words,
    line=listed(words),
    city=words,
    district=words,
    state=words,
    postalCode=words,
    country=words,
    period=periods,
    _city=extensible,
)
everywhere = {
    "meta": some(profile=listed(uris), tag=listed(codings), extension=listed(extensions)),
    "implicitRules": uris,
    "language": codes,
    "text": st.just({"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">…</div>'}),
    "contained": listed(st.fixed_dictionaries({"resourceType": st.just("Organization"), "id": ids, "name": words}), 2),
    "extension": listed(extensions),
    "modifierExtension": listed(extensions),
    "identifier": listed(identifiers),
    "telecom": listed(telecoms),
}


def organizations():
    return some(
        **everywhere,
        active=st.booleans(),
        name=words,
        alias=listed(words),
        type=listed(concepts),
        address=listed(addresses),
        partOf=reference("Organization", "Patient"),
    ).map(lambda made: {"resourceType": "Organization", **made})


def practitioners():
    return some(
        **everywhere,
        active=st.booleans(),
        name=listed(names()),
        gender=st.sampled_from(["male", "unknown"]),
        birthDate=dates,
        address=listed(addresses),
        qualification=listed(some(code=concepts, period=periods)),
    ).map(lambda made: {"resourceType": "Practitioner", **made})


def locations():
    return some(
        **everywhere,
        status=st.sampled_from(["active", "suspended"]),
        name=words,
        alias=listed(words),
        description=words,
        address=addresses,
        position=some(longitude=decimals, latitude=decimals),
        managingOrganization=reference("Organization"),
        partOf=reference("Location"),
    ).map(lambda made: {"resourceType": "Location", **made})
