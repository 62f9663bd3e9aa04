"""`python -m augimpact.cli`."""

from augimpact.cli.main import main

main()
