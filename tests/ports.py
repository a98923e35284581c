"""Ports of this computer for programs that the tests start."""

import socket


def free_port() -> int:
    """Free at this moment; whoever wants it should be quick."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
