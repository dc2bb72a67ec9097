from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cardrail.settings import Settings, SettingsError, masked_url, read_settings
from gateway.policy import Policy
from networks.wire.pan import synthetic_pan

SAMPLE = Path(__file__).parents[2] / "deploy" / "cardrail.env.sample"
KEYS = {"index_key": "ab" * 32, "encryption_key": "cd" * 32}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CARDRAIL_{name.upper()}", raising=False)


def test_the_sample_lists_every_setting_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = re.findall(r"^(#?)CARDRAIL_([A-Z_]+)=(.*)$", SAMPLE.read_text(), re.MULTILINE)
    assert {name.lower() for _, name, _ in lines} == set(Settings.model_fields)
    for comment, name, value in lines:
        if not comment:
            monkeypatch.setenv(f"CARDRAIL_{name}", value)
    from_sample = read_settings()
    monkeypatch.undo()
    assert from_sample == read_settings()


def test_an_option_goes_before_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDRAIL_VISANET", "127.0.0.1:1111")
    monkeypatch.setenv("CARDRAIL_QUICPAY", "127.0.0.1:2222")
    settings = read_settings(visanet="127.0.0.1:3333", quicpay=None)
    assert (settings.visanet, settings.quicpay) == ("127.0.0.1:3333", "127.0.0.1:2222")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"visanet": "8583"}, "CARDRAIL_VISANET: expected HOST:PORT"),
        ({"visanet": ":8583"}, "CARDRAIL_VISANET: expected HOST:PORT"),
        ({"quicpay": "localhost:http"}, "CARDRAIL_QUICPAY: expected HOST:PORT"),
        ({"quicpay": "localhost:65536"}, "CARDRAIL_QUICPAY: expected HOST:PORT"),
        ({"test_bins": "4000"}, "CARDRAIL_TEST_BINS: expected BINs of 6 to 8 digits"),
        ({"deadline_seconds": 0}, "CARDRAIL_DEADLINE_SECONDS: "),
        ({"visanet_station": "K001"}, "CARDRAIL_VISANET_STATION: "),
        ({"log_format": "xml"}, "CARDRAIL_LOG_FORMAT: "),
        ({"ledger_batch": "many"}, "CARDRAIL_LEDGER_BATCH: "),
        ({"index_key": "ab" * 32}, "index_key and encryption_key: expected both or neither"),
        ({**KEYS, "index_key": "ab"}, "CARDRAIL_INDEX_KEY: expected 64 hex digits"),
        ({**KEYS, "index_key": "xy" * 32}, "CARDRAIL_INDEX_KEY: expected 64 hex digits"),
        ({"colour": "red"}, "CARDRAIL_COLOUR: "),
    ],
)
def test_what_cannot_be_used_is_named(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(**given)
    assert complaint in str(refused.value)
    assert "xyxy" not in str(refused.value)


def test_settings_do_not_change() -> None:
    settings = read_settings()
    with pytest.raises(ValidationError):
        settings.visanet = "127.0.0.1:1"


def test_no_key_and_no_password_is_shown() -> None:
    settings = read_settings(**KEYS, ledger="postgresql+psycopg://rail:secret@db/x")
    shown = f"{settings.masked()} {settings!r}"
    assert "abab" not in shown
    assert "cdcd" not in shown
    assert "secret" not in str(settings.masked())
    assert settings.masked()["ledger"] == "postgresql+psycopg://rail:***@db/x"


@pytest.mark.parametrize("url", ["sqlite:///a.db", "sqlite:////b/c.db", "postgresql://u@h/d"])
def test_a_url_without_a_password_stays_as_it_is(url: str) -> None:
    assert masked_url(url) == url


def test_keys_given_make_the_vault_without_a_file(tmp_path: Path) -> None:
    ledger = f"sqlite:///{tmp_path}/x.db"
    given = read_settings(**KEYS, ledger=ledger).vault()
    assert list(tmp_path.iterdir()) == []
    made = read_settings(ledger=ledger).vault()
    assert len(list(tmp_path.iterdir())) == 1
    assert given.index(synthetic_pan(1)) != made.index(synthetic_pan(1))


def test_the_defaults_are_the_policys_own() -> None:
    assert read_settings().policy() == Policy()


def test_link_terms_are_per_network() -> None:
    settings = read_settings(in_flight_most=7)
    terms = [settings.link_terms(network) for network in ("visanet", "quicpay")]
    assert [(each.station, each.peer) for each in terms] == [("400552", "000000"), ("K001", "9001")]
    assert terms[0].limits.incoming == 7
