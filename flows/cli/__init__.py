"""The command line. Nothing heavy is imported before a command is known: `kam --help` answers at once."""


def main() -> None:
    """The entry point of `kam`."""
    from flows.cli.app import app

    app()
