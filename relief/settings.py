"""One frozen Struct from the environment. Every setting is named RELIEF_… and described in README."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from relief.domain.errors import Invalid

CHECKOUT = Path(__file__).resolve().parent.parent


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the environment decides. Paths are absolute; times are seconds."""

    home: Path = CHECKOUT / ".relief"
    database_url: str | None = None  # owner of the tables; None: embedded PostgreSQL under home
    app_database_url: str | None = None  # the application's own login; None: the same server as role relief_app
    listen_host: str = "127.0.0.1"
    listen_port: int = 8000
    public_url: str = "http://127.0.0.1:8000"  # what Twilio signs its callbacks for
    tls_cert: Path | None = None
    tls_key: Path | None = None
    cipher: str = "sm4"  # or "aes"
    bank_folder: Path | None = None  # None: home/bank
    bank_sftp: str | None = None  # sftp://user@host:port/folder instead of a folder here
    bank_sftp_key: Path | None = None  # our private key
    bank_sftp_known_hosts: Path | None = None  # the bank's host key, as in OpenSSH's known_hosts
    layouts: Path | None = None  # a folder of further bank layouts (*.toml), one file a bank
    bank_answer_seconds: int = 86_400  # after this a sent payment without an answer is unknown
    account_cool_off_hours: int = 24  # so long a changed card waits before money goes to it
    batch_lines: int = 5_000
    lease_seconds: int = 60
    tick_seconds: float = 1.0
    sms_account: str = "ACrehearsal00000000000000000000000"
    sms_token: str = "rehearsal-token"
    sms_sender: str = "+15550100000"
    sms_base_url: str = "http://127.0.0.1:8081"  # the rehearsal twin; https://api.twilio.com for the real one
    sms_concurrency: int = 16
    sms_timeout_seconds: float = 10.0
    #: 'required': whoever authorises a batch gives a fresh one-time code; 'off' says openly that this place does not have it yet.
    second_factor: Literal["required", "off"] = "required"
    password_days: int | None = None  # after so many days a password must be changed; None (OWASP ASVS): never. 等保 asks for 90
    log_form: Literal["json", "plain"] = "json"  # what `relief serve` and `relief work` write to standard error
    trusted_proxies: str = ""  # addresses of proxies whose X-Forwarded-For says who is asking; none: whoever connects
    feed_cap_url: str | None = None  # an Atom feed of CAP 1.2 alerts; None: not asked
    feed_comcat_url: str | None = None  # a USGS ComCat GeoJSON feed; None: not asked
    feed_poll_seconds: int = 60
    feed_timeout_seconds: float = 10.0
    zone_box: str = "73,3,136,54"  # west, south, east, north: where zones may lie
    #: A raster background of somebody else's: https://…/{z}/{x}/{y}; None: county borders only.
    tile_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s;,'\"]+$")] | None = None
    tile_credit: str = ""  # whom the background belongs to, shown on the map
    duplicate_score: int = 60  # registrations at least so alike (0–100) are suspected to be one
    duplicate_stops: Literal["stages", "payment", "nothing"] = "stages"  # what a suspicion without an exact key stops
    account_households: int = 1  # so many households of an incident may name one account (family card)
    phone_households: int = 5  # so many may name one phone
    forms_url: str | None = None  # a Kobo server whose photos are fetched and whose submissions are back-filled; None: not asked
    forms_token: str = ""  # our API token there
    field_days: int = 7  # after so many days a phone forgets the slips of records the server has
    crash_at: str | None = None  # fault runs only: the labelled point at which `relief work` kills itself
    real_channels: bool = False  # drills and demos never reach a real bank or phone

    @property
    def forms(self) -> Path:
        """The folder of form mappings: one TOML file a form."""
        return self.home / "forms"

    @property
    def bank(self) -> Path:
        """The folder exchanged with the bank: out/ is ours, in/ is theirs."""
        return self.bank_folder or self.home / "bank"


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read RELIEF_… variables; an unknown or misspelt one is refused rather than silently ignored (RELIEF_BENCH_… are the benchmarks')."""
    ours = {k.removeprefix("RELIEF_").lower(): v for k, v in environ.items() if k.startswith("RELIEF_") and v != ""}
    given = {k: v for k, v in ours.items() if not k.startswith("bench_")}
    try:
        settings = msgspec.convert(given, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise Invalid("settings", f"环境变量有误 · a RELIEF_ variable is wrong: {error}") from None
    return msgspec.structs.replace(settings, home=settings.home.expanduser().resolve())


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
