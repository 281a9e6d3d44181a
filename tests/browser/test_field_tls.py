"""Installed over HTTPS from `relief serve` with a certificate of an authority of one's own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import os
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.async_api import async_playwright, expect

from tests.browser.conftest import ARGS
from tests.processes import free_url, port, process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, authority: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )  # fmt: skip
    if not authority:
        made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    return made.sign(signer, hashes.SHA256())


def authority(folder: Path) -> str:
    """ca.pem, server.pem (with its chain) and server.key in the folder; returns the pin of the authority's key."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("县应急局测试根证书", root, "县应急局测试根证书", root, True)
    server = _certificate("127.0.0.1", leaf, "县应急局测试根证书", root, False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(server.public_bytes(pem) + ca.public_bytes(pem))
    plain = leaf.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(plain)
    public = root.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


async def test_the_page_is_installed_over_https_and_opens_without_a_server(tmp_path: Path) -> None:
    pin = authority(tmp_path)
    url = free_url().replace("http://", "https://")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RELIEF_")} | {
        "RELIEF_HOME": str(tmp_path / "relief"), "RELIEF_LISTEN_PORT": port(url), "RELIEF_PUBLIC_URL": url,
        "RELIEF_TLS_CERT": str(tmp_path / "server.pem"), "RELIEF_TLS_KEY": str(tmp_path / "server.key"),
    }  # fmt: skip
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=path, args=[*ARGS, f"--ignore-certificate-errors-spki-list={pin}"], locale="zh-CN",
        )  # fmt: skip
        page = await context.new_page()
        with process(environment, "serve"):
            await _answers(url, tmp_path / "ca.pem")
            await page.goto(f"{url}/field")
            await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
            session = await context.new_cdp_session(page)
            manifest: Any = await session.send("Page.getAppManifest")
            assert manifest["errors"] == []
            assert (await session.send("Page.getInstallabilityErrors"))["installabilityErrors"] == []
        await page.goto(f"{url}/field")  # the server is gone
        await expect(page.locator("h1")).to_have_text("登记这部手机")
        await context.close()


async def _answers(url: str, ca: Path) -> None:
    """Until the server answers to somebody who trusts nothing but this authority."""
    async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(ca))) as client, asyncio.timeout(60):
        while True:
            try:
                assert (await client.get(f"{url}/health")).status_code == 200
                return
            except httpx.TransportError:
                await asyncio.sleep(0.2)  # a process is starting
