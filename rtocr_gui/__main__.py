"""Open the window: `python -m rtocr_gui [FILE...]`."""

import sys

from rtocr_gui.ui.app import main

if __name__ == "__main__":
    sys.exit(main())
