"""``cardrail describe`` and ``cardrail encode``, as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cardrail.cli import program
from tests.wire.vectors import VECTORS, Vector, vector

PURCHASE = vector("visanet", "contactless_purchase")
TAP = vector("quicpay", "tap")
APP = program(["describe", "encode"])
PAN = "4000001234567899"


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(APP, list(arguments), input=stdin)


def describe(vector: Vector, *options: str) -> Result:
    return run("describe", "--dialect", vector.dialect.name, vector.frame.hex(), *options)


def encode(dialect: str, given: object, *options: str) -> Result:
    return run("encode", "--dialect", dialect, *options, stdin=json.dumps(given))


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_every_vector_goes_to_json_and_back_to_the_identical_frame(vector: Vector) -> None:
    described = describe(vector, "--json", "--clear")
    assert described.exit_code == 0
    shown = json.loads(described.stdout)
    assert shown["fields"] == vector.fields
    assert shown["header"].items() >= vector.header.items()
    assert shown["subfields"].items() >= dict(vector.subfields).items()
    encoded = encode(vector.dialect.name, shown)
    assert encoded.exit_code == 0
    assert encoded.stdout.strip() == vector.frame.hex().upper()
    alone = encode(vector.dialect.name, shown, "--message")
    assert alone.stdout.strip() == vector.message.hex().upper()


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_every_vector_has_a_table_without_its_pan(vector: Vector) -> None:
    result = describe(vector)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "Message type identifier" in result.stdout
    assert PAN[6:] not in result.stdout
    if vector.fields.get("2") == PAN:
        assert "400000******7899" in result.stdout


def test_clear_shows_everything_and_warns_on_stderr() -> None:
    result = describe(PURCHASE, "--clear")
    assert PAN in result.stdout
    assert result.stderr == "warning: card data is shown in clear\n"


def test_json_is_masked_by_default_and_encode_refuses_it() -> None:
    result = describe(PURCHASE, "--json")
    assert json.loads(result.stdout)["fields"]["2"] == "400000******7899"
    back = encode("visanet", json.loads(result.stdout))
    assert back.exit_code == 1
    assert back.stderr == "field 2: masked value, expected it in clear\n"
    assert back.stdout == ""


def test_sources_are_hex_stdin_and_files_of_hex_or_bytes(tmp_path: Path) -> None:
    spaced = tmp_path / "frame.hex"
    spaced.write_text(PURCHASE.frame.hex(" ") + "\n")
    binary = tmp_path / "frame.bin"
    binary.write_bytes(PURCHASE.frame)
    wanted = describe(PURCHASE).stdout
    calls: list[tuple[str, str | bytes]] = [
        (PURCHASE.frame.hex(" "), ""),
        ("-", PURCHASE.frame.hex()),
        ("-", PURCHASE.frame),
        (str(spaced), ""),
        (str(binary), ""),
    ]
    for source, stdin in calls:
        assert run("describe", "--dialect", "visanet", source, stdin=stdin).stdout == wanted


def test_a_message_without_prefix_and_header() -> None:
    result = run("describe", "--dialect", "quicpay", "--message", "--json", TAP.message.hex())
    shown = json.loads(result.stdout)
    assert shown["header"] == {}
    assert shown["fields"]["43"] == TAP.fields["43"]


@pytest.mark.parametrize(("dialect", "frame"), [("visanet", "00000000"), ("quicpay", "0000")])
def test_keep_alives_go_both_ways(dialect: str, frame: str) -> None:
    result = run("describe", "--dialect", dialect, "--json", frame)
    shown = json.loads(result.stdout)
    assert shown == {"keep_alive": True, "header": {}, "fields": {}, "subfields": {}}
    assert encode(dialect, shown).stdout.strip() == frame


@pytest.mark.parametrize("frame", [bytes(4), PURCHASE.frame], ids=["keep-alive", "purchase"])
def test_what_a_prefix_says_besides_the_length_goes_both_ways(frame: bytes) -> None:
    flagged = (frame[:2] + b"\x00\x23" + frame[4:]).hex().upper()
    shown = json.loads(run("describe", "--dialect", "visanet", "--json", "--clear", flagged).stdout)
    assert shown["header"]["frame_flags"] == "0023"
    assert encode("visanet", shown).stdout.strip() == flagged


def test_rejects_go_both_ways() -> None:
    form = PURCHASE.dialect
    payload = form.header.reject(PURCHASE.frame[form.framing.prefix_bytes :], "0134", "000000")
    assert payload is not None
    frame = form.framing.wrap(payload).hex().upper()
    shown = json.loads(run("describe", "--dialect", "visanet", "--json", "--clear", frame).stdout)
    assert shown["header"]["reject_code"] == "0134"
    assert encode("visanet", shown).stdout.strip() == frame


def test_broken_frames_are_shown_as_far_as_they_go_and_exit_1() -> None:
    cut = PURCHASE.frame.hex()[:-4]
    result = run("describe", "--dialect", "visanet", cut)
    assert result.exit_code == 1
    assert "MERCHANT0000001" in result.stdout
    assert "field 63 at byte 308" in result.stderr
    shown = json.loads(run("describe", "--dialect", "visanet", "--json", cut).stdout)
    assert [problem["field"] for problem in shown["problems"]] == ["prefix", "63"]
    assert encode("visanet", shown).exit_code == 2


def test_control_characters_do_not_reach_the_terminal() -> None:
    fields = {"t": "0100", "43": "\x1b]0;gotcha\x07[red]".ljust(40)}
    frame = encode("visanet", {"fields": fields}).stdout.strip()
    result = run("describe", "--dialect", "visanet", frame)
    assert "\x1b" not in result.stdout
    assert "\\x1b]0;gotcha\\x07[red]" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["describe", "--dialect", "visanet"], ""),
        (["describe", "--dialect", "mastercard", "00"], ""),
        (["describe", "00000000"], ""),
        (["describe", "--dialect", "visanet", "000"], ""),
        (["describe", "--dialect", "visanet", "no/such/file"], ""),
        (["describe", "--dialect", "visanet", "bad\0name"], ""),
        (["describe", "--dialect", "visanet", "."], ""),
        (["describe", "--dialect", "visanet", ""], ""),
        (["describe", "--dialect", "visanet", "-"], ""),
        (["describe", "--dialect", "visanet", "-"], "00 0"),
        (["describe", "--dialect", "visanet", "-"], "z" * 70_000),
        (["encode", "--dialect", "visanet"], ""),
        (["encode", "--dialect", "visanet"], "{"),
        (["encode", "--dialect", "visanet"], "[" * 60_000),
        (["encode", "--dialect", "visanet"], "[]"),
        (["encode", "--dialect", "visanet"], '{"field": {}}'),
        (["encode", "--dialect", "visanet"], '{"fields": []}'),
        (["encode", "--dialect", "visanet"], " " * 70_000),
        (["encode", "--dialect", "visanet"], '{"keep_alive": "no"}'),
        (["encode", "--dialect", "visanet"], '{"keep_alive": true, "fields": {"t": "0800"}}'),
    ],
)
def test_wrong_use_exits_2_and_prints_no_data(arguments: list[str], stdin: str) -> None:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr


def test_a_mistyped_frame_is_not_repeated_in_the_error() -> None:
    result = run("describe", "--dialect", "visanet", PURCHASE.frame.hex() + "x")
    assert result.exit_code == 2
    assert PAN not in result.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "field t: expected a message type of 4 digits"),
        ({"fields": {"t": "0800", "11": "1"}}, "field 11: expected 6 digits"),
        ({"fields": {"t": "0800", "11": "00000A"}}, "field 11: expected 6 digits"),
        ({"fields": {"t": "080"}}, "field t: expected 4 digits"),
        ({"fields": {"t": "0100", "2": "4" * 20}}, "field 2: expected at most 19 digits"),
        ({"fields": {"t": "0100", "4": 12}}, "field 4: expected text in quotes"),
        ({"fields": {"t": "0100", "52": "00"}}, "field 52: expected 8 bytes in hex"),
        ({"fields": {"t": "0100", "38": "ｶﾌｪｶﾌｪ"}}, "field 38: expected characters of cp500"),
        ({"fields": {"t": "0100", PAN: "1"}}, "field of that name: this dialect does not define"),
        ({"fields": {"t": "0100", "\x1b\n": "1"}}, "field of that name: this dialect does not"),
        ({"fields": {"t": "0100"}, "subfields": {"999.1": "1"}}, "field 999: this dialect defines"),
        ({"fields": {"t": "0800", "x": "1"}}, "field x: this dialect does not define the element"),
        ({"fields": {"t": "0100"}, "subfields": {"62.2": "1"}}, "field 62.2: expected 15 digits"),
        ({"fields": {"t": "0800"}, "header": {"source": "12"}}, "header field H6:"),
        ({"fields": {"t": "0800"}, "header": {"source": 1}}, "header field source: expected text"),
        (
            {"fields": {"t": "0800"}, "header": {"sauce": "1"}},
            "header field sauce: expected one",
        ),
        ({"fields": {"t": "0800"}, "header": {"header_length": "17"}}, "header field H1:"),
        ({"fields": {"t": "0800"}, "header": {"frame_flags": "2"}}, "header field prefix:"),
        ({"fields": {"t": "0800", "34": "00" * 3000}}, "frame length"),
    ],
)
def test_what_does_not_fit_names_the_field_and_exits_1(given: object, said: str) -> None:
    result = encode("visanet", given)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""


def test_header_parts_are_optional_and_subfields_make_their_element() -> None:
    given = {"fields": {"t": "0800", "11": "000001", "70": "301"}, "subfields": {"63.1": "0002"}}
    result = encode("visanet", given)
    shown = json.loads(run("describe", "--dialect", "visanet", "--json", result.stdout).stdout)
    assert shown["fields"]["63"] == "8000000002"
    assert (shown["header"]["source"], shown["header"]["destination"]) == ("000000", "000000")
    quicpay = encode("quicpay", {"fields": {"t": "0800", "70": "301"}})
    assert bytes.fromhex(quicpay.stdout)[2:14] == b"QPX100000000"


def test_as_real_processes() -> None:
    command = [sys.executable, "-m", "cardrail"]
    described = subprocess.run(
        [*command, "describe", "--dialect", "quicpay", "--json", "--clear", TAP.frame.hex()],
        capture_output=True,
        check=True,
    )
    encoded = subprocess.run(
        [*command, "encode", "--dialect", "quicpay"],
        input=described.stdout,
        capture_output=True,
        check=True,
    )
    assert encoded.stdout.decode().strip() == TAP.frame.hex().upper()
    assert encoded.stderr == b""
