"""Writes docs/requirements.md; says what is wrong with the table and ends with 1 instead, if anything is."""

import sys

from tests.requirements.marks import proofs
from tests.requirements.table import DOCUMENT, document, faults, rows


def main() -> int:
    """The exit code."""
    table, found = rows(), list(proofs())
    if wrong := list(faults(table, found)):
        print("\n".join(wrong), file=sys.stderr)
        return 1
    DOCUMENT.write_text(document(table, found))
    print(f"{DOCUMENT}: {len(table)} requirements, {len(found)} marks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
