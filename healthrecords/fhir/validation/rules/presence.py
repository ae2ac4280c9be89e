"""Invariants that only say which elements must, or must not, stand beside each other: rows of data."""

from collections.abc import Callable

from .registry import JSON, Scope, Test, has, invariant

# At least one of the elements exists.
_ANY_OF: dict[str, tuple[str, ...]] = {
    "imm-1": ("documentType", "reference"),
    "imr-1": ("vaccineCode", "targetDisease"),
    "pat-1": ("name", "telecom", "address", "organization"),
    "org-1": ("identifier", "name"),
    "ppc-1": ("policy", "policyRule"),
    "cpb-1": ("rest", "messaging", "document"),
    "cpb-2": ("description", "software", "implementation"),
    "bdl-5": ("resource", "request", "response"),
    "app-1": ("type", "actor"),
    "apr-1": ("participantType", "actor"),
    "exp-1": ("expression", "reference"),
    "con-1": ("summary", "assessment"),
    "con-2": ("code", "detail"),
    "cmp-1": ("text", "entry", "section"),
    "obs-3": ("low", "high", "text"),
    "mad-1": ("dose", "rate[x]"),
    "ipn-1": ("identifier", "name"),
    "eld-1": ("discriminator", "description"),
    "sdf-2": ("name", "uri"),
    "sdf-6": ("snapshot", "differential"),
    "tcp-2": ("description", "software", "implementation"),
    "vsd-1": ("valueSet", "system"),
    "vsd-6": ("code", "display"),
    "opd-1": ("type", "part"),
}
# Where the first exists, the second does, too.
_NEEDS: dict[str, tuple[str, str]] = {
    "att-1": ("data", "contentType"),
    "cpt-2": ("value", "system"),
    "qty-3": ("code", "system"),
    "tim-1": ("duration", "durationUnit"),
    "tim-2": ("period", "periodUnit"),
    "tim-6": ("periodMax", "period"),
    "tim-7": ("durationMax", "duration"),
    "tim-8": ("countMax", "count"),
    "trd-2": ("condition", "data"),
    "fhs-2": ("estimatedAge", "age[x]"),
    "gol-1": ("detail[x]", "measure"),
    "prr-1": ("orderDetail", "code"),
    "spd-1": ("xpath", "xpathUsage"),
    "smp-1": ("element", "context"),
    "smp-2": ("context", "contextType"),
    "vsd-10": ("code", "system"),
    "eld-22": ("sliceIsConstraining", "sliceName"),
}
# Not both.
_NOT_BOTH: dict[str, tuple[str, str]] = {
    "sev-1": ("name", "query"),
    "lst-1": ("emptyReason", "entry"),
    "cmp-2": ("emptyReason", "entry"),
    "cpl-3": ("detail", "reference"),
    "qrs-1": ("answer", "item"),
    "que-4": ("answerOption", "answerValueSet"),
    "que-11": ("answerOption", "initial"),
    "tim-10": ("timeOfDay", "when"),
    "trd-1": ("data", "timing[x]"),
    "obs-6": ("dataAbsentReason", "value[x]"),
    "fhs-1": ("age[x]", "born[x]"),
    "vsd-3": ("concept", "filter"),
    "eld-8": ("pattern[x]", "fixed[x]"),
    "eld-15": ("defaultValue[x]", "meaningWhenMissing"),
}
# One of the two and not both.
_EITHER: dict[str, tuple[str, str]] = {
    "ext-1": ("extension", "value[x]"),
    "drq-1": ("path", "searchParam"),
    "drq-2": ("path", "searchParam"),
    "tst-1": ("operation", "assert"),
    "tst-2": ("operation", "assert"),
    "inv-1@TestReport.setup.action": ("operation", "assert"),
    "inv-2": ("operation", "assert"),
    "rqg-1": ("resource", "action"),
    "ces-1": ("category", "productOrService"),
}
# Both or neither.
_TOGETHER: dict[str, tuple[str, str]] = {"app-2": ("start", "end"), "msq-5": ("chromosome", "genomeBuild")}


def _any_of(*names: str) -> Test:
    def test(element: JSON, scope: Scope) -> bool:
        return has(element, *names)

    return test


def _pair(judge: Callable[[bool, bool], bool], first: str, second: str) -> Test:
    def test(element: JSON, scope: Scope) -> bool:
        return judge(has(element, first), has(element, second))

    return test


for _key, _names in _ANY_OF.items():
    invariant(_key)(_any_of(*_names))
for _rows, _judge in (
    (_NEEDS, lambda first, second: second or not first),
    (_NOT_BOTH, lambda first, second: not (first and second)),
    (_EITHER, lambda first, second: first != second),
    (_TOGETHER, lambda first, second: first == second),
):
    for _key, _two in _rows.items():
        invariant(_key)(_pair(_judge, *_two))
