"""Invariants of the resource types that this server handles: directory, immunizations, documents, bundles, audit."""

from .registry import JSON, Scope, coded, distinct, has, invariant, listed, text_of, within

_REQUESTED = ("batch", "transaction", "history")
_ANSWERED = ("batch-response", "transaction-response", "history")


@invariant("org-2", "org-3")
def not_at_home(contact: JSON, scope: Scope) -> bool:
    """An organization's address and telecom are never of use `home`."""
    return contact.get("use") != "home"


@invariant("ppc-2", "ppc-3", "ppc-4", "ppc-5")
def consent_names_a_patient(consent: JSON, scope: Scope) -> bool:
    """As published: the system in HL7's expression is the placeholder 'something'."""
    return has(consent, "patient") or not coded(
        within(consent, "scope"), "something", "patient-privacy", "research", "adr", "treatment"
    )


@invariant("grp-1")
def only_actual_groups_have_members(group: JSON, scope: Scope) -> bool:
    return not has(group, "member") or group.get("actual") is True


@invariant("lst-2")
def deleted_entries_are_changes(resource: JSON, scope: Scope) -> bool:
    return resource.get("mode") == "changes" or not any(has(each, "deleted") for each in listed(resource, "entry"))


@invariant("lst-3")
def dated_entries_are_working(resource: JSON, scope: Scope) -> bool:
    return resource.get("mode") == "working" or not any(has(each, "date") for each in listed(resource, "entry"))


@invariant("inv-1@Parameters.parameter")
def parameter_has_one_content(parameter: JSON, scope: Scope) -> bool:
    return [has(parameter, name) for name in ("value[x]", "resource", "part")].count(True) == 1


@invariant("bdl-1")
def total_is_of_a_search_or_history(bundle: JSON, scope: Scope) -> bool:
    return not has(bundle, "total") or bundle.get("type") in ("searchset", "history")


@invariant("bdl-2")
def search_is_of_a_search(bundle: JSON, scope: Scope) -> bool:
    return bundle.get("type") == "searchset" or not any(has(each, "search") for each in listed(bundle, "entry"))


@invariant("bdl-3")
def entries_have_requests(bundle: JSON, scope: Scope) -> bool:
    wanted = bundle.get("type") in _REQUESTED
    return all(has(each, "request") == wanted for each in listed(bundle, "entry"))


@invariant("bdl-4")
def entries_have_responses(bundle: JSON, scope: Scope) -> bool:
    wanted = bundle.get("type") in _ANSWERED
    return all(has(each, "response") == wanted for each in listed(bundle, "entry"))


@invariant("bdl-7")
def full_urls_are_unique(bundle: JSON, scope: Scope) -> bool:
    """An entry without version is told apart by its fullUrl alone."""
    if bundle.get("type") == "history":
        return True
    entries = [each for each in listed(bundle, "entry") if has(each, "fullUrl")]
    return distinct([(each.get("fullUrl"), within(each, "resource", "meta").get("versionId")) for each in entries])


@invariant("bdl-8")
def full_url_has_no_version(entry: JSON, scope: Scope) -> bool:
    return "/_history/" not in text_of(entry, "fullUrl")


@invariant("bdl-9")
def document_is_identified(bundle: JSON, scope: Scope) -> bool:
    identifier = within(bundle, "identifier")
    return bundle.get("type") != "document" or (has(identifier, "system") and has(identifier, "value"))


@invariant("bdl-10")
def document_is_dated(bundle: JSON, scope: Scope) -> bool:
    return bundle.get("type") != "document" or "timestamp" in bundle


@invariant("bdl-11")
def document_starts_with_its_composition(bundle: JSON, scope: Scope) -> bool:
    return bundle.get("type") != "document" or _first_type(bundle) == "Composition"


@invariant("bdl-12")
def message_starts_with_its_header(bundle: JSON, scope: Scope) -> bool:
    return bundle.get("type") != "message" or _first_type(bundle) == "MessageHeader"


def _first_type(bundle: JSON) -> str:
    return text_of(within(next(iter(listed(bundle, "entry")), {}), "resource"), "resourceType")


@invariant("cpb-3")
def endpoint_is_of_an_instance(statement: JSON, scope: Scope) -> bool:
    endpoints = any(has(each, "endpoint") for each in listed(statement, "messaging"))
    return not endpoints or statement.get("kind") == "instance"


@invariant("cpb-7")
def documents_are_unique(statement: JSON, scope: Scope) -> bool:
    return distinct([(each.get("profile"), each.get("mode")) for each in listed(statement, "document")])


@invariant("cpb-9")
def resources_are_unique(rest: JSON, scope: Scope) -> bool:
    return distinct([each.get("type") for each in listed(rest, "resource")])


@invariant("cpb-12")
def search_parameters_are_unique(resource: JSON, scope: Scope) -> bool:
    return distinct([each.get("name") for each in listed(resource, "searchParam")])


@invariant("cpb-14", "tcp-3")
def instance_has_an_implementation(statement: JSON, scope: Scope) -> bool:
    return statement.get("kind") != "instance" or has(statement, "implementation")


@invariant("cpb-15", "tcp-4")
def capability_is_of_software(statement: JSON, scope: Scope) -> bool:
    software = has(statement, "software") and not has(statement, "implementation")
    return statement.get("kind") != "capability" or software


@invariant("cpb-16", "tcp-5")
def requirements_are_of_nothing_yet(statement: JSON, scope: Scope) -> bool:
    return statement.get("kind") != "requirements" or not has(statement, "implementation", "software")
