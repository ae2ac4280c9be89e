"""The metrics: behind their token, by the names that alerts use, without personal data."""

from django.test import Client


def test_the_token_opens_them_and_nothing_else_does(db, settings):
    client = Client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    opened = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    assert opened.status_code == 200
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_requests_are_counted_by_status_without_their_addresses(integrator, settings):
    patient = integrator.create()
    integrator.get(f"Patient/{patient['id']}")
    text = integrator.get("/metrics", Authorization=f"Bearer {settings.METRICS_TOKEN}").content.decode()
    assert 'http_requests_total{method="GET",status="200"}' in text
    assert 'http_request_duration_seconds_bucket{le="0.3",method="GET"}' in text
    assert patient["id"] not in text
    assert "Jansen" not in text
