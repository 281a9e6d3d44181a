"""Command-line flags from a Struct: one field, one flag, its default and its type; so a twin's options are written once."""

from __future__ import annotations

import argparse
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def add(parser: argparse.ArgumentParser, kind: type[msgspec.Struct]) -> None:
    """`--fail-rate 0.1` for the field `fail_rate`."""
    for field in msgspec.structs.fields(kind):
        default = None if field.default is msgspec.NODEFAULT else field.default
        parser.add_argument("--" + field.name.replace("_", "-"), dest=field.name, default=None, metavar="V", help=f"default {default}")


def read(args: argparse.Namespace, kind: type[T]) -> T:
    """The Struct with what was given; raises msgspec.ValidationError for a wrong type."""
    names = [f.name for f in msgspec.structs.fields(kind)]
    given: dict[str, Any] = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
    return msgspec.convert(given, kind, strict=False)
