"""Addresses to listen on: `unix:PATH` or `HOST:PORT`, and when they need TLS."""

import contextlib
import ipaddress
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

# What `sockaddr_un` holds, with its final zero byte, on Linux; macOS has 104.
_PATH_LIMIT = 104


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    text: str
    path: Path | None
    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.path is not None or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse(text: str) -> Address:
    """Reads an address; raises ValueError with a sentence."""
    if text.startswith("unix:"):
        path = Path(text.removeprefix("unix:")).absolute()
        if len(os.fsencode(path)) >= _PATH_LIMIT:
            raise ValueError(f"The socket's path is longer than {_PATH_LIMIT - 1} bytes: {path}.")
        return Address(f"unix:{path}", path, "", 0)
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not an address: unix:PATH or HOST:PORT.")
    return Address(text, None, host, int(port))


def clear_stale_socket(path: Path) -> None:
    """Removes a socket that a dead worker left; raises OSError when somebody answers on it or it is something else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(f"{path} exists and is not a socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            return
        except TimeoutError:
            pass
    raise OSError(f"Another process listens on {path}.")
