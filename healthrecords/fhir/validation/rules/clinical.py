"""Invariants of resource types that come contained, in Bundles or from other systems."""

from .datatypes import UCUM, later, number
from .registry import JSON, Scope, coded, distinct, has, invariant, listed, text_of, within

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_WITH_LENGTH = ("boolean", "decimal", "integer", "string", "text", "url", "open-choice")
_WITH_OPTIONS = ("choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity")


def _in_error(resource: JSON, system: str) -> bool:
    return coded(within(resource, "verificationStatus"), _TERMINOLOGY + system, "entered-in-error")


@invariant("ait-1")
def allergy_has_a_clinical_status(allergy: JSON, scope: Scope) -> bool:
    return _in_error(allergy, "allergyintolerance-verification") or has(allergy, "clinicalStatus")


@invariant("ait-2")
def wrong_allergy_has_no_clinical_status(allergy: JSON, scope: Scope) -> bool:
    return not (_in_error(allergy, "allergyintolerance-verification") and has(allergy, "clinicalStatus"))


@invariant("con-4")
def abated_condition_is_not_active(condition: JSON, scope: Scope) -> bool:
    over = coded(
        within(condition, "clinicalStatus"), _TERMINOLOGY + "condition-clinical", "resolved", "remission", "inactive"
    )
    return over or not has(condition, "abatement[x]")


@invariant("con-5")
def wrong_condition_has_no_clinical_status(condition: JSON, scope: Scope) -> bool:
    return not (_in_error(condition, "condition-ver-status") and has(condition, "clinicalStatus"))


@invariant("obs-7")
def component_repeats_no_code(observation: JSON, scope: Scope) -> bool:
    own = [(each.get("system"), each.get("code")) for each in listed(within(observation, "code"), "coding")]
    parts = [each for part in listed(observation, "component") for each in listed(within(part, "code"), "coding")]
    repeated = any((each.get("system"), each.get("code")) in own for each in parts)
    return not repeated or not has(observation, "value[x]")


@invariant("app-3")
def appointment_has_its_time(appointment: JSON, scope: Scope) -> bool:
    timed = has(appointment, "start") and has(appointment, "end")
    return timed or appointment.get("status") in ("proposed", "cancelled", "waitlist")


@invariant("app-4")
def reason_is_of_a_cancelled_appointment(appointment: JSON, scope: Scope) -> bool:
    return not has(appointment, "cancelationReason") or appointment.get("status") in ("no-show", "cancelled")


@invariant("mdd-1")
def handed_over_after_preparation(dispense: JSON, scope: Scope) -> bool:
    prepared, handed = text_of(dispense, "whenPrepared"), text_of(dispense, "whenHandedOver")
    return not (prepared and handed and later(prepared, handed))


@invariant("inv-1@Task")
def task_changes_after_it_was_written(task: JSON, scope: Scope) -> bool:
    authored, changed = text_of(task, "authoredOn"), text_of(task, "lastModified")
    return not (authored and changed and later(authored, changed))


@invariant("lnk-1")
def linkage_has_two_items(linkage: JSON, scope: Scope) -> bool:
    return len(listed(linkage, "item")) > 1


@invariant("ras-1")
def probability_is_a_percentage(span: JSON, scope: Scope) -> bool:
    ends = [within(span, name) for name in ("low", "high") if has(span, name)]
    return all(each.get("code") == "%" and each.get("system") == UCUM for each in ends)


@invariant("ras-2")
def probability_is_at_most_100(prediction: JSON, scope: Scope) -> bool:
    value = number(prediction.get("probabilityDecimal"))
    return value is None or value <= 100


@invariant("mrp-1")
def data_collection_has_no_groups(report: JSON, scope: Scope) -> bool:
    return report.get("type") != "data-collection" or not has(report, "group")


@invariant("mrp-2")
def stratum_has_value_or_components(report: JSON, scope: Scope) -> bool:
    strata = [
        stratum
        for group in listed(report, "group")
        for stratifier in listed(group, "stratifier")
        for stratum in listed(stratifier, "stratum")
    ]
    return all(has(each, "value") != has(each, "component") for each in strata)


@invariant("mea-1")
def stratifier_has_criteria_or_components(measure: JSON, scope: Scope) -> bool:
    stratifiers = [each for group in listed(measure, "group") for each in listed(group, "stratifier")]
    return all(has(each, "code", "description", "criteria") != has(each, "component") for each in stratifiers)


@invariant("msq-3")
def sequence_counts_from_0_or_1(sequence: JSON, scope: Scope) -> bool:
    return sequence.get("coordinateSystem") in (0, 1) or not has(sequence, "coordinateSystem")


