"""What an archive for functions holds: its size as it is uploaded, and for which machine it was built."""

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

AARCH64 = 183
"""`e_machine` of Arm's 64-bit architecture (ELF for the Arm 64-bit Architecture, table 3-1)."""
MOST_BYTES = 30_000_000
"""Of code and layer together, zipped: our own limit. Lambda takes 50 MB zipped, 250 MB unpacked."""

_ELF = b"\x7fELF"
_MACHINE = struct.Struct("<16xHH")
_PURE = "-any"
_ARM = ("aarch64",)


def zipped(folder: Path, archive: Path, *, root: str = "") -> Path:
    """Writes a folder's files to an archive, compressed, below `root`."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                target.write(path, str(Path(root) / path.relative_to(folder)))
    return archive


def elf_machine(head: bytes) -> int | None:
    """The machine a native library was built for, from its first 20 bytes; `None` for what is no ELF file."""
    if len(head) < _MACHINE.size or not head.startswith(_ELF):
        return None
    return int(_MACHINE.unpack(head[: _MACHINE.size])[1])


def native_libraries(archive: Path) -> Iterator[tuple[str, int | None]]:
    """Each native library of an archive with its machine. A `.so` that is no ELF file has none."""
    with zipfile.ZipFile(archive) as source:
        for entry in source.infolist():
            with source.open(entry) as file:
                machine = elf_machine(file.read(_MACHINE.size))
            if machine is not None or ".so" in Path(entry.filename).suffixes:
                yield entry.filename, machine


def wheel_tags(archive: Path) -> dict[str, list[str]]:
    """The tags each distribution's `WHEEL` file says it was built for."""
    found = {}
    with zipfile.ZipFile(archive) as source:
        for name in source.namelist():
            if name.endswith(".dist-info/WHEEL"):
                lines = source.read(name).decode().splitlines()
                distribution = name.split("/")[-2].removesuffix(".dist-info")
                found[distribution] = [line.partition(":")[2].strip() for line in lines if line[:4] == "Tag:"]
    return found


def foreign_parts(archive: Path) -> list[str]:
    """What would not run on arm64 Linux: libraries of other machines and wheels of other platforms."""
    libraries = [name for name, machine in native_libraries(archive) if machine != AARCH64]
    wheels = [
        f"{name} ({', '.join(tags)})"
        for name, tags in wheel_tags(archive).items()
        if not any(tag.endswith(_PURE) or any(arm in tag for arm in _ARM) for tag in tags)
    ]
    return libraries + wheels
