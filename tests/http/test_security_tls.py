"""TLS, with clients of the standard library and of websockets: versions, certificates, and what the answers say."""

from __future__ import annotations

import asyncio
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from websockets.asyncio.client import connect

import rxml
from rxml.errors import PipelineError
from rxml.http import App, Limits, Tls
from tests.http.helpers import run

if TYPE_CHECKING:
    from pathlib import Path

    from rxml.http import Server


class Files:
    """An authority, what it has issued for this machine, and for a client."""

    def __init__(self, folder: Path) -> None:
        self.authority: Any = trustme.CA()
        self.ca = folder / "ca.pem"
        self.cert = folder / "cert.pem"
        self.key = folder / "key.pem"
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        self.authority.cert_pem.write_to_path(str(self.ca))
        issued.private_key_pem.write_to_path(str(self.key))
        for part in issued.cert_chain_pems:
            part.write_to_path(str(self.cert), append=True)

    def client(self, **options: Any) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        for name, value in options.items():
            setattr(context, name, value)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def service(tls: Tls) -> App:
    made = App(port=0, tls=tls, limits=Limits(drain_seconds=0.5))
    made.stream("/out", rxml.of(1))
    return made


async def get(
    server: Server, context: ssl.SSLContext, path: str = "/out"
) -> tuple[int, dict[str, str], bytes]:
    def fetch() -> tuple[int, dict[str, str], bytes]:
        try:
            with urllib.request.urlopen(server.url + path, context=context, timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    return await asyncio.to_thread(fetch)


def test_streams_sockets_and_errors_go_over_tls_and_say_so(files: Files) -> None:
    made = service(Tls(cert=files.cert, key=files.key))

    async def main() -> None:
        async with made.serve() as server:
            assert server.url.startswith("https://")
            for path, status in (("/out", 200), ("/nothing", 404)):
                found, headers, _ = await get(server, files.client(), path)
                assert found == status
                assert headers["Strict-Transport-Security"] == "max-age=31536000"
            url = server.url.replace("https", "wss") + "/out"
            async with connect(url, ssl=files.client()) as peer:
                assert await peer.recv() == "1"
                assert peer.response is not None
                assert peer.response.headers["Strict-Transport-Security"]

    run(main())


@pytest.mark.parametrize(
    ("newest", "spoken"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_nothing_older_than_1_2_is_spoken(
    files: Files, newest: ssl.TLSVersion, spoken: bool
) -> None:
    made = service(Tls(cert=files.cert, key=files.key))

    async def main() -> None:
        context = files.client()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
        async with made.serve() as server:
            if spoken:
                assert (await get(server, context))[0] == 200
            else:
                with pytest.raises(urllib.error.URLError, match=r"(?i)protocol|version|alert"):
                    await get(server, context)

    run(main())


def test_a_client_must_be_known_if_an_authority_is_given(files: Files, tmp_path: Path) -> None:
    made = service(Tls(cert=files.cert, key=files.key, client_ca=files.ca))

    async def main() -> None:
        async with made.serve() as server:
            known = files.client()
            files.authority.issue_cert("client@example.org").configure_cert(known)
            assert (await get(server, known))[0] == 200
            stranger = files.client()
            other: Any = trustme.CA()
            other.issue_cert("client@example.org").configure_cert(stranger)
            for context in (files.client(), stranger):
                with pytest.raises((urllib.error.URLError, OSError)):
                    await get(server, context)

    run(main())


def test_a_client_that_does_not_shake_hands_is_not_waited_for(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rxml.http.server._HANDSHAKE", 0.2)

    made = service(Tls(cert=files.cert, key=files.key))

    async def main() -> None:
        async with made.serve() as server:
            for said in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
                reader, writer = await asyncio.open_connection(server.host, server.port)
                writer.write(said)
                assert b"HTTP" not in await reader.read()
                writer.close()
            assert (await get(server, files.client()))[0] == 200

    run(main())


def test_files_that_are_not_there_or_do_not_belong_together_are_told_early(
    files: Files, tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match="no file"):
        Tls(cert=tmp_path / "none.pem")
    with pytest.raises(PipelineError, match="at least TLS"):
        Tls(cert=files.cert, key=files.key, minimum=ssl.TLSVersion.MINIMUM_SUPPORTED)
    with pytest.raises(PipelineError, match="tls must be of"):
        App(tls=files.cert)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(str(other))

    async def serve(made: App) -> None:
        with pytest.raises(PipelineError, match="cannot be used"):
            async with made.serve():
                pass

    for key in (other, files.ca):
        run(serve(service(Tls(cert=files.cert, key=key))))
