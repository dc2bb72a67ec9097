"""``python -m cardrail`` is ``cardrail``."""

from cardrail.cli import main

if __name__ == "__main__":
    main()
