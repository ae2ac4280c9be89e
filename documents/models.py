"""Stored content, and which documents it belongs to."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.access.request import Actor
from healthrecords.crypto.fields import EncryptedTextField
from healthrecords.fhir import datatypes as d
from healthrecords.fhir.primitives import span
from healthrecords.fhir.references import target_of
from healthrecords.records import Part
from healthrecords.text import search_key
from patients.models import Patient

from .sealing import Seal


class ScanState(models.TextChoices):
    """What the virus scanner has said of content."""

    UNSCANNED = "unscanned", "not scanned"
    QUARANTINED = "quarantined", "waits for the virus scanner"
    CLEAN = "clean", "clean"
    REFUSED = "refused", "infected, not given out"


class ContentQuerySet(models.QuerySet["Content"]):
    """Rows of stored content."""

    def open_to(self, actor: Actor) -> "ContentQuerySet":
        """What a document by `actor` may point to: what a document points to already, and else what `actor` sent.

        Scopes may open some documents and not others: under them, only what `actor` sent.
        """
        sent = models.Q(author_kind=actor.kind, author_id=actor.id)
        if actor.scopes is not None:
            return self.filter(sent)
        return self.filter(sent | models.Exists(ContentUse.objects.filter(content=models.OuterRef("pk"))))


class Content(models.Model):
    """Bytes in the store, as R4 Binary serves them: they never change, so that there is one version.

    `object_name` is random; `data_key` (hex) opens that object alone. The sender's word on the type is kept beside
    what the bytes themselves say.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    object_name = models.TextField(unique=True)
    data_key = EncryptedTextField()
    size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    claimed_type = models.TextField(default="")
    true_type = models.TextField(default="")
    scan_state = models.TextField("virus scan", choices=ScanState.choices, default=ScanState.UNSCANNED)
    scanned_at = models.DateTimeField(null=True)
    threat = models.TextField(default="", help_text="The scanner's name for what it found.")
    created_at = models.DateTimeField()
    author_kind = models.TextField(default="")
    author_id = models.TextField(default="")
    author = models.TextField(default="", help_text="Name of the person, token or job that sent it, as it was then.")

    objects = ContentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="content_by_time"),
            models.Index(fields=["scan_state"], name="content_not_clean", condition=~models.Q(scan_state="clean")),
        ]

    def __str__(self) -> str:
        return f"Binary/{self.uuid}"

    @property
    def seal(self) -> Seal:
        """What opens the object."""
        return Seal(bytes.fromhex(str(self.data_key)), self.object_name)

    @property
    def digest(self) -> str:
        """The SHA-256 of the content in hex."""
        return bytes(self.sha256).hex()

    def is_by(self, actor: Actor) -> bool:
        """Whether `actor` sent it."""
        return (self.author_kind, self.author_id) == (actor.kind, actor.id)


class ContentUse(models.Model):
    """A document that points, or once pointed, to stored content: whoever may see it may see the content.

    Content belongs to one patient from its first document on; documents of another are refused.
    """

    content = models.ForeignKey(Content, models.CASCADE, related_name="uses")
    document = models.TextField("logical id of the DocumentReference")
    patient = models.TextField("logical id")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["content", "document"], name="contentuse_one_of_each")]
        indexes = [models.Index(fields=["document"], name="contentuse_document")]

    def __str__(self) -> Any:
        return f"{self.content_id} in DocumentReference/{self.document}"


class Keeping(models.Model):
    """Base of what was decided about how long a document's content is kept: by whom, when and why. Never changed."""

    number = models.BigAutoField(primary_key=True)
    document = models.TextField("logical id of the DocumentReference", db_index=True)
    reason = models.TextField()
    decided_at = models.DateTimeField(default=timezone.now)
    author_kind = models.TextField()
    author_id = models.TextField()
    author = models.TextField("by", help_text="Name of the person, token or job that decided it, as it was then.")

    class Meta:
        abstract = True


class HoldEntry(Keeping):
    """A legal hold placed on a document, or released: the last entry of a document tells whether it is held."""

    held = models.BooleanField()

    def __str__(self) -> str:
        return f"{'hold on' if self.held else 'release of'} DocumentReference/{self.document}"


class RetentionExtension(Keeping):
    """A document is retained at least until a time; the latest of all counts, so that it only gets longer."""

    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"DocumentReference/{self.document} until {self.until:%Y-%m-%d}"


