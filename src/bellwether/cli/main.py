"""The `bellwether` command."""

def main() -> None:
    raise SystemExit(2)
