"""The connection to a broker: who we are to it, and that its end is noticed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.cloud_events import CloudEvents, Message
from gateway.mqtt import BrokerConnection, BrokerLost, connected
from gateway.publishing_terms import BrokerAddress
from ledger.events import Event
from tests.gateway.scripted_broker import NOT_AUTHORIZED, ScriptedBroker, scripted

SECONDS = 0.2  # a PUBACK's
WAIT = 30
CLOSED = "the broker has closed the connection"
CREDENTIALS = "rail:pass@"
PAYLOAD = CloudEvents("cardrail", 0).message(Event(1, "a.b", 2, 3, 4, {})).payload


@asynccontextmanager
async def connection(
    broker: ScriptedBroker, who: str = "", scheme: str = "mqtt"
) -> AsyncIterator[BrokerConnection]:
    address = BrokerAddress.of(f"{scheme}://{who}127.0.0.1:{broker.port}")
    async with asyncio.timeout(WAIT), connected(address, "us", puback_seconds=SECONDS) as made:
        yield made


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    path = tmp_path / "broker.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_over_tls_with_a_name_and_a_password(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def run() -> None:
        async with scripted(tls=server_side(certificate)) as broker:
            async with connection(broker, CREDENTIALS, "mqtts") as made:
                await made.publish([Message("topic", PAYLOAD)])
            [connect] = broker.connects
            assert connect.endswith(b"\x00\x02us\x00\x04rail\x00\x04pass")
            assert broker.sent == [["1"]]

    asyncio.run(run())


@pytest.mark.filterwarnings(  # paho leaves the socket of a failed handshake to the collector
    "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
)
def test_a_broker_that_nobody_vouches_for_is_not_told_who_we_are(certificate: Path) -> None:
    async def run() -> None:
        async with scripted(tls=server_side(certificate)) as broker:
            with pytest.raises(BrokerLost, match="certificate"):
                async with connection(broker, CREDENTIALS, "mqtts"):
                    pass
            assert broker.connects == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("connack", "told"), [(NOT_AUTHORIZED, "[Nn]ot authorized"), (b"", "timed out")]
)
def test_a_broker_that_does_not_take_us(connack: bytes, told: str) -> None:
    async def run() -> None:
        async with scripted(connack=connack) as broker:
            with pytest.raises(BrokerLost, match=told):
                async with connection(broker):
                    pass

    asyncio.run(run())


def test_a_connection_that_is_closed_is_noticed_while_nothing_is_published() -> None:
    async def idle(broker: ScriptedBroker) -> None:
        async with connection(broker) as made:
            await made.idle(0.01)
            broker.close_connections()
            await made.idle(WAIT)

    async def run() -> None:
        async with scripted() as broker:
            with pytest.raises(BrokerLost, match=CLOSED):
                await idle(broker)

    asyncio.run(run())


def test_a_connection_that_is_closed_is_noticed_before_a_puback_is_late() -> None:
    async def publish(broker: ScriptedBroker) -> None:
        address = BrokerAddress("127.0.0.1", broker.port)
        async with connected(address, "us", puback_seconds=WAIT) as made, asyncio.TaskGroup() as at:
            at.create_task(made.publish([Message("topic", PAYLOAD)] * 3))
            while broker.sent != [["1"] * 3]:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
            broker.close_connections()

    async def run() -> None:
        async with scripted(lambda _connection, _number: None) as broker:
            with pytest.raises(ExceptionGroup) as failed:
                await publish(broker)
            [lost] = failed.value.exceptions
            assert isinstance(lost, BrokerLost)
            assert str(lost) == CLOSED

    asyncio.run(run())