class Status(models.TextChoices):
    """R4 document-reference-status."""

    CURRENT, SUPERSEDED = "current", "superseded"
    ENTERED_IN_ERROR = "entered-in-error"


class DocumentReference(d.CodedRecord):
    """A clinical document: what it is, whose, by whom, and where its content lies (R4 DocumentReference).

    `links` holds every reference that a search may ask for, as `parameter=Type/id`, so that one index serves them.
    """

    status = models.TextField(choices=Status.choices, default=Status.CURRENT)
    doc_status = models.TextField("state of the document", blank=True, default="")
    type_code = models.TextField("type", blank=True, default="")
    type_text = models.TextField("type in words", blank=True, default="")
    patient = models.ForeignKey(
        Patient,
        models.DO_NOTHING,
        to_field="logical_id",
        db_constraint=False,
        db_index=False,  # an index below begins with it
        related_name="+",
    )
    date = models.CharField("written on", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    date_from = models.DateTimeField(null=True, editable=False)
    date_until = models.DateTimeField(null=True, editable=False, db_index=True)
    description = models.TextField(blank=True, default="")
    description_key = models.TextField(default="", editable=False)
    period_start = models.CharField("care from", max_length=40, blank=True, default="")
    period_end = models.CharField("care until", max_length=40, blank=True, default="")
    period_from = models.DateTimeField(null=True, editable=False, db_index=True)
    period_until = models.DateTimeField(null=True, editable=False, db_index=True)
    links = ArrayField(models.TextField(), default=list, editable=False)

    class Meta:
        ordering = ["-date_from", "-uuid"]
        indexes = [
            models.Index(fields=["patient", "date_from"], name="document_of_patient"),
            models.Index(fields=["date_from", "uuid"], name="document_by_date"),
            models.Index(fields=["status", "uuid"], name="document_by_status"),
            d.tokens_index("document_tokens"),
            GinIndex(fields=["links"], name="document_links"),
            d.trigram("description_key", "document_description"),
        ]

    def __str__(self) -> str:
        return f"{self.type_text or self.description or self.type_code or 'document'}, {self.date}".strip(", ")

    def patient_ids(self) -> list[str]:
        return [self.patient_id]

    @classmethod
    def about(cls, patient: str) -> models.Q:
        return models.Q(patient_id=patient)

    def derive(self) -> None:
        self.date_from, self.date_until = span(self.date) if self.date else (None, None)
        self.period_from, self.period_until = d.period_span(self.period_start, self.period_end)
        self.description_key = search_key([self.description])


class DocumentIdentifier(d.Identifier):
    record = models.ForeignKey(DocumentReference, models.CASCADE, related_name="identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "docid")


class DocumentMasterIdentifier(d.Identifier):
    """The identifier of this version of the document (R4 DocumentReference.masterIdentifier)."""

    record = models.ForeignKey(DocumentReference, models.CASCADE, related_name="master_identifiers")

    class Meta(d.Identifier.Meta):
        indexes = d.indexes("identifier", "docmaster")


class DocumentRelation(d.ReferencePart):
    """Another document that this one replaces, transforms, signs or appends to."""

    record = models.ForeignKey(DocumentReference, models.CASCADE, related_name="relations")
    code = models.TextField(blank=True, default="")

    class Meta(d.ReferencePart.Meta):
        indexes = [models.Index(fields=["code"], name="docrelation_code")]


class DocumentContent(Part):
    """One form of the document: its content by type and place (R4 DocumentReference.content)."""

    record = models.ForeignKey(DocumentReference, models.CASCADE, related_name="contents")
    content_type = models.TextField("media type", blank=True, default="")
    language = models.TextField(blank=True, default="")
    url = models.TextField("place", blank=True, default="")
    title = models.TextField(blank=True, default="")
    creation = models.CharField("made on", max_length=40, blank=True, default="", validators=[d.check_partial_date])
    size = models.BigIntegerField("bytes", null=True, blank=True)
    binary = models.TextField(default="", editable=False)

    class Meta(Part.Meta):
        indexes = [
            models.Index(fields=["content_type"], name="doccontent_type"),
            models.Index(fields=["language"], name="doccontent_language"),
            models.Index(fields=["url"], name="doccontent_url", opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.title or self.url

    def derive(self) -> None:
        target = target_of(self.url)
        self.binary = target[1] if target and target[0] == "Binary" else ""
