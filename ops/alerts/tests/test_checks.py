"""What health says about notices."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from healthrecords.notify.delivering import MAIL
from healthrecords.notify.models import Channel, Delivery, Notice, State
from ops.alerts.checks import delivered
from ops.health.registry import NotConfigured, Problem


@pytest.fixture
def delivery(db):
    notice = Notice.objects.create(event="a.b", severity="info", summary="x", key=b"")
    return Delivery.objects.create(notice=notice)


def test_a_message_that_was_given_up_is_a_problem_for_a_day(delivery):
    Delivery.objects.update(state=State.FAILED, ended_at=timezone.now() - timedelta(hours=23))
    with pytest.raises(Problem, match="1 message to people could not be delivered"):
        delivered()
    Delivery.objects.update(ended_at=timezone.now() - timedelta(hours=25))
    assert "nothing was given up" in delivered()


def test_messages_that_nobody_sends_are_a_problem(delivery):
    assert delivered()
    Delivery.objects.update(next_at=timezone.now() - timedelta(minutes=16))
    with pytest.raises(Problem, match="nobody sends them"):
        delivered()


def test_where_nobody_would_be_told_health_says_so(db):
    cache.set(MAIL, False)
    with pytest.raises(NotConfigured, match="no channel"):
        delivered()
    Channel.objects.create(name="mail", service="Mail", address="role:operator")
    assert delivered() == "1 channel; nothing was given up in the last 24 hours."
