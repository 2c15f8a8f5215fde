"""What a stage's settings may say: a wrong address fails while templates are made, not in a browser."""

import re
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Protocol

EDGE_REGION = "us-east-1"
"""CloudFront takes its certificate and its firewall from there alone."""

_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_SECURE_ORIGIN = re.compile(r"https://(?P<host>[^/:@?#]+)(:\d{1,5})?")
_LOOPBACK_ORIGIN = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_CERTIFICATE = re.compile(r"arn:aws:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/[0-9a-f-]{36}")


class Name(Protocol):
    """A name of one's own and the ARN of its certificate."""

    @property
    def name(self) -> str:
        """The host."""

    @property
    def certificate(self) -> str:
        """The ARN."""


def check_origin(origin: str) -> None:
    """Raises `ValueError` unless `origin` is one exact web origin: a scheme, a host, perhaps a port.

    Browsers compare origins letter by letter; a wildcard, a path or a slash at the end would let in nobody,
    or everybody.
    """
    secure = _SECURE_ORIGIN.fullmatch(origin)
    if not (secure and _HOST.fullmatch(secure["host"])) and not _LOOPBACK_ORIGIN.fullmatch(origin):
        raise ValueError(
            f"{origin!r} is no origin a browser may call the API from; give one like "
            "https://desk.example.com (https, lower case, no path, no slash at the end, no wildcard)"
        )


def check_networks(networks: Sequence[str], *, edge: bool) -> None:
    """Raises `ValueError` unless these are networks, and the stage has no edge that would stand for them."""
    for network in networks:
        try:
            ip_network(network)
        except ValueError:
            raise ValueError(f"allowed_networks: {network!r} is no network such as 203.0.113.0/24") from None
    if edge:
        raise ValueError(
            "allowed_networks: behind the edge the API sees the edge's addresses; list Feature.EDGE under "
            "`lacks`, with the reason"
        )


def check_domain(what: str, domain: Name, region: str) -> None:
    """Raises `ValueError` unless the name is a host and its certificate is one of ACM's in `region`."""
    if not _HOST.fullmatch(domain.name):
        raise ValueError(f"{what}: {domain.name!r} is no host name such as desk.example.com")
    certificate = _CERTIFICATE.fullmatch(domain.certificate)
    if certificate is None:
        raise ValueError(f"{what}: {domain.certificate!r} is no certificate's ARN")
    if certificate["region"] != region:
        raise ValueError(
            f"{what}: the certificate of {domain.name} is in {certificate['region']}, not in {region}"
        )
