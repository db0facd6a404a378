"""The command line: the command `rtocr`, and `python -m rtocr_gui.cli`."""

import sys


def main() -> int:
    """Run a command, and return its exit code; importing it, which takes a while, can be interrupted too."""
    try:
        from rtocr_gui.cli.main import main as run
    except KeyboardInterrupt:
        print("rtocr: interrupted.", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
