"""What goes wrong with a desk, in words its owner can act on."""


class DeskError(Exception):
    """The desk could not do what was asked. The message says what to do next."""

    exit_code = 1


class NotRunningError(DeskError):
    """Asked something of a desk that is not up."""

    exit_code = 3


class RefusedError(DeskError):
    """The desk's state does not allow it, for example a second `up` while one runs."""

    exit_code = 4
