"""The command line: the command `rtocr`, and `python -m rtocr_gui.cli`."""

import sys


def main() -> int:
    """Run a command, and return its exit code; while it is imported, it can be interrupted too."""
    try:
        from rtocr_gui.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print("rtocr: interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
