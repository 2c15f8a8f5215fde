"""What a provider said, fit to be shown: short, printable, and without the key it may have echoed."""

LONGEST = 200


def showable(text: str, *secrets: str | None) -> str:
    """At most 200 printable characters on one line; each of `secrets` is replaced by three dots."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
