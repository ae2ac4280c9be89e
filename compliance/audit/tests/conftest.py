"""Tables of the trail made anew after a test that took them apart."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections, transaction

from compliance.audit import schema
from compliance.audit.tests.hands import superuser


def drop_trail() -> None:
    """Remove all that belongs to the trail's role, and let it make tables again."""
    role = settings.DATABASE_TRAIL_ROLE
    with superuser() as cursor:
        cursor.execute("DROP TABLE IF EXISTS public.compliance_accessevent")
        cursor.execute(f'DROP OWNED BY "{role}" CASCADE; CREATE SCHEMA audit AUTHORIZATION "{role}"')
        cursor.execute("GRANT USAGE ON SCHEMA audit TO healthrecords_maintenance")  # as deploy/postgres/roles.sql does


@pytest.fixture
def fragile(db: None) -> Iterator[None]:
    """For tests that change the trail's tables, triggers, functions or rights."""
    yield
    connections.close_all()
    drop_trail()
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        schema.create(cursor)
