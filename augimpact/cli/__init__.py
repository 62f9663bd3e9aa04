"""The command line: parses, calls, prints. A user's mistake is one line on standard error and exit status 2."""

from augimpact.cli.main import main

__all__ = ["main"]
