"""The rules of docs/ARCHITECTURE.md that a program can hold us to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("cardrail", "networks", "gateway", "ledger", "loadtest")

# An import may follow an arrow and nothing else. First match wins; `None` is everything.
ARROWS: list[tuple[str, tuple[str, ...] | None]] = [
    ("cardrail", None),
    ("gateway", ("gateway", "ledger", "networks.wire")),
    ("ledger", ("ledger",)),
    ("loadtest", ("loadtest", "networks.wire")),
    ("networks.wire", ("networks.wire",)),
    ("networks.visanet_sim", ("networks.visanet_sim", "networks.wire", "networks.engine")),
    ("networks.quicpay_sim", ("networks.quicpay_sim", "networks.wire", "networks.engine")),
    ("networks", ("networks.wire", "networks.engine")),
]
LONGEST_FUNCTION = 70
LONGEST_MODULE = 400


def modules() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def place(name: str) -> str:
    """Modules directly under networks/ are the simulators' shared engine."""
    inner = name.split(".")
    shared = inner[0] == "networks" and inner[1:2] not in (
        ["wire"],
        ["visanet_sim"],
        ["quicpay_sim"],
    )
    return "networks.engine" if shared else name


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_imports_follow_the_arrows(path: Path) -> None:
    allowed = next(targets for source, targets in ARROWS if within(dotted(path), source))
    ours = [place(name) for name in imports(path) if name.split(".")[0] in FOLDERS]
    wrong = [
        name
        for name in ours
        if allowed is not None and not any(within(name, target) for target in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", sorted((ROOT / "networks" / "wire").rglob("*.py")), ids=dotted)
def test_only_streams_knows_sockets_and_clocks(path: Path) -> None:
    outside = {"asyncio", "socket", "selectors", "threading", "time", "uvloop", "select"}
    used = {name.split(".")[0] for name in imports(path)} & outside
    assert used == ({"asyncio", "time"} if path.name == "streams.py" else set())


@pytest.mark.parametrize("package", ["gateway", "ledger", "networks"])
def test_the_hot_path_imports_no_web_framework(package: str) -> None:
    web = {"fastapi", "starlette", "uvicorn", "nicegui"}
    off_path = {ROOT / "gateway" / "api", ROOT / "gateway" / "dashboard"}
    for path in (ROOT / package).rglob("*.py"):
        if not off_path.intersection(path.parents):
            assert {name.split(".")[0] for name in imports(path)} & web == set()


@pytest.mark.parametrize("path", sorted((ROOT / "ledger").rglob("*.py")), ids=dotted)
def test_no_float_comes_near_money(path: Path) -> None:
    tree = ast.parse(path.read_text())
    floats = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
    assert floats == []


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_functions_and_modules_stay_small(path: Path) -> None:
    text = path.read_text()
    tables_only = within(dotted(path), "networks.wire.dialects")
    assert tables_only or len(text.splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            docstring = ast.get_docstring(node, clean=False)
            lines -= len(docstring.splitlines()) if docstring else 0
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


def test_only_the_command_line_prints() -> None:
    for path in modules():
        if within(dotted(path), "cardrail"):
            continue
        called = [
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert "print" not in called, dotted(path)


def test_the_repository_names_no_machine() -> None:
    local = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/")
    for path in [*modules(), *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        assert not local.search(path.read_text()), dotted(path)