@invariant("cmd-1")
def loose_match_is_explained(target: JSON, scope: Scope) -> bool:
    return has(target, "comment") or target.get("equivalence") not in ("narrower", "inexact")


@invariant("cmd-2")
def fixed_mapping_has_a_code(unmapped: JSON, scope: Scope) -> bool:
    return unmapped.get("mode") != "fixed" or has(unmapped, "code")


@invariant("cmd-3")
def other_map_has_an_address(unmapped: JSON, scope: Scope) -> bool:
    return unmapped.get("mode") != "other-map" or has(unmapped, "url")


def _codes(concepts: list[JSON]) -> list[str]:
    return [code for each in concepts for code in (text_of(each, "code"), *_codes(listed(each, "concept")))]


@invariant("csd-1")
def codes_are_unique(system: JSON, scope: Scope) -> bool:
    return distinct([code for code in _codes(listed(system, "concept")) if code])


@invariant("vsd-2")
def included_concepts_have_a_system(include: JSON, scope: Scope) -> bool:
    return has(include, "system") or not has(include, "concept", "filter")


@invariant("vsd-9")
def entry_without_code_is_abstract(entry: JSON, scope: Scope) -> bool:
    return has(entry, "code") or entry.get("abstract") is True


@invariant("spd-2")
def chain_is_of_a_reference(parameter: JSON, scope: Scope) -> bool:
    return not has(parameter, "chain") or parameter.get("type") == "reference"


@invariant("opd-2")
def search_type_is_of_a_string(parameter: JSON, scope: Scope) -> bool:
    return not has(parameter, "searchType") or parameter.get("type") == "string"


@invariant("opd-3")
def target_is_of_a_reference(parameter: JSON, scope: Scope) -> bool:
    return not has(parameter, "targetProfile") or parameter.get("type") in ("Reference", "canonical")


@invariant("tcp-1")
def several_versions_have_codes(system: JSON, scope: Scope) -> bool:
    versions = listed(system, "version")
    return len(versions) < 2 or all(has(each, "code") for each in versions)


def _link_ids(items: list[JSON]) -> list[str]:
    return [name for each in items for name in (text_of(each, "linkId"), *_link_ids(listed(each, "item")))]


@invariant("que-2")
def link_ids_are_unique(questionnaire: JSON, scope: Scope) -> bool:
    return distinct([name for name in _link_ids(listed(questionnaire, "item")) if name])


@invariant("que-1")
def groups_have_items(item: JSON, scope: Scope) -> bool:
    kind = item.get("type")
    return (kind != "group" or has(item, "item")) and (kind != "display" or not has(item, "item"))


@invariant("que-3")
def display_has_no_code(item: JSON, scope: Scope) -> bool:
    return item.get("type") != "display" or not has(item, "code")


@invariant("que-6")
def display_is_not_required(item: JSON, scope: Scope) -> bool:
    return item.get("type") != "display" or not has(item, "required", "repeats")


@invariant("que-9")
def display_is_not_read_only(item: JSON, scope: Scope) -> bool:
    return item.get("type") != "display" or not has(item, "readOnly")


@invariant("que-5")
def options_are_of_a_choice(item: JSON, scope: Scope) -> bool:
    return item.get("type") in _WITH_OPTIONS or not has(item, "answerValueSet", "answerOption")


@invariant("que-7")
def exists_is_asked_with_a_boolean(condition: JSON, scope: Scope) -> bool:
    return condition.get("operator") != "exists" or has(condition, "answerBoolean")


@invariant("que-8")
def groups_have_no_initial_value(item: JSON, scope: Scope) -> bool:
    return item.get("type") not in ("group", "display") or not has(item, "initial")


@invariant("que-10")
def length_is_of_text(item: JSON, scope: Scope) -> bool:
    return item.get("type") in _WITH_LENGTH or not has(item, "maxLength")


@invariant("que-12")
def several_conditions_say_how(item: JSON, scope: Scope) -> bool:
    """More than one, as HL7's sentence says; the published expression is off by one."""
    return len(listed(item, "enableWhen")) <= 1 or has(item, "enableBehavior")


@invariant("que-13")
def several_initial_values_repeat(item: JSON, scope: Scope) -> bool:
    return item.get("repeats") is True or len(listed(item, "initial")) <= 1


@invariant("sdf-10")
def binding_has_a_value_set(element: JSON, scope: Scope) -> bool:
    return not has(element, "binding") or has(within(element, "binding"), "valueSet", "description")
