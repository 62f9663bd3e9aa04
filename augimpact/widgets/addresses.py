"""Where a server listens."""

from __future__ import annotations

import ipaddress
import socket

from augimpact.errors import UserError

__all__ = ["check_host", "is_loopback"]


def check_host(host: str) -> None:
    """Nothing, if a server can listen there.

    Raises:
        UserError: the name is unknown, or belongs to another machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(address)
    except (OSError, UnicodeError):
        host_is_named = f"--host is {host!r}; expected an address of this machine, such as 127.0.0.1 or 0.0.0.0"
        raise UserError(host_is_named) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine itself reaches a server that listens there.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("")
    (True, True, False, False)
    """
    if not host:
        return False
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(str(each[4][0]).split("%")[0]).is_loopback for each in found)
