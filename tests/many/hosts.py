"""Hosts, as far as one kernel can play them: each has a network, a name, a machine's id and a data folder of its own.

A bridge of ours joins them; at its own address stand PostgreSQL and the mail server. Only root can make any of it.
"""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.processes import Forker

#: In the mount namespace that `ip netns exec` makes: another machine's id, and in one of its own another name.
_BECOME = 'hostname "$1" && mount --bind "$2" /proc/sys/kernel/random/boot_id && shift 2 && exec "$@"'


@dataclass(frozen=True)
class Host:
    """`address` is where it is reached, `space` its network, and `wire` our end of what joins it to the others."""

    name: str
    address: str
    space: str
    wire: str
    data_dir: Path
    forker: Forker

    def cut_off(self) -> None:
        """From now on nothing reaches it, and nothing leaves it."""
        _ip("link", "set", self.wire, "down")

    def join_again(self) -> None:
        _ip("link", "set", self.wire, "up")

    def lose_sight_of(self, address: str) -> None:
        """What it sends there is lost on the way; everything else is as before."""
        _ip("-n", self.space, "route", "add", "blackhole", f"{address}/32")

    def see_again(self, address: str) -> None:
        _ip("-n", self.space, "route", "delete", "blackhole", f"{address}/32")


@dataclass(frozen=True)
class Network:
    """`address` is PostgreSQL's, and `relay` the mail server's."""

    address: str
    relay: str
    hosts: list[Host]


def why_not() -> str:
    """Why no network can be made here; "" where it can."""
    name = f"nl{secrets.token_hex(4)}"
    try:
        _ip("link", "add", name, "type", "bridge")
        _ip("netns", "add", name)
        _ip("netns", "exec", name, "unshare", "--uts", "true")
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network of our own can be made here: {getattr(error, 'stderr', '') or error}".strip()
    finally:
        for words in (("link", "delete", name), ("netns", "delete", name)):
            subprocess.run(["ip", *words], capture_output=True, check=False)
    return ""


@contextmanager
def network(folder: Path, number: int) -> Iterator[Network]:
    """So many hosts; all of it is gone afterwards."""
    mark = secrets.token_hex(3)
    third = secrets.randbelow(250) + 1
    bridge, database, relay = f"nlb{mark}", f"10.231.{third}.1", f"10.231.{third}.2"
    with ExitStack() as afterwards:
        _ip("link", "add", bridge, "type", "bridge")
        afterwards.callback(_ip, "link", "delete", bridge)
        for address in (database, relay):
            _ip("address", "add", f"{address}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        yield Network(
            database,
            relay,
            [
                afterwards.enter_context(_host(folder, f"press-{at}", mark, bridge, f"10.231.{third}.{at + 10}"))
                for at in range(1, number + 1)
            ],
        )


@contextmanager
def _host(folder: Path, name: str, mark: str, bridge: str, address: str) -> Iterator[Host]:
    space, ours, theirs = f"nl{mark}-{name}", f"nl{mark}{name[-1]}o", f"nl{mark}{name[-1]}t"
    data_dir, boot_id = folder / name, folder / f"{name}.boot_id"
    data_dir.mkdir(mode=0o700)
    boot_id.write_text(f"{secrets.token_hex(16)}\n")
    with ExitStack() as afterwards:
        _ip("netns", "add", space)
        afterwards.callback(_ip, "netns", "delete", space)
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", space)
        _ip("link", "set", ours, "master", bridge, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{address}/24", "dev", theirs),
            ("link", "set", theirs, "up"),
        ):
            _ip("-n", space, *words)
        become = ["sh", "-c", _BECOME, "sh", name, str(boot_id)]
        forker = Forker(["ip", "netns", "exec", space, "unshare", "--uts", *become])
        afterwards.callback(forker.close)
        yield Host(name, address, space, ours, data_dir, forker)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
