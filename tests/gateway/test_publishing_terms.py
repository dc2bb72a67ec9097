"""Where a broker is, from its URL."""

from __future__ import annotations

import pytest

from gateway.publishing_terms import BrokerAddress

UNQUOTED = "a@b"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://127.0.0.1:2883", BrokerAddress("127.0.0.1", 2883)),
        ("mqtt://broker", BrokerAddress("broker", 1883)),
        ("mqtts://broker/", BrokerAddress("broker", 8883, encrypted=True)),
        ("mqtt://[::1]:1884", BrokerAddress("::1", 1884)),
        ("mqtt://rail@broker", BrokerAddress("broker", 1883, username="rail")),
        (
            "mqtts://rail:a%40b@broker:1",
            BrokerAddress("broker", 1, encrypted=True, username="rail", password=UNQUOTED),
        ),
    ],
)
def test_an_address_from_its_url(url: str, address: BrokerAddress) -> None:
    made = BrokerAddress.of(url)
    assert made == address
    assert UNQUOTED not in repr(made)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker:1883",
        "127.0.0.1",
        "mqtt://",
        "mqtt://:1883",
        "http://broker",
        "mqtt://broker:port",
        "mqtt://broker:70000",
        "mqtt://broker/topic",
        "mqtt://broker:1883?clean=1",
        "mqtt://[::1",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^expected mqtt://HOST:PORT or mqtts://HOST:PORT$"):
        BrokerAddress.of(url)
