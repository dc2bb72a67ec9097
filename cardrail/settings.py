"""Every setting, of every process: read once from ``CARDRAIL_`` variables, frozen.

deploy/cardrail.env.sample lists them all. A key is never printed: `masked` is what may be shown.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from cardrail.keys import open_vault
from cardrail.logs import LogFormat, LogLevel
from gateway.link_terms import LinkTerms
from gateway.policy import Policy
from gateway.publishing_terms import BrokerAddress, PublishingTerms
from gateway.vault import KEY_BYTES, PanVault
from networks.wire.pan import TEST_BIN
from networks.wire.session_limits import SessionLimits


class SettingsError(ValueError):
    """A setting cannot be used; names its variable and what was expected, not its value."""


def _require_address(value: str) -> str:
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError("expected HOST:PORT, e.g. 127.0.0.1:8583")
    return value


def _require_key(value: SecretStr) -> SecretStr:
    try:
        length = len(bytes.fromhex(value.get_secret_value()))
    except ValueError:
        length = 0
    if length != KEY_BYTES:
        raise ValueError(f"expected {2 * KEY_BYTES} hex digits")
    return value


def _require_bins(value: str) -> str:
    bins = value.split(",")
    if not all(each.isdecimal() and 6 <= len(each) <= 8 for each in bins):
        raise ValueError("expected BINs of 6 to 8 digits, separated by commas")
    return value


def _require_broker(value: str) -> str:
    BrokerAddress.of(value)
    return value


Address = Annotated[str, AfterValidator(_require_address)]
Broker = Annotated[str, AfterValidator(_require_broker)]
Key = Annotated[SecretStr, AfterValidator(_require_key)]
Bins = Annotated[str, AfterValidator(_require_bins)]


class Settings(BaseSettings):
    """The settings of every process. Amounts in minor units, durations in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="CARDRAIL_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    ledger: str = "sqlite:///cardrail.db"
    visanet: Address = "127.0.0.1:8583"
    quicpay: Address = "127.0.0.1:8584"
    http: Address = "127.0.0.1:8080"
    http_hosts: str = ""

    index_key: Key | None = None
    encryption_key: Key | None = None
    key_file: Path | None = None
    test_bins: Bins = TEST_BIN

    visanet_station: str = Field(default="400552", pattern=r"^\d{6}$")
    visanet_peer: str = Field(default="000000", pattern=r"^\d{6}$")
    quicpay_station: str = Field(default="K001", pattern=r"^[A-Z0-9]{4}$")
    quicpay_peer: str = Field(default="9001", pattern=r"^[A-Z0-9]{4}$")
    links_most: int = Field(default=64, ge=1)
    in_flight_most: int = Field(default=4096, ge=1)

    workers: int = Field(default=1, ge=1)
    ledger_queue: int = Field(default=4096, ge=1)
    ledger_lanes: int = Field(default=0, ge=0)
    ledger_batch: int = Field(default=256, ge=1)
    deadline_seconds: float = Field(default=1.5, gt=0)
    crowded_seconds: float = Field(default=0.1, gt=0)
    drain_seconds: float = Field(default=5.0, ge=0)
    runtime: Path = Path("cardrail.run")
    card_refresh_seconds: float = Field(default=1.0, gt=0)

    jobs_seconds: float = Field(default=0.5, gt=0)
    expiry_seconds: float = Field(default=60.0, gt=0)
    prune_seconds: float = Field(default=3600.0, gt=0)
    events_days: int = Field(default=7, ge=0)
    audit_seconds: float = Field(default=60.0, gt=0)
    figures_seconds: float = Field(default=5.0, gt=0)
    journal_exchanges: int = Field(default=1_000_000, ge=1)

    mqtt: Broker = "mqtt://127.0.0.1:1883"
    mqtt_topic: str = Field(default="cardrail", pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    publish_seconds: float = Field(default=0.05, gt=0)
    publish_in_flight: int = Field(default=128, ge=1, le=4096)
    puback_seconds: float = Field(default=2.0, gt=0)

    home_country: str = Field(default="392", pattern=r"^\d{3}$")
    business_day_offset_minutes: int = Field(default=540, ge=-720, le=840)
    fuel_check_below: int = Field(default=10, ge=0)
    fuel_hold: int = Field(default=10_000, ge=1)
    allowance: int = Field(default=30_000, ge=1)
    plain_quicpay_cap: int = Field(default=20_000, ge=0)
    cash_fee: int = Field(default=0, ge=0)
    points_per_mille: int = Field(default=10, ge=0)

    log_format: LogFormat = LogFormat.KEY_VALUE
    log_level: LogLevel = LogLevel.INFO
    decision_log: Path | None = None

    @model_validator(mode="after")
    def _require_both_keys(self) -> Settings:
        if (self.index_key is None) != (self.encryption_key is None):
            raise ValueError("index_key and encryption_key: expected both or neither")
        return self

    def policy(self) -> Policy:
        """The issuer's rules."""
        names = (field.name for field in dataclasses.fields(Policy))
        return Policy(**{name: getattr(self, name) for name in names})

    def link_terms(self, network: str) -> LinkTerms:
        """How links of `network` are kept; every network has its station and peer here."""
        return LinkTerms(
            station=getattr(self, f"{network}_station"),
            peer=getattr(self, f"{network}_peer"),
            limits=SessionLimits(incoming=self.in_flight_most),
            links_most=self.links_most,
        )

    def publishing_terms(self) -> PublishingTerms:
        """How events are published."""
        return PublishingTerms(
            topic=self.mqtt_topic,
            in_flight=self.publish_in_flight,
            poll_seconds=self.publish_seconds,
            puback_seconds=self.puback_seconds,
        )

    def vault(self) -> PanVault:
        """The vault with the keys given here, or else with those of the key file.

        Raises
        ------
        KeyFileError
            If the key file cannot be used.
        """
        if self.index_key is None or self.encryption_key is None:
            return open_vault(self.ledger, self.key_file)
        keys = (self.index_key, self.encryption_key)
        return PanVault(*(bytes.fromhex(key.get_secret_value()) for key in keys))

    def masked(self) -> dict[str, str]:
        """Every setting as it may be shown: no key, no password in a URL."""
        shown = {name: str(value) for name, value in self if value is not None}
        shown["ledger"] = masked_url(self.ledger)
        shown["mqtt"] = masked_url(self.mqtt)
        return shown


def read_settings(**given: object) -> Settings:
    """The settings from the environment; those `given` on the command line go before them.

    Raises
    ------
    SettingsError
        If one cannot be used.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type] # checked by pydantic
    except ValidationError as error:
        raise SettingsError("; ".join(_complaint(each) for each in error.errors())) from None


def masked_url(url: str) -> str:
    """`url` without its password.

    >>> masked_url("postgresql+psycopg://rail:secret@db/cardrail")
    'postgresql+psycopg://rail:***@db/cardrail'
    """
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


def _complaint(error: ErrorDetails) -> str:
    names = "".join(f"CARDRAIL_{str(place).upper()}: " for place in error["loc"])
    return names + error["msg"].removeprefix("Value error, ")
