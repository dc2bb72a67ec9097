"""The examples in docstrings say what happens."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import networks.wire

MODULES = [
    module.name for module in pkgutil.walk_packages(networks.wire.__path__, "networks.wire.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0
