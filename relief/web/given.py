"""What a handler may simply name among its parameters: `tx` or `read`, `actor`, `now`, and what it may say of the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.params import JSONBody as Json
from litestar.params import URLEncodedBody as Form

from relief.domain.policy import Actor
from relief.store.db import Tx

__all__ = ["Form", "FromPath", "FromQuery", "Json", "Me", "Now", "Read", "Req", "Write"]

Write = NamedDependency[Tx]
Read = NamedDependency[Tx]
Me = NamedDependency[Actor]
Now = NamedDependency[datetime]
Req = Request[Actor, Any, State]
