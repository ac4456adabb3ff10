"""Asks the running gateway, from inside its container: ``python call.py``, the request in the
environment. Apart from the gateway's own file because it must start fast: it runs many times.
"""

import os
import socket
import sys


def call(text: str) -> str:
    """One line of JSON there, one line back."""
    home = os.environ.get("STEWARD_GATEWAY_HOME", "/steward")
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(10)
        link.connect(f"{home}/gateway.sock")
        link.sendall(text.encode() + b"\n")
        return link.makefile().readline().strip()


if __name__ == "__main__":
    sys.stdout.write(call(os.environ["STEWARD_CALL"]) + "\n")
