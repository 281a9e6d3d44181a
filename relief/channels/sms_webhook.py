"""Where the carrier calls us back, and how we know that it is the carrier. Kept apart from the client, which a web process never needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twilio.request_validator import RequestValidator

STATUS_PATH: Final = "/hooks/sms/status"
INBOUND_PATH: Final = "/hooks/sms/inbound"


class Signature:
    """Was this webhook signed by the carrier, for exactly this address and these parameters?"""

    def __init__(self, token: str) -> None:
        self._validator = RequestValidator(token)

    def valid(self, url: str, params: Mapping[str, str], signature: str) -> bool:
        """`url` is the public one we gave the carrier, never what a Host header says; `params` a mapping, or one with getall()."""
        return bool(signature) and bool(self._validator.validate(url, params, signature))
