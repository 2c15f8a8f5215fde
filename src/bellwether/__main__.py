"""`python -m bellwether`: the same as the `bellwether` command."""

from bellwether.cli.main import main

if __name__ == "__main__":
    main()
