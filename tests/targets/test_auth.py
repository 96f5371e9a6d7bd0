"""How requests are authorised: signatures beside AWS's published ones, tokens and their end, and no secret anywhere."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.targets.auth import Auth, AwsSignature, Bearer, Key, ReadyToken, Secret, Token, end_of
from seatrial.targets.retry import Fault
from seatrial.targets.sigv4 import Credentials, Scope, Unsigned, host_of, signed, signing_key

PUBLISHED = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SERVICE = Scope("us-east-1", "service")
HOST = "https://example.amazonaws.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def signature(request: Unsigned, scope: Scope = SERVICE) -> str:
    return signed(PUBLISHED, scope, request, AT)["Authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("request_", "scope", "published"),
    [
        pytest.param(
            Unsigned("GET", f"{HOST}/"),
            SERVICE,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            id="get-vanilla",
        ),
        pytest.param(
            Unsigned("POST", f"{HOST}/"),
            SERVICE,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            Unsigned("GET", f"{HOST}/?Param2=value2&Param1=value1"),
            SERVICE,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            id="get-vanilla-query-order-key-case",
        ),
        pytest.param(
            Unsigned("POST", f"{HOST}/", b"Param1=value1", FORM),
            SERVICE,
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
        pytest.param(
            Unsigned(
                "GET",
                "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                b"",
                {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            ),
            Scope("us-east-1", "iam"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            id="iam-list-users",
        ),
    ],
)
def test_signatures_are_those_that_aws_publishes(request_: Unsigned, scope: Scope, published: str) -> None:
    assert signature(request_, scope) == published


def test_the_signing_key_is_the_published_one() -> None:
    key = signing_key(PUBLISHED.secret_key, "20120215", Scope("us-east-1", "iam"))
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


def test_each_piece_of_a_request_changes_its_signature() -> None:
    base = Unsigned("POST", f"{HOST}/model/a/converse", b"{}", FORM)
    others = [
        Unsigned("GET", base.url, base.body, FORM),
        Unsigned("POST", f"{HOST}/model/b/converse", base.body, FORM),
        Unsigned("POST", f"{base.url}?x=1", base.body, FORM),
        Unsigned("POST", "https://example.amazonaws.com:444/model/a/converse", base.body, FORM),
        Unsigned("POST", base.url, b"{ }", FORM),
        Unsigned("POST", base.url, base.body, {"Content-Type": "text/plain"}),
    ]
    found = {signature(request) for request in (base, *others)}
    found |= {signature(base, Scope("us-east-2", "service")), signature(base, Scope("us-east-1", "bedrock"))}
    assert len(found) == len(others) + 3


STEPS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1)
PATHS = st.lists(STEPS.filter(lambda step: set(step) != {"."}), min_size=1, max_size=3)


@settings(deadline=None)  # its first example imports botocore
@given(PATHS, st.binary(max_size=50), st.sampled_from(["", "token/with+signs=="]))
def test_botocore_signs_alike(steps: list[str], body: bytes, token: str) -> None:
    from urllib.parse import quote

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Theirs

    url = f"{HOST}/model/" + "/".join(quote(step, safe="") for step in steps) + "/converse"
    theirs = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Theirs(PUBLISHED.access_key, PUBLISHED.secret_key, token or None), "bedrock", "us-east-1").add_auth(
        theirs
    )
    at = datetime.strptime(theirs.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    credentials = Credentials(PUBLISHED.access_key, PUBLISHED.secret_key, token)
    request = Unsigned("POST", url, body, {"Content-Type": "application/json"})
    mine = signed(credentials, Scope("us-east-1", "bedrock"), request, at)
    assert mine == {name: theirs.headers[name] for name in mine}


@pytest.mark.parametrize(
    ("url", "host"),
    [
        pytest.param("https://a.example/x", "a.example", id="plain"),
        pytest.param("https://a.example:443/x", "a.example", id="own-port"),
        pytest.param("http://a.example:443/x", "a.example:443", id="port-of-another-scheme"),
        pytest.param("http://127.0.0.1:8080", "127.0.0.1:8080", id="loopback"),
        pytest.param("http://[::1]:8080/x", "[::1]:8080", id="ipv6"),
    ],
)
def test_the_host_header(url: str, host: str) -> None:
    assert host_of(url) == host


def jwt(claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{part}.c2ln"


@pytest.mark.parametrize(
    ("token", "ends"),
    [
        pytest.param(jwt({"exp": 1_800_000_000}), 1_800_000_000, id="jwt"),
        pytest.param(jwt({"exp": 17.5}), 17.5, id="float"),
        pytest.param(jwt({"exp": True}), math.inf, id="bool"),
        pytest.param(jwt({"exp": "soon"}), math.inf, id="text"),
        pytest.param(jwt({"exp": 10**30}), math.inf, id="huge"),
        pytest.param(jwt({"exp": -1}), math.inf, id="negative"),
        pytest.param(jwt([1]), math.inf, id="no-object"),
        pytest.param("ya29.a0AfB_opaque", math.inf, id="opaque"),
        pytest.param("a.b.c", math.inf, id="no-base64"),
        pytest.param("..", math.inf, id="dots"),
        pytest.param("é.é.é", math.inf, id="no-ascii"),
    ],
)
def test_when_a_token_ends(token: str, ends: float) -> None:
    assert end_of(token) == ends


def test_a_token_is_fetched_once_and_anew_before_its_end() -> None:
    now = [1000.0]
    fetched: list[float] = []

    def fetch() -> Token:
        fetched.append(now[0])
        return Token(f"token-number-{len(fetched)}", now[0] + 3600)

    bearer = Bearer(fetch, clock=lambda: now[0])

    async def many() -> None:
        await asyncio.gather(*(bearer.prepare() for _ in range(20)))

    asyncio.run(many())
    assert bearer.headers("POST", "", b"") == {"Authorization": "Bearer token-number-1"}
    now[0] += 3200
    asyncio.run(many())
    assert fetched == [1000.0]
    now[0] += 200
    asyncio.run(many())
    assert fetched == [1000.0, 4400.0]
    assert bearer.headers("POST", "", b"") == {"Authorization": "Bearer token-number-2"}
    assert bearer.scrub(b"token-number-1 token-number-2") == b"*** ***"


def test_a_ready_token_that_has_ended_takes_the_target_down() -> None:
    token = ReadyToken("AZURE_OPENAI_AD_TOKEN", jwt({"exp": 1000}), clock=lambda: 999.0)
    asyncio.run(token.prepare())
    late = ReadyToken("AZURE_OPENAI_AD_TOKEN", jwt({"exp": 1000}), clock=lambda: 1000.0)
    with pytest.raises(Fault, match="ended at 1970-01-01T00:16:40") as caught:
        asyncio.run(late.prepare())
    assert (caught.value.code, caught.value.reaction) == ("auth", "down")
    assert "AZURE_OPENAI_AD_TOKEN" in late.hint


def test_a_fault_of_fetching_passes_on() -> None:
    def fetch() -> Token:
        raise Fault("unreachable", "no access token")

    with pytest.raises(Fault, match="unreachable"):
        asyncio.run(Bearer(fetch).prepare())


SECRETS = ("AKIDEXAMPLE", "wJalr/XUtn+FEMI=", "session/token+1==")
AWS = AwsSignature(Credentials(*SECRETS), Scope("us-east-1", "bedrock"))


@pytest.mark.parametrize(
    ("auth", "secrets"),
    [
        pytest.param(Key(Secret("sk-secret-1")), ["sk-secret-1"], id="key"),
        pytest.param(AWS, SECRETS, id="aws"),
        pytest.param(ReadyToken("T", "ya29.ready-token"), ["ya29.ready-token"], id="ready"),
    ],
)
def test_secrets_are_cut_from_what_comes_back_however_it_is_written(auth: Auth, secrets: list[str]) -> None:
    for secret in secrets:
        raw = json.dumps({"a": secret, "b": secret.replace("/", "\\/"), "c": secret.replace("/", "%2F")}).encode()
        escaped = secret.replace("/", "\\/").encode() + b" " + raw
        assert secret.encode() not in auth.scrub(escaped)
        assert secret.replace("/", "\\/").encode() not in auth.scrub(escaped)
        assert secret not in repr(auth)
    assert auth.scrub(b"nothing") == b"nothing"


def test_a_secret_that_is_no_unicode_is_taken_as_it_is() -> None:
    assert Key(Secret("sk-\udcff-not-utf-8-0123")).scrub(b"nothing") == b"nothing"
    assert ReadyToken("T", "a\udcff.b.c-0123456").missing() == [
        "the environment variable T holds characters that no key has"
    ]


def test_nothing_is_cut_for_an_empty_or_short_secret() -> None:
    assert Key(Secret("")).scrub(b"abc") == b"abc"
    assert Key(Secret("abc")).scrub(b"abc") == b"abc"
    assert Key(Secret("")).fixed == {}


@pytest.mark.parametrize(
    ("pieces", "rules"),
    [
        pytest.param(("a", "b", ""), [], id="whole"),
        pytest.param(("", "", ""), ["AWS_ACCESS_KEY_ID is not set", "AWS_SECRET_ACCESS_KEY is not set"], id="nothing"),
        pytest.param(("a", "é", ""), ["AWS_SECRET_ACCESS_KEY holds characters"], id="no-ascii"),
        pytest.param(("a", "b", "x\ny"), ["AWS_SESSION_TOKEN holds characters"], id="line-break"),
    ],
)
def test_what_is_missing_is_named(pieces: tuple[str, str, str], rules: list[str]) -> None:
    found = AwsSignature(Credentials(*pieces), SERVICE).missing()
    assert len(found) == len(rules)
    assert all(rule in said for rule, said in zip(rules, found, strict=True))
