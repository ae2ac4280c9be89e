"""One term of a search, `name:modifier=value,value`, as a condition on the rows of a type."""

import re
from typing import TYPE_CHECKING

from .faults import BadSearch
from .params import Condition, Param

if TYPE_CHECKING:
    from healthrecords.fhir.resource import Resource

MAX_VALUES = 200  # of one parameter
_SPLIT = re.compile(r"(?<!\\),")
_ESCAPE = re.compile(r"\\([\\,|$])")


def condition(resource: "Resource", name: str, value: str) -> Condition:
    """The condition that a term which is no chain stands for; raise BadSearch for what the type does not know."""
    plain, _, modifier = name.partition(":")
    param = param_of(resource, plain)
    values = [_ESCAPE.sub(r"\1", part) for part in alternatives(value) if part.strip()]
    if not values:
        raise BadSearch(f"The parameter '{name}' has no value.")
    if len(values) > MAX_VALUES:
        raise BadSearch(f"The parameter '{name}' has more than {MAX_VALUES} values.")
    return param.condition(resource.model, modifier, values)


def param_of(resource: "Resource", name: str) -> Param:
    """The search parameter of a type by its name; raise BadSearch where there is none."""
    param: Param | None = resource.params.get(name)
    if param is None:
        raise BadSearch(f"{resource.name} has no search parameter '{name[:60]}'; /fhir/metadata lists those it has.")
    return param


def alternatives(value: str) -> list[str]:
    """The values that the commas of `value` separate."""
    return _SPLIT.split(value)
