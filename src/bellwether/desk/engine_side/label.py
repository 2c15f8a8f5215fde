"""Shows a function's name where the system lists processes.

A forked process shows its parent's start-up environment there. That memory belongs to the process, though,
and once the variables were cleared nothing else reads it, so it can be written over. Linux only; elsewhere
the processes are simply not told apart.
"""

import contextlib
import ctypes
import sys
from pathlib import Path

PADDING = {"BELLWETHER_LABEL": "." * 160}
"""Put into the parent's environment first, so that there is room for a name."""


def show(name: str) -> None:
    """Make `AWS_LAMBDA_FUNCTION_NAME` of this process visible from outside."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(Exception):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        # Fields 50 and 51 (man 5 proc); those after the command's name begin with field 3.
        start, end = int(fields[47]), int(fields[48])
        text = f"AWS_LAMBDA_FUNCTION_NAME={name}".encode()[: end - start - 1]
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, text, len(text))
