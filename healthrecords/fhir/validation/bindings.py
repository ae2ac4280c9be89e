"""Required bindings: whether a code, Coding, CodeableConcept or Quantity is of the value set that its element names."""

import re
from collections.abc import Callable, Mapping
from typing import Any

JSON = dict[str, Any]
Systems = Mapping[str, frozenset[str]]

_MIME = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+\-]*/[A-Za-z0-9*][A-Za-z0-9!#$&^_.+\-*]*(\s*;\s*[^;\s=]+=[^;]+)*;?")
_LANGUAGE = re.compile(r"([A-Za-z]{2,8}|[xXiI])(-[A-Za-z0-9]{1,8})*")
_CURRENCIES = frozenset(  # ISO 4217, with the fund and metal codes
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD"
    " CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP"
    " GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KMF KPW"
    " KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN"
    " NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS"
    " SPL SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TVD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VEF"
    " VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWL".split()
)
FORMATS = "http://hl7.org/fhir/ValueSet/mimetypes and xml, json, ttl"  # CapabilityStatement.format, by its definition
# Value sets that no list can hold: a rule instead. Those that are in neither table are not checked.
_BY_RULE: dict[str, Callable[[str], bool]] = {
    "http://hl7.org/fhir/ValueSet/mimetypes": lambda code: _MIME.fullmatch(code) is not None,
    FORMATS: lambda code: code in ("xml", "json", "ttl") or _MIME.fullmatch(code) is not None,
    "http://www.rfc-editor.org/bcp/bcp13.txt": lambda code: _MIME.fullmatch(code) is not None,
    "http://hl7.org/fhir/ValueSet/all-languages": lambda code: _LANGUAGE.fullmatch(code) is not None,
    "http://hl7.org/fhir/ValueSet/currencies": _CURRENCIES.__contains__,
}


class Binding:
    """The value set of one element. `checkable` is false for those that no package enumerates."""

    __slots__ = ("_anywhere", "_rule", "_systems", "checkable", "name")

    def __init__(self, url: str, systems: Systems | None) -> None:
        self.name = url.rpartition("/")[2]
        self._systems = systems
        self._anywhere = frozenset().union(*systems.values()) if systems is not None else frozenset()
        self._rule = _BY_RULE.get(url) if systems is None else None
        self.checkable = systems is not None or self._rule is not None

    def has_code(self, code: Any) -> bool:
        """Whether a code without system is of the value set."""
        if not isinstance(code, str) or not self.checkable:
            return True  # what is no string was reported as such
        return self._rule(code) if self._rule else code in self._anywhere

    def has_coding(self, coding: Any) -> bool:
        """Whether a Coding's system and code are of the value set."""
        if not isinstance(coding, dict) or not self.checkable:
            return True
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(code, str) or not isinstance(system, str):
            return False
        if self._rule or self._systems is None:
            return self.has_code(code)
        return code in self._systems.get(system, ())

    def fault(self, type_name: str, value: Any) -> str | None:
        """Say why a value of that type does not meet the binding, or None."""
        if not self.checkable:
            return None
        if type_name in ("CodeableConcept", "Coding", "Quantity"):
            codings = value.get("coding", []) if type_name == "CodeableConcept" else [value]
            known = isinstance(codings, list) and any(self.has_coding(each) for each in codings)
            return None if known else f"has no code of the value set {self.name}, which is required{self._hint()}"
        if self.has_code(value):
            return None
        return f"'{str(value)[:60]}' is not a code of the value set {self.name}{self._hint()}"

    def _hint(self) -> str:
        few = sorted(self._anywhere)
        return f" ({', '.join(few)})" if 0 < len(few) <= 12 else ""
