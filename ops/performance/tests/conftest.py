"""What the tests of performance share."""

import pytest

from .sessions import session


@pytest.fixture
def things(db):
    """A table with rows that the application may use; yields the owner's session."""
    with session() as owner:
        owner.execute("CREATE TABLE public.things (id int PRIMARY KEY, a int)")
        owner.execute("INSERT INTO things SELECT n, n FROM generate_series(1, 1000) n")
        yield owner
        owner.execute("DROP TABLE things")
