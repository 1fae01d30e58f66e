"""The command line. Nothing heavy is imported before a command is known: `kam --help` answers at once."""

import signal


def main() -> None:
    """The entry point of `kam`."""
    from flows.cli.app import app

    # Asked to end by a supervisor or a closing terminal, it ends as by Ctrl-C: nothing is left behind.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    app()
