"""What is measured apart from a scrape: encryption at night, the certificate by a handshake."""

import ssl
import subprocess
import threading
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from django.db import connections

from ops.monitoring import certificate, encryption, tasks
from ops.monitoring.tests.reading import families, value
from ops.runs import Run


def test_all_sealed_is_a_share_of_one(integrator):
    integrator.create()
    tasks.measure_encryption()
    assert value("encryption_coverage_ratio") == 1.0
    assert 0 <= value("encryption_measured_age_seconds") < 60
    assert Run.objects.latest("ended").outcome == "good"


def test_a_value_in_the_clear_is_found_by_the_count(integrator):
    integrator.create()
    before = encryption.measure()
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE patients_patient SET extra = convert_to('Jansen', 'UTF8')")
    tasks.measure_encryption()
    assert encryption.measure()[1] == before[1] + 1
    assert 0 < value("encryption_coverage_ratio") < 1.0
    assert Run.objects.latest("ended").outcome == "problem"


def test_before_the_first_count_there_is_no_figure(db):
    assert "encryption_coverage_ratio" not in families()


class _Silent(BaseRequestHandler):
    """Ends as soon as the handshake is done."""

    def handle(self) -> None:
        """Nothing is said."""


@pytest.fixture
def proxy(tmp_path):
    """A server that shows a certificate of nobody's authority with 20 days left; its address."""
    key, shown = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "20"]
    subprocess.run([*make, "-subj", "/CN=ehr", "-keyout", key, "-out", shown], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, key)
    server = ThreadingTCPServer(("127.0.0.1", 0), _Silent)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def days_of(settings, url, front=""):
    settings.PUBLIC_URL, settings.FRONT = url, front
    return [round(family.samples[0].value) for family in certificate.CertificateCollector().collect()]


def test_a_certificate_tells_its_days(proxy, settings):
    assert days_of(settings, f"https://{proxy}") == [20]
    assert days_of(settings, "https://ehr.example.org", proxy) == [20]


def test_a_proxy_that_does_not_answer_and_plain_http_leave_the_figure_out(settings):
    assert days_of(settings, "https://127.0.0.1:9") == []
    assert days_of(settings, "http://127.0.0.1:8000") == []


def test_an_answer_serves_for_a_while(proxy, settings):
    settings.PUBLIC_URL = f"https://{proxy}"
    collector = certificate.CertificateCollector()
    assert len(list(collector.collect())) == 1
    settings.PUBLIC_URL = "https://127.0.0.1:9"
    assert len(list(collector.collect())) == 1
